"""What happens before the first trial: the study is frozen or compared, its spaces are built."""

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autoqa.config import describe_changes, load_study
from autoqa.config.phrases import shown
from autoqa.config.study import StudyFile
from autoqa.data import StudyData, prepare_data
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.files import write_atomically
from autoqa.proposals.space import Space
from autoqa.registry import BoundStudy, open_study
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation
from autoqa.trials.warm_start import PastStudy
from autoqa.types import DEFAULT_METRIC

Prepare = Callable[[BoundStudy], StudyData]
"""Loads, checks and splits the data of a study."""


@dataclass(frozen=True)
class SearchOptions:
    """What the command line may change.

    Attributes:
        trials: In place of ``[search].trials``.
        minutes: In place of ``[search].minutes``.
        workers: In place of ``[search].workers``.
        accept_changes: Go on with a study file that differs from the one the study began with.
        warm_start: A study whose trials are known beforehand.
    """

    trials: int | None = None
    minutes: float | None = None
    workers: int | None = None
    accept_changes: bool = False
    warm_start: PastStudy | None = None

    def limit(self, study: StudyFile) -> float | None:
        """Minutes that the search itself may take; ``None`` for no limit."""
        minutes = self.minutes or study.search.minutes
        return None if minutes is None else minutes * (1 - study.search.reserve)


def check_missing(bound: BoundStudy) -> None:
    """Raises MissingAssetError with every sentence and the way out, if anything is missing."""
    missing = bound.missing()
    if missing:
        raise MissingAssetError("\n".join([*missing, *bound.way_to_fetch(missing)]))


def check_augmentations(bound: BoundStudy) -> None:
    """Raises ConfigError with every sentence, if a file that an augmentation needs is of no use."""
    problems = bound.unusable_changes()
    if problems:
        raise ConfigError(*problems)


def fingerprint(study: StudyFile) -> str:
    """Twelve hex digits of all that a run depends on besides its parameters."""
    free_keys: Any = {"search": True, "selection": True, "sources": {"__all__": {"licence"}}}
    content = study.model_dump(mode="json", exclude=free_keys)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def reopen(folder: RunFolder, store: Store) -> tuple[BoundStudy, StudyData]:
    """The study of a finished search, to run on it what must fit what was trained then.

    Returns:
        The study with its plugins, and its data.

    Raises:
        ConfigError: The study file is not the one that the study was searched with.
        MissingAssetError: Weights or data are not on this machine.
        DataError: The data are not those of then.
    """
    bound = open_study(folder.study_file)
    searched, current = store.study_fingerprint(), fingerprint(bound.study)
    if searched != current:
        raise ConfigError(
            f"study {store.study!r} resolves to {current} here and was {searched} when it was "
            "searched (its variables, such as paths, have other values): set them as they were then"
        )
    check_missing(bound)
    data = prepare_data(bound)
    check_validation(folder, store, data.public, data.private)
    return bound, data


def freeze(folder: RunFolder, store: Store, study: StudyFile, text: str, accept: bool) -> None:
    """Keeps the study file's text at the first search, and compares it at every later one.

    How long to search, how to select and what licences say may change freely: no trial depends
    on them.

    Raises:
        ConfigError: One sentence per difference, and the way out; also where changes are accepted,
            if scores would not be comparable, because answers may be of another length or another
            metric judges them.
    """
    saved = store.study_text()
    stored = saved
    if stored is None and folder.study_file.exists():  # the database was lost, the file was not
        stored = folder.study_file.read_text(encoding="utf-8", errors="replace")
    if stored is not None:
        _check_comparable(stored, study)
    if stored is not None and stored != text and not accept:
        if saved is not None:
            write_atomically(folder.study_file, saved)
        changes = describe_changes(_with_free_keys(load_study(folder.study_file), study), study)
        if changes:
            raise ConfigError(
                f"study {study.name!r} began with another study file ({folder.study_file}):",
                *changes,
                "give the changed study another name, or pass --accept-changes to go on with it "
                "(earlier trials are kept)",
            )
    if not folder.study_file.exists() or folder.study_file.read_bytes() != text.encode():
        write_atomically(folder.study_file, text)
    if saved != text:
        store.save_study(text, fingerprint(study))


_COMPARABLE = {
    "max_answer_tokens": (None, "scores of answers with the other limit, which could not"),
    "metric": (DEFAULT_METRIC, "trials whose values are of the other metric, which cannot"),
}
"""Keys of ``[validation]`` without which no score can be compared: what they are where they are not
written, and what a study has that was searched with another value."""


def _check_comparable(stored: str, study: StudyFile) -> None:
    """Refuses another limit on the length of answers, or metric, than the study began with."""
    try:
        table = tomllib.loads(stored).get("validation", {})
        before = {key: table.get(key, usual) for key, (usual, _) in _COMPARABLE.items()}
    except (tomllib.TOMLDecodeError, AttributeError):  # damaged: others say so
        return
    for key, (_, what) in _COMPARABLE.items():
        now = getattr(study.validation, key)
        if before[key] != now:
            raise ConfigError(
                f"validation.{key}: {shown(before[key])} -> {shown(now)}: study {study.name!r} "
                f"has {what} be compared with new ones; give the changed study another name, or "
                "put the key back"
            )


_FREE_KEYS = (
    *("trials", "minutes", "reserve", "device_hours", "fit", "workers", "devices_per_run"),
    *("prune", "soups", "checkpoints", "weights", "files"),
)
"""Keys of ``[search]`` that may change between searches."""


def _with_free_keys(old: StudyFile, new: StudyFile) -> StudyFile:
    """The old study with the new one's values of all keys that may change between searches."""
    search = old.search.model_copy(update={key: getattr(new.search, key) for key in _FREE_KEYS})
    sources = {
        name: table.model_copy(update={"licence": new.sources[name].licence})
        if name in new.sources
        else table
        for name, table in old.sources.items()
    }
    return old.model_copy(update={"search": search, "selection": new.selection, "sources": sources})


def source_languages(data: StudyData) -> dict[str, tuple[str, ...]]:
    """Languages of each source that may be trained on, sorted."""
    return {
        name: tuple(sorted({example.language for example in examples}))
        for name, examples in data.train.items()
    }


def build_spaces(bound: BoundStudy, languages: Mapping[str, tuple[str, ...]]) -> dict[str, Space]:
    """One space per backbone.

    Raises:
        ConfigError: A portion fixes a language that its source does not have, a method contradicts
            a backbone's protocol, or answers may be longer than windows.
    """
    spaces = {
        name: Space(name, backbone.protocol, bound.study.recipe, languages, kind=backbone.spec.kind)
        for name, backbone in bound.backbones.items()
    }
    found = [problem for space in spaces.values() for problem in space.check()]
    most = bound.study.validation.max_answer_tokens
    found += [
        f"validation.max_answer_tokens: {most}, but windows of backbone {name!r} have "
        f"{backbone.protocol.length} tokens, question included; an answer stands in one window"
        for name, backbone in bound.backbones.items()
        if most is not None and most >= backbone.protocol.length
    ]
    problems = dict.fromkeys(found)
    if problems:
        raise ConfigError(*problems)
    return spaces
