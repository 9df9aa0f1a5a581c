"""Writes a bundle, whole or not at all."""

import json
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import autoqa
from autoqa.bundle.entries import (
    CONFIG,
    MODEL_FILES,
    ConversionEntry,
    GroupEntry,
    MemberEntry,
    RefitEntry,
    VoteEntry,
)
from autoqa.bundle.manifest import NAME, Manifest, needed_format, parse_manifest, render
from autoqa.bundle.reliability_entries import ConfidenceEntry, NoAnswerEntry
from autoqa.bundle.verify import file_entry, file_paths
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import DataError
from autoqa.export.model_card import model_card
from autoqa.files import check_folder, writing_output
from autoqa.scores.summary import ScoreEntry

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
_LIBRARIES = ("numpy", "safetensors", "tokenizers", "torch", "transformers")
CONFIG_DROPS = ("_name_or_path", "auto_map", "custom_pipelines")
"""Paths of the exporting machine, and names of code to download: what leaves it has neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundlePlan:
    """All that goes into a bundle.

    Attributes:
        study: Name of the study.
        members: The models; ``folder`` says where in the bundle each one goes.
        groups: Their groups; ``folder`` says where in the bundle each tokenizer goes.
        ensemble: The same members, and how they are joined.
        max_answer_tokens: Most tokens in an answer of groups that do not say their own.
        public: The ensemble's score on the public part.
        private: Its score on the private part.
        no_answer: When no answer is given, where that was fitted.
        confidence: How scores of answers are made, where that was fitted.
        conversion: What converting the weights changed, where they were converted.
        refit: What members were trained again with, where they were.
        openings: How often the private part has been opened so far.
        opened: Whether it was opened for this bundle; else its private score was known.
        data: Licence of each source that a member was trained on.
        models: Folder with weights, configuration and tokenizer of each member by its id.
    """

    study: str
    members: tuple[MemberEntry, ...]
    groups: tuple[GroupEntry, ...]
    ensemble: EnsemblePlan
    max_answer_tokens: int
    public: ScoreEntry
    private: ScoreEntry
    openings: int
    opened: bool = True
    data: Mapping[str, str] = field(default_factory=dict)
    no_answer: NoAnswerEntry | None = None
    confidence: ConfidenceEntry | None = None
    conversion: ConversionEntry | None = None
    refit: RefitEntry | None = None
    models: Mapping[str, Path]


def check_target(target: Path, *, force: bool) -> None:
    """Says whether a bundle may be written there; see :func:`autoqa.files.check_folder`.

    Raises:
        ConfigError: Something is in the way.
    """
    check_folder(target, "a bundle", NAME, force=force)


def write_bundle(plan: BundlePlan, target: Path, *, force: bool = False) -> Manifest:
    """Writes a bundle under a temporary name beside its target and renames it when complete.

    Args:
        plan: What goes into it.
        target: The folder to make; its parents are made, too.
        force: Replace an existing bundle.

    Returns:
        The manifest that was written.

    Raises:
        ConfigError: The target is in the way (see :func:`check_target`) or cannot be written.
        DataError: A member's weights or tokenizer are gone or do not belong to its group.
        AutoqaError: Writing failed on the way, as on a full disk.
    """
    check_target(target, force=force)
    with writing_output(target) as partial:
        return _fill(partial, plan)


def _fill(partial: Path, plan: BundlePlan) -> Manifest:
    for member in plan.members:
        _copy_model(plan.models[member.id], partial / member.folder, member)
    for group in plan.groups:
        owner = next(member.id for member in plan.members if member.group == group.id)
        _copy_tokenizer(plan.models[owner], partial / group.folder, group.id)
    (partial / "README.md").write_text(
        model_card(
            plan.study,
            plan.members,
            plan.groups,
            plan.ensemble,
            plan.public,
            plan.private,
            max_answer_tokens=plan.max_answer_tokens,
            data=plan.data,
            conversion=plan.conversion,
            refit=plan.refit,
            no_answer=plan.no_answer,
            confidence=plan.confidence,
        ),
        encoding="utf-8",
    )
    libraries = _LIBRARIES if plan.conversion is None else (*_LIBRARIES, "onnx", "onnxruntime")
    fitted = plan.no_answer is not None or plan.confidence is not None
    content = {
        "format": needed_format(plan.ensemble, plan.public, fitted=fitted),
        "autoqa": autoqa.__version__,
        "versions": {"python": platform.python_version()} | {n: version(n) for n in libraries},
        "study": plan.study,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "members": plan.members,
        "groups": plan.groups,
        "vote": VoteEntry.of(plan.ensemble, plan.max_answer_tokens),
        "rules": dict(plan.ensemble.rules),
        "scoring": {group: asdict(each) for group, each in plan.ensemble.scoring.items()},
        "no_answer": plan.no_answer,
        "confidence": plan.confidence,
        "public": plan.public,
        "private": plan.private,
        "conversion": plan.conversion,
        "refit": plan.refit,
        "openings": plan.openings,
        "licences": tuple(sorted({member.licence for member in plan.members})),
        "data": dict(plan.data),
        "files": {path: file_entry(partial / path) for path in sorted(file_paths(partial))},
    }
    raw = render(content)
    (partial / NAME).write_bytes(raw)
    return parse_manifest(raw, NAME)


def _copy_model(source: Path, folder: Path, member: MemberEntry) -> None:
    folder.mkdir(parents=True)
    weights = MODEL_FILES[member.weights]
    for name in (CONFIG, weights):
        if not (source / name).is_file():
            raise DataError(
                f"{source / name} is missing, so candidate {member.id} cannot be exported: select "
                "again without it, or restore the run folder."
            )
    config = json.loads((source / CONFIG).read_text(encoding="utf-8"))
    portable = {key: value for key, value in config.items() if key not in CONFIG_DROPS}
    text = json.dumps(portable, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8")
    shutil.copyfile(source / weights, folder / weights)


def _copy_tokenizer(source: Path, folder: Path, group: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)  # groups of one that votes alone share theirs
    if not (source / "tokenizer.json").is_file():
        raise DataError(f"{source / 'tokenizer.json'} is missing: restore the run folder.")
    for name in _TOKENIZER_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    key = file_entry(folder / "tokenizer.json").sha256[:12]
    if key != group.partition("-")[0]:
        raise DataError(
            f"{source / 'tokenizer.json'} has the checksum {key}..., but the group is {group}: "
            "the run folder was changed, restore it."
        )
