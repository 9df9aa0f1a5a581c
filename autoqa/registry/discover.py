"""Finds plugins; a broken one keeps its cause and never breaks another."""

import contextlib
import os
import re
import sys
import traceback
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from pydantic import BaseModel

from autoqa.api import API_VERSION
from autoqa.errors import did_you_mean
from autoqa.registry.catalogue import Catalogue
from autoqa.registry.records import GROUPS, SPECS, PluginKind, Record, Spec

SWITCH = "AUTOQA_PLUGINS"
"""Environment variable: comma-separated distributions whose plugins are used; "" for none."""


def discover() -> Catalogue:
    """All plugins that installed distributions offer.

    Imports the modules that hold the specs. What fails there, whatever it is, becomes the
    ``failure`` of a record and is raised only when a study names that plugin.
    """
    allowed = _allowed()
    records: list[Record] = []
    excluded: list[Record] = []
    for kind, group in GROUPS.items():
        for point in entry_points(group=group):
            record = _unloaded(kind, point)
            if allowed is None or _normal(record.distribution) in allowed:
                records.append(_loaded(record, point))
            else:
                excluded.append(record)
    return Catalogue(
        records=tuple(sorted(_without_duplicates(records), key=_order)),
        excluded=tuple(sorted(excluded, key=_order)),
        warnings=tuple(_strangers(allowed or {}, [*records, *excluded])),
    )


def _order(record: Record) -> tuple[int, str, str]:
    return list(GROUPS).index(record.kind), record.name, record.distribution


def _allowed() -> dict[str, str] | None:
    """Normalised names of allowed distributions and how they were written; None for all."""
    value = os.environ.get(SWITCH)
    if value is None:
        return None
    names = [name.strip() for name in value.split(",")]
    return {_normal(name): name for name in names if name}


def _normal(name: str) -> str:
    """Package names are compared the way package indexes do (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _strangers(allowed: dict[str, str], records: Iterable[Record]) -> Iterable[str]:
    present = {_normal(record.distribution) for record in records}
    for normal, name in allowed.items():
        if normal not in present:
            hint = did_you_mean(normal, present)
            yield f"{SWITCH} names {name!r}, but no such plugin package is installed{hint}"


def _unloaded(kind: PluginKind, point: EntryPoint) -> Record:
    distribution = point.dist
    return Record(
        kind=kind,
        name=point.name,
        distribution=distribution.name if distribution else "unknown",
        version=distribution.version if distribution else "unknown",
        entry_point=point.value,
    )


def _loaded(record: Record, point: EntryPoint) -> Record:
    try:
        # What a module prints while it is imported must not get into data on stdout.
        with contextlib.redirect_stdout(sys.stderr):
            spec = point.load()
    except (Exception, SystemExit) as error:
        return replace(record, failure=_cause(error))
    failure = _unusable(record, spec)
    if failure is not None:
        return replace(record, failure=failure)
    return replace(record, spec=spec, summary=str(spec.summary))


def _cause(error: BaseException) -> str:
    """The error and the last line of code before it, since the traceback is not shown."""
    text = " ".join(f"{type(error).__name__}: {error}".rstrip(": ").split())
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def _unusable(record: Record, spec: Spec) -> str | None:
    """Why an imported object is no plugin of this kind."""
    wanted = SPECS[record.kind]
    version = getattr(spec, "api_version", API_VERSION)
    if version != API_VERSION:
        older = isinstance(version, int) and version < API_VERSION
        remedy = f"a newer {record.distribution}" if older else "a newer autoqa"
        return (
            f"it was written for version {version} of the plugin API, but this autoqa has "
            f"version {API_VERSION}; install {remedy}"
        )
    if not isinstance(spec, wanted):
        return f"{record.entry_point} is of type {type(spec).__name__}, not {wanted.__name__}"
    if spec.name != record.name:
        return f"its entry point says {record.name!r}, but its spec says {spec.name!r}"
    if not (isinstance(spec.options, type) and issubclass(spec.options, BaseModel)):
        return f"its options are {spec.options!r}, not a pydantic model"
    return None


def _without_duplicates(records: list[Record]) -> list[Record]:
    """Marks plugins that share kind and name; which one is meant is not guessed."""
    same: dict[tuple[PluginKind, str], list[Record]] = defaultdict(list)
    for record in records:
        same[record.kind, record.name].append(record)
    marked = []
    for (kind, name), group in same.items():
        if len(group) > 1:
            owners = " and ".join(sorted({record.origin for record in group}))
            sentence = (
                f"the {kind} {name!r} is offered more than once, by {owners}; uninstall one of "
                f"them, or name the packages to use in {SWITCH}"
            )
            group = [replace(record, failure=sentence, spec=None) for record in group]
        marked += group
    return marked
