"""Finds plugins; a broken one keeps its cause and never breaks another."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint

from pydantic import BaseModel

from autoqa.api import API_VERSION
from autoqa.entry_points import SWITCH, allowed, installed, load, normal, wrong_version
from autoqa.errors import did_you_mean
from autoqa.registry.catalogue import Catalogue
from autoqa.registry.records import GROUPS, SPECS, PluginKind, Record, Spec


def discover() -> Catalogue:
    """All plugins that installed distributions offer.

    Imports the modules that hold the specs. What fails there, whatever it is, becomes the
    ``failure`` of a record and is raised only when a study names that plugin.
    """
    switched_on = allowed()
    records: list[Record] = []
    excluded: list[Record] = []
    kinds = {group: kind for kind, group in GROUPS.items()}
    for point in installed(*kinds):
        record = _unloaded(kinds[point.group], point)
        if switched_on is None or normal(record.distribution) in switched_on:
            records.append(_loaded(record, point))
        else:
            excluded.append(record)
    return Catalogue(
        records=tuple(sorted(_without_duplicates(records), key=_order)),
        excluded=tuple(sorted(excluded, key=_order)),
        warnings=tuple(_strangers(switched_on or {}, [*records, *excluded])),
    )


def _order(record: Record) -> tuple[int, str, str]:
    return list(GROUPS).index(record.kind), record.name, record.distribution


def _strangers(named: dict[str, str], records: Iterable[Record]) -> Iterable[str]:
    present = {normal(record.distribution) for record in records}
    for key, name in named.items():
        if key not in present:
            hint = did_you_mean(key, present)
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
    loaded = load(point)
    if loaded.failure is not None:
        return replace(record, failure=loaded.failure, seconds=loaded.seconds)
    spec = loaded.value
    try:
        failure, summary = _unusable(record, spec), str(getattr(spec, "summary", ""))
    except Exception as error:  # attributes may be code of the plugin's
        failure, summary = " ".join(f"{type(error).__name__}: {error}".split()), ""
    if failure is not None:
        return replace(record, failure=failure, seconds=loaded.seconds)
    return replace(record, spec=spec, summary=summary, seconds=loaded.seconds)


def _unusable(record: Record, spec: Spec) -> str | None:
    """Why an imported object is no plugin of this kind."""
    wanted = SPECS[record.kind]
    version = getattr(spec, "api_version", API_VERSION)
    outdated = wrong_version(version, record.distribution, API_VERSION)
    if outdated is not None:
        return outdated
    if not isinstance(spec, wanted):
        return f"{record.entry_point} is of type {type(spec).__name__}, not {wanted.__name__}"
    if spec.name != record.name:
        return f"its entry point says {record.name!r}, but its spec says {spec.name!r}"
    options = getattr(spec, "options", BaseModel)  # metrics have none
    if not (isinstance(options, type) and issubclass(options, BaseModel)):
        return f"its options are {options!r}, not a pydantic model"
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
