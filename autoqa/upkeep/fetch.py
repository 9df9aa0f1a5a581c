"""What studies need that is not on this machine, and getting it."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from autoqa.api import Download, Received
from autoqa.errors import MissingAssetError
from autoqa.registry import BoundStudy
from autoqa.registry.bound import BoundTable, guarded, missing_of


@dataclass(frozen=True)
class Needed:
    """A table of a study file whose assets come from the network.

    Attributes:
        study: The study's name.
        where: The table, such as ``backbones.e5``.
        downloads: What is to be fetched for it.
    """

    study: str
    where: str
    downloads: tuple[Download, ...]


@dataclass(frozen=True)
class FetchPlan:
    """What is to be fetched for some studies.

    Attributes:
        needed: What can be fetched; a thing that several tables need stands at the first.
        here: Tables that need nothing more, as ``study: table``.
        refused: One sentence for each table whose assets cannot be fetched, with the way out.
    """

    needed: tuple[Needed, ...]
    here: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def downloads(self) -> list[Download]:
        """All downloads, in the order of the tables."""
        return [download for each in self.needed for download in each.downloads]

    @property
    def size(self) -> int | None:
        """Bytes that are to come; ``None`` where one download does not say."""
        sizes = [download.size for download in self.downloads]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def plan_fetch(studies: Iterable[BoundStudy]) -> FetchPlan:
    """Asks all plugins of some studies what they lack; the network is asked for sizes only.

    Args:
        studies: The studies.

    Raises:
        PluginError: A plugin fails.
    """
    needed: list[Needed] = []
    here: list[str] = []
    refused: list[str] = []
    known: set[str] = set()
    for study in studies:
        name = study.study.name
        for where, table in study.tables.items():
            sentence = missing_of(where, table)
            if sentence is None:
                here.append(f"{name}: {where}")
                continue
            try:
                downloads = tuple(
                    guarded(where, table.spec.name, table.spec.downloads, table.options)
                )
            except MissingAssetError as error:
                refused.append(f"{name}: {where}: {error}")
                continue
            if not downloads:
                refused.append(f"{name}: {where}: {sentence}")
                continue
            new = tuple(each for each in downloads if each.name not in known)
            known.update(each.name for each in new)
            needed.append(Needed(name, where, new))
    return FetchPlan(tuple(needed), tuple(here), tuple(refused))


Shown = Callable[[str, int | None], AbstractContextManager[Received]]
"""(name, bytes to come) to a context in which what comes is shown."""


def fetch_all(plan: FetchPlan, studies: Iterable[BoundStudy], shown: Shown) -> list[str]:
    """Fetches what a plan has; what fails does not keep the rest from coming.

    Args:
        plan: The plan.
        studies: The studies that it is for.
        shown: Shows people what comes.

    Returns:
        One sentence for each table that lacks something all the same; empty where the studies can
        be searched without a network.
    """
    failed: dict[str, str] = {}
    for needed in plan.needed:
        for download in needed.downloads:
            try:
                with shown(download.name, download.size) as received:
                    download.fetch(received)
            except MissingAssetError as error:
                failed[f"{needed.study}: {needed.where}"] = str(error)
    return [
        *plan.refused,
        *(f"{where}: {sentence}" for where, sentence in failed.items()),
        *_lacking(plan, studies, failed),
    ]


def _lacking(
    plan: FetchPlan, studies: Iterable[BoundStudy], failed: Iterable[str]
) -> Iterable[str]:
    """What is missing still although nothing failed: such as a model without what is read."""
    tables: dict[str, tuple[str, BoundTable]] = {
        f"{study.study.name}: {where}": (where, table)
        for study in studies
        for where, table in study.tables.items()
    }
    for needed in plan.needed:
        key = f"{needed.study}: {needed.where}"
        if key not in failed:
            sentence = missing_of(*tables[key])
            if sentence is not None:
                yield f"{key}: {sentence}"
