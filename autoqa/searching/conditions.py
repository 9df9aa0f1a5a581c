"""What all that train for one study must have in common, wherever they run."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Self

from autoqa.data import StudyData
from autoqa.errors import ConfigError, DataError, check_keys
from autoqa.registry.versions import differences, environment
from autoqa.store.example_lines import to_line
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.budget import Budget
from autoqa.trials.trials import Trials
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a search says to those who join it; it stands in the database as JSON.

    Attributes:
        version: :attr:`autoqa.trials.trials.Trials.version`.
        environment: Versions of code, :func:`autoqa.registry.versions.environment`.
        data: Digest of what each source has to train on.
        folder: What the run folder is known by, or the URL where its files are shared; all must
            have the same one.
        minutes: The search's time limit.
        start: When it began, seconds since the epoch.
        trials: Trials wanted.
        history: :attr:`autoqa.trials.trials.Trials.history`.
        augmentations: What decides the work of augmentations beside their options, by the study
            file's table, where there is such a thing.
    """

    version: str
    environment: dict[str, str]
    data: dict[str, str]
    folder: str
    minutes: float | None
    start: float
    trials: int
    history: list[int]
    augmentations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        trials: Trials,
        data: StudyData,
        folder: RunFolder,
        budget: Budget,
        total: int,
        files: str | None = None,
        augmentations: Mapping[str, str] = MappingProxyType({}),
    ) -> Self:
        """Those of a search that runs here."""
        return cls(
            version=trials.version,
            environment=environment(),
            data=source_digests(data),
            folder=files or folder.token() or folder.mark(secrets.token_hex(8)),
            minutes=budget.minutes,
            start=budget.start,
            trials=total,
            history=sorted(trials.history),
            augmentations=dict(augmentations),
        )

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """What :meth:`as_json` gave.

        Raises:
            DataError: Another version of autoqa has written it.
        """
        check_keys(cls, content)
        try:
            return cls(**content)
        except TypeError as error:
            raise DataError(
                f"the search was begun with another version of autoqa ({error}): all machines "
                "need the same"
            ) from error

    def as_json(self) -> dict[str, Any]:
        """A value that JSON can hold."""
        return asdict(self)

    def check(
        self,
        study: str,
        data: StudyData,
        folder: RunFolder,
        files: str | None = None,
        augmentations: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Compares them with what there is here.

        Args:
            study: The study's name.
            data: Its data.
            folder: Its run folder.
            files: ``[search] files`` of the study file.
            augmentations: As the attribute, here.

        Raises:
            ConfigError: Something differs; one sentence for each difference.
        """
        problems = differences("the search", self.environment, environment(), here="this machine")
        own = source_digests(data)
        problems += [
            f"sources.{name}: the rows to train on are not those that the search has"
            for name in sorted(self.data.keys() | own.keys())
            if self.data.get(name) != own.get(name)
        ]
        problems += [
            f"{where}: its table or models are not those that the search has"
            for where in sorted(self.augmentations.keys() | augmentations.keys())
            if self.augmentations.get(where) != augmentations.get(where)
        ]
        shares = "://" in self.folder
        if (shares or files is not None) and files != self.folder:
            there = self.folder if shares else "not set"
            problems.append(
                f"[search] files is {files or 'not set'} here, and {there} in the search: "
                f"`autoqa worker {study} --storage URL` takes the search's study file"
            )
        elif not shares and folder.token() != self.folder:
            problems.append(
                f"{folder.path} is not the folder that the search writes to: set AUTOQA_HOME to "
                "one that all machines share, or [search] files to a URL that all reach"
            )
        if problems:
            raise ConfigError(f"study {study!r} cannot be joined from here:", *problems)


def source_digests(data: StudyData) -> dict[str, str]:
    """Twelve hex digits for each source's rows to train on, in their order."""
    return {name: _digest(examples) for name, examples in data.train.items()}


def _digest(examples: Iterable[Example]) -> str:
    digest = hashlib.sha256()
    for example in examples:
        digest.update(to_line(example).encode())
    return digest.hexdigest()[:12]
