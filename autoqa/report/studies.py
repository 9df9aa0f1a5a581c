"""What a study was searched with and decided, and what of it or of the cache can go."""

from typing import TYPE_CHECKING, Any

from autoqa.report.amounts import day, moment, size
from autoqa.report.tables import numbers, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from autoqa.upkeep.cache import CacheEntry
    from autoqa.upkeep.compact import Spare
    from autoqa.upkeep.facts import StudyFacts
    from autoqa.upkeep.status import StudyStatus


def facts_object(facts: "StudyFacts") -> dict[str, Any]:
    """What ``autoqa studies show --json`` prints beside the status."""
    from dataclasses import asdict

    return {
        "fingerprint": facts.fingerprint,
        "validation": facts.validation,
        "conditions": facts.conditions,
        "selections": [
            {"created": created.isoformat(timespec="seconds"), **selection}
            for created, selection in facts.selections
        ],
        "openings": [
            {**asdict(each), "opened": each.opened.isoformat(timespec="seconds")}
            for each in facts.openings
        ],
        "reads": dict(facts.reads),
        "externals": [
            {**asdict(each), "added": each.added.isoformat(timespec="seconds")}
            for each in facts.externals
        ],
    }


def facts_sentences(facts: "StudyFacts") -> list[str]:
    """With what the study was searched, and what was done with it since, a line each."""
    marks = (
        f"fingerprint {facts.fingerprint or 'none'}, validation set {facts.validation or 'none'}"
    )
    lines = [marks]
    if facts.conditions is None:
        lines.append("searched with: not known")
    else:
        versions = facts.conditions["environment"].items()
        lines.append(f"searched with: {', '.join(' '.join(each) for each in versions)}")
    lines.append(f"selections: {len(facts.selections) or 'none'}")
    for created, selection in facts.selections:
        members = " ".join(seat["id"] for seat in selection["members"])
        mean = selection["public"]["mean"]
        lines.append(f"  {moment(created)} {selection['chosen']}, public {mean:.3f}: {members}")
    lines.append(f"openings of the private part: {len(facts.openings) or 'none'}")
    lines += [f"  {moment(each.opened)} {each.purpose}: {each.reason}" for each in facts.openings]
    reads = ", ".join(f"{count} {kind}" for kind, count in facts.reads.items())
    lines.append(f"reads of the public part: {reads or 'none'}")
    if facts.externals:
        lines.append(f"scores from elsewhere: {len(facts.externals)}")
    return lines


def losses(status: "StudyStatus", facts: "StudyFacts") -> str:
    """What removing a study would lose, as a sentence."""
    trials = 0 if status.trials is None else status.trials.finished
    best = "" if status.highest is None else f", the highest {status.highest.score:.3f}"
    taken = 0 if status.disk is None else sum(status.disk.values())
    return (
        f"study {status.place.name} (finished trials: {trials}; candidates: {status.candidates}"
        f"{best}; selections: {len(facts.selections)}; openings of the private part: "
        f"{len(facts.openings)}; on disk: {size(taken)})"
    )


def spare_table(spares: "Sequence[Spare]") -> "Table":
    """What can go, or has gone, by kind."""
    shown = table("what", *numbers("count", "size"), edge=False)
    for kind in dict.fromkeys(each.kind for each in spares):
        sizes = [each.size for each in spares if each.kind == kind]
        shown.add_row(kind, str(len(sizes)), size(sum(sizes)))
    return shown


def spare_objects(spares: "Sequence[Spare]") -> list[dict[str, Any]]:
    """The same as JSON, one object each."""
    return [{"kind": each.kind, "path": str(each.path), "bytes": each.size} for each in spares]


def cache_table(entries: "Sequence[CacheEntry]") -> "Table":
    """What lies in the cache by kind."""
    shown = table("kind", *numbers("count", "size"), "last used", edge=False)
    for kind, found in _by_kind(entries).items():
        last = day(max(each.used for each in found)) if found else "–"
        shown.add_row(kind, str(len(found)), size(sum(each.size for each in found)), last)
    return shown


def cache_objects(entries: "Sequence[CacheEntry]") -> dict[str, Any]:
    """The same as JSON."""
    return {
        kind: {
            "count": len(found),
            "bytes": sum(each.size for each in found),
            "last_used": max((each.used for each in found), default=None),
        }
        for kind, found in _by_kind(entries).items()
    }


def _by_kind(entries: "Sequence[CacheEntry]") -> "dict[str, list[CacheEntry]]":
    from autoqa.upkeep.cache import KINDS

    return {kind: [each for each in entries if each.kind == kind] for kind in KINDS}
