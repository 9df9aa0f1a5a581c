"""What a bundle says about itself: ``manifest.json``, format versions 1 and 2."""

import hashlib
import json
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from autoqa.bundle.entries import (
    ConversionEntry,
    FileEntry,
    GroupEntry,
    MemberEntry,
    RefitEntry,
    Sha256,
    SpanScoringEntry,
    VoteEntry,
)
from autoqa.bundle.reliability_entries import ConfidenceEntry, NoAnswerEntry
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import BundleError
from autoqa.scores.summary import Entry, ScoreEntry
from autoqa.store.candidate_record import generates_alone
from autoqa.text.rules import RULES
from autoqa.types import DEFAULT_METRIC

FORMAT = "1.4"
"""A reader of 1.x opens every 1.x and ignores keys it does not know; 2.0 it refuses."""

_GENERATING = "2.0"
"""What a bundle has with a member that generates answers, which readers of 1.x would take for one
that scores tokens; else it is as those of 1.4, and this reader opens both."""

_MAJORS = tuple(version.partition(".")[0] for version in (FORMAT, _GENERATING))

_WITHOUT_METRIC = "1.3"
"""What a bundle has that names no metric, cuts words at white space, and has nothing fitted."""

NAME = "manifest.json"
UNKNOWN = "unknown"
"""A licence that neither study file nor plugin states."""

SUFFIXES = frozenset({".json", ".md", ".onnx", ".safetensors"})
"""All that a bundle may consist of; pickles and code, under whatever name, are not among it."""


_BLANK = "0" * 64


def check_path(path: str) -> str:
    """Returns a path that stays below the bundle and names a harmless kind of file.

    Raises:
        ValueError: It is absolute, has ``..``, is not written plainly, or has a forbidden suffix.
    """
    parts = path.split("/")
    plain = all(part not in ("", ".", "..") for part in parts)
    if not plain or any(c in path for c in "\\:\0"):
        raise ValueError(f"path {path!r} must be relative, below the bundle, and written with /")
    if PurePosixPath(path).suffix not in SUFFIXES:
        raise ValueError(
            f"file {path!r} is of a kind that a bundle may not hold "
            f"(only {', '.join(sorted(SUFFIXES))}; pickled weights can run code)"
        )
    return path


