"""What happens before the first trial: the study is frozen or compared, its spaces are built."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autoqa.api import TrainingProtocol
from autoqa.config import describe_changes, load_study
from autoqa.config.study import StudyFile
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.files import write_atomically
from autoqa.search.space import Space
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Example


class Backbone(Protocol):
    """What the search needs of a bound backbone."""

    @property
    def protocol(self) -> TrainingProtocol:
        """How it is fine-tuned."""


class Bound(Protocol):
    """What the search needs of a bound study (``autoqa.registry.BoundStudy``)."""

    @property
    def study(self) -> StudyFile:
        """The study file."""

    @property
    def backbones(self) -> Mapping[str, Any]:
        """Bound backbones by name."""

    def missing(self) -> list[str]:
        """One sentence per asset that is not on this machine."""


class Data(Protocol):
    """What the search needs of the prepared data (``autoqa.data.StudyData``)."""

    @property
    def train(self) -> Mapping[str, tuple[Example, ...]]:
        """Examples of each source that may be trained on."""

    @property
    def public(self) -> tuple[Example, ...]:
        """Validation examples that the search sees."""

    @property
    def private(self) -> tuple[Example, ...]:
        """Validation examples that stay sealed."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was removed, and why."""


Prepare = Callable[[Any], Data]


@dataclass(frozen=True)
class SearchOptions:
    """What the command line may change.

    Attributes:
        trials: In place of ``[search].trials``.
        minutes: In place of ``[search].minutes``.
        workers: In place of ``[search].workers``.
        accept_changes: Go on with a study file that differs from the one the study began with.
    """

    trials: int | None = None
    minutes: float | None = None
    workers: int | None = None
    accept_changes: bool = False


def check_missing(bound: Bound) -> None:
    """Raises MissingAssetError with every sentence, if anything is missing."""
    missing = bound.missing()
    if missing:
        raise MissingAssetError("\n".join(missing))


def fingerprint(study: StudyFile) -> str:
    """Twelve hex digits of all that a run depends on besides its parameters."""
    left_out: Any = {"search": True, "selection": True, "sources": {"__all__": {"licence"}}}
    kept = study.model_dump(mode="json", exclude=left_out)
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]


def freeze(folder: RunFolder, store: Store, study: StudyFile, text: str, accept: bool) -> None:
    """Keeps the study file's text at the first search, and compares it at every later one.

    How long to search, how to select and what licences say may change freely: no trial depends
    on them.

    Raises:
        ConfigError: One sentence per difference, and the way out.
    """
    stored = store.study_text()
    if stored == text:
        return
    if stored is not None and not accept:
        if not folder.study_file.exists():
            write_atomically(folder.study_file, stored)
        changes = describe_changes(_with_free_keys(load_study(folder.study_file), study), study)
        if changes:
            raise ConfigError(
                f"study {study.name!r} began with another study file ({folder.study_file}):",
                *changes,
                "give the changed study another name, or pass --accept-changes to go on with it "
                "(earlier trials are kept)",
            )
    write_atomically(folder.study_file, text)
    store.save_study(text, fingerprint(study))


def _with_free_keys(old: StudyFile, new: StudyFile) -> StudyFile:
    keys = ("trials", "minutes", "workers", "checkpoints", "weights")
    free = {key: getattr(new.search, key) for key in keys}
    search = old.search.model_copy(update=free)
    sources = {
        name: table.model_copy(update={"licence": new.sources[name].licence})
        if name in new.sources
        else table
        for name, table in old.sources.items()
    }
    return old.model_copy(update={"search": search, "selection": new.selection, "sources": sources})


def source_languages(data: Data) -> dict[str, tuple[str, ...]]:
    """Languages of each source that may be trained on, sorted."""
    return {
        name: tuple(sorted({example.language for example in examples}))
        for name, examples in data.train.items()
    }


def build_spaces(bound: Bound, languages: Mapping[str, tuple[str, ...]]) -> dict[str, Space]:
    """One space per backbone.

    Raises:
        ConfigError: A portion fixes a language that its source does not have.
    """
    spaces = {
        name: Space(name, backbone.protocol, bound.study.recipe, languages)
        for name, backbone in bound.backbones.items()
    }
    problems = next(iter(spaces.values())).check()
    if problems:
        raise ConfigError(*problems)
    return spaces
