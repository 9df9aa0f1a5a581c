"""The contract of a kind of data."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from autoqa.api.downloads import Download
from autoqa.api.version import API_VERSION
from autoqa.reading.rows import RawRow
from autoqa.types import Example


@dataclass(frozen=True, kw_only=True)
class SourceSpec:
    """A kind of data: a file format, a hub, a generator.

    Attributes:
        name: How study files name it (``type = "..."``).
        summary: One line for ``autoqa plugins list``.
        options: Pydantic model that a study file's keys are bound against.
        load: Options to examples. Offsets must be exact: ``context[a.start:a.end] == a.text``.
            Raises DataError with file and line for a row that cannot be used.
        missing: Options to a sentence that says what is not on this machine and how to get it,
            or ``None``; a :class:`Fetchable` where ``downloads`` get it. Must be quick and import
            nothing heavy.
        licence: Options to licence of the data (SPDX identifier), or ``None`` where the plugin
            cannot know it; a study file's ``licence`` goes first.
        rows: Options to the rows that ``load`` begins with, as they stand, for the audit of data
            that may be wrong; their languages are ISO codes. Left out, the audit sees what
            ``load`` returns.
        downloads: Options to what can be fetched of it and is not here; asks the network for
            sizes only. For ``autoqa fetch``.
        citation: Options to what a paper should cite, or ``None``.
        to_make: Options to a sentence on what ``load`` would first make that may take long, such
            as texts that a model writes, and is not in the cache; ``None`` where nothing is. Where
            it says something, ``--dry-run`` does not load the source; asked only where nothing is
            missing.
        api_version: The :data:`API_VERSION` that the plugin was written for.
    """

    name: str
    summary: str
    options: type[BaseModel]
    load: Callable[[Any], Iterable[Example]]
    missing: Callable[[Any], str | None]
    licence: Callable[[Any], str | None] = lambda _: None
    rows: Callable[[Any], Iterable[RawRow]] | None = None
    downloads: Callable[[Any], Sequence[Download]] = lambda _: ()
    citation: Callable[[Any], str | None] = lambda _: None
    to_make: Callable[[Any], str | None] = lambda _: None
    api_version: int = API_VERSION