class Manifest(Entry):
    """A bundle's table of contents.

    Attributes:
        format: Version of the format.
        digest: sha256 of the manifest's own bytes with this value set to zeros.
        autoqa: Version of autoqa that wrote it.
        versions: Those of Python and of the libraries that its answers depend on, on the machine
            that wrote it.
        study: Name of the study.
        created: When, ISO 8601, UTC.
        members: The models.
        groups: Their tokenizers and windows.
        vote: How members are joined.
        rules: Post-processing rules by language, applied to the joined answers.
        scoring: What decides on a group's best span, by group; a manifest has it only where that
            is not the plain sum of logits.
        no_answer: When no answer is given; a manifest has it only where validation had questions
            without one.
        confidence: How scores of answers are made; a manifest has it only where the public part was
            large enough.
        public: The ensemble's score on the part of the validation set that selection saw.
        private: Its score on the part that nothing saw before, with half-precision weights.
        conversion: What converting the weights changed, where they were converted.
        refit: What members were trained again with, where they were; a manifest has it only then.
            All scores are those of the models before.
        openings: How often the private part had been opened when this was written.
        licences: All licences of pretrained weights among the members.
        data: Licence of each source that a member was trained on, by its name in the study.
        files: Every file but this one, by its path below the bundle.
    """

    format: str
    digest: Sha256
    autoqa: str
    versions: dict[str, str] = Field(default_factory=dict)
    study: str
    created: str
    members: Annotated[tuple[MemberEntry, ...], Field(min_length=1)]
    groups: Annotated[tuple[GroupEntry, ...], Field(min_length=1)]
    vote: VoteEntry
    rules: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    scoring: dict[str, SpanScoringEntry] = Field(default_factory=dict)
    no_answer: NoAnswerEntry | None = None
    confidence: ConfidenceEntry | None = None
    public: ScoreEntry
    private: ScoreEntry
    conversion: ConversionEntry | None = None
    refit: RefitEntry | None = None
    openings: int
    licences: tuple[str, ...]
    data: dict[str, str] = Field(default_factory=dict)
    files: dict[str, FileEntry]

    @model_serializer(mode="wrap")
    def _without_nothing(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if not self.scoring:
            del content["scoring"]
        for name in ("refit", "no_answer", "confidence"):
            if content[name] is None:
                del content[name]
        return content

    @property
    def plan(self) -> EnsemblePlan:
        """The members and how they are joined, as the ensemble functions take them."""
        return EnsemblePlan(
            members=tuple(entry.member for entry in self.members),
            tie_group=self.vote.best,
            aggregator=self.vote.aggregator,
            words=self.vote.words,
            segmentation=self.vote.segmentation,
            rules=self.rules,
            scoring={group: entry.scoring for group, entry in self.scoring.items()},
            none=None if self.no_answer is None else self.no_answer.rule,
        )

    @property
    def max_answer_tokens(self) -> dict[str, int]:
        """Most tokens in an answer, by group."""
        vote = self.vote.max_answer_tokens
        return {group.id: group.max_answer_tokens or vote for group in self.groups}

    @field_validator("files")
    @classmethod
    def _safe_paths(cls, files: dict[str, FileEntry]) -> dict[str, FileEntry]:
        for path in files:
            check_path(path)
        return files

    @field_validator("rules")
    @classmethod
    def _known_rules(cls, rules: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for language, names in rules.items():
            for name in names:
                if name not in RULES:
                    raise ValueError(
                        f"post-processing rule {name!r} of language {language!r} is unknown to "
                        f"this autoqa, which has {', '.join(RULES)}: install a newer one"
                    )
        return rules

    @model_validator(mode="after")
    def _consistent(self) -> "Manifest":
        groups = [group.id for group in self.groups]
        members = [member.id for member in self.members]
        for what, names in (("group", groups), ("member", members)):
            if len(set(names)) < len(names):
                raise ValueError(f"a {what} is listed twice in {', '.join(names)}")
        used = {member.group for member in self.members}
        for group in (*used, self.vote.best):
            if group not in groups:
                raise ValueError(f"group {group!r} is used but not listed")
        for group in groups:
            if group not in used:
                raise ValueError(f"group {group!r} has no member")
        needed = [path for m in self.members for path in (m.config_file, m.model_file)]
        for path in (*needed, *(f"{g.folder}/tokenizer.json" for g in self.groups)):
            if path not in self.files:
                raise ValueError(f"file {path!r} is needed but not listed")
        return self


def needed_format(plan: EnsemblePlan, score: ScoreEntry, *, fitted: bool = False) -> str:
    """The oldest version of the format that says all of an ensemble and its score.

    Args:
        plan: The ensemble.
        score: Its score.
        fitted: Whether a rule for no answer or a confidence was fitted for it.
    """
    if any(generates_alone(member.group) for member in plan.members):
        return _GENERATING
    plain = plan.segmentation == "words" and score.metric == DEFAULT_METRIC and not fitted
    return _WITHOUT_METRIC if plain else FORMAT


def render(content: dict[str, Any]) -> bytes:
    """The bytes of ``manifest.json`` with the digest filled in.

    Args:
        content: The manifest's values without ``digest``.
    """
    manifest = Manifest.model_validate({**content, "digest": _BLANK})
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    blank = text.encode()
    return blank.replace(_BLANK.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)


def parse_manifest(raw: bytes, where: str) -> Manifest:
    """Reads a manifest, and checks that nobody changed it.

    Args:
        raw: The file's bytes.
        where: What error messages call it.

    Raises:
        BundleError: It is no manifest, of another major version, changed, or inconsistent.
    """
    try:
        content = json.loads(raw)
        version, digest = str(content["format"]), str(content["digest"])
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise BundleError(
            f"{where} is no bundle's manifest ({error!r:.80}): export the bundle again."
        ) from error
    if version.partition(".")[0] not in _MAJORS:
        known = " and ".join(f"{major}.x" for major in _MAJORS)
        raise BundleError(
            f"{where} has format {version}, but this autoqa reads {known}: install an autoqa "
            "that reads it, or export the bundle again with this one."
        )
    if hashlib.sha256(raw.replace(digest.encode(), _BLANK.encode(), 1)).hexdigest() != digest:
        raise BundleError(
            f"{where} was changed after the bundle was written: copy the bundle again, or export "
            "it again."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BundleError(
            f"{where}: {place + ': ' if place else ''}{first['msg']}. Export the bundle again."
        ) from error
