"""A study's status, and that of all studies, as tables, sentences and JSON."""

from typing import TYPE_CHECKING, Any

from autoqa.report.amounts import moment, size
from autoqa.report.tables import folded, numbers, table, unwrapped
from autoqa.types import DEFAULT_METRIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from autoqa.store.searchers import Searcher
    from autoqa.upkeep.status import StudyStatus


def as_object(status: "StudyStatus") -> dict[str, Any]:
    """What ``autoqa status STUDY --json`` prints."""
    from dataclasses import asdict

    from autoqa.store.database_url import database_url, shown

    folder, storage = status.place.folder, status.place.storage
    highest = status.highest
    return {
        "study": status.place.name,
        "folder": None if folder is None else str(folder.path),
        "storage": None if storage is None else shown(database_url(storage)),
        "running": bool(status.alive),
        "wanted": status.wanted,
        "trials": None if status.trials is None else asdict(status.trials),
        "candidates": status.candidates,
        "highest": None
        if highest is None
        else {
            "id": highest.id,
            "backbone": highest.backbone,
            highest.metric: highest.score,
            f"{highest.metric}_half_width": highest.half_width,
        },
        "limit": None if status.limit is None else asdict(status.limit),
        "processes": [_process(each) for each in status.searchers],
        "disk": None
        if status.disk is None
        else {**status.disk, "total": sum(status.disk.values())},
        "problem": None if status.problem is None else str(status.problem),
    }


def _process(searcher: "Searcher") -> dict[str, Any]:
    return {
        "purpose": searcher.purpose,
        "leads": searcher.leads,
        "alive": searcher.is_alive(),
        "machine": searcher.process.host,
        "pid": searcher.process.pid,
        "begun": searcher.begun.isoformat(timespec="seconds"),
        "silent_seconds": round(searcher.silent, 1),
        "workers": [dict(worker) for worker in searcher.workers],
    }


def overview_table(statuses: "Iterable[StudyStatus]") -> "Table":
    """One row per study."""
    from rich.text import Text

    listed = list(statuses)
    metrics = {each.highest.metric for each in listed if each.highest is not None}
    score = "score" if len(metrics) > 1 else "".join(metrics) or DEFAULT_METRIC
    shown = table(
        *unwrapped("study"),
        *folded("at work"),
        *unwrapped("trials", score, "disk", right=True),
        edge=False,
    )
    for status in listed:
        trials = status.trials
        wanted = "?" if status.wanted is None else status.wanted
        shown.add_row(
            Text(status.place.name, "bold"),
            Text(_at_work(status)),
            "?" if trials is None else f"{trials.finished} of {wanted}",
            _score(status, named=len(metrics) > 1),
            "–" if status.disk is None else size(sum(status.disk.values())),
        )
    return shown


def _score(status: "StudyStatus", *, named: bool) -> str:
    if status.highest is None:
        return "–"
    lead = f"{status.highest.metric} " if named else ""
    return f"{lead}{status.highest.score:.3f}"


def _at_work(status: "StudyStatus") -> str:
    if status.trials is None:
        return "not known"
    alive = status.alive
    if not alive:
        return "–"
    others = f" and {len(alive) - 1} more" if len(alive) > 1 else ""
    return f"{alive[0].purpose} by {alive[0].process}{others}"


def sentences(status: "StudyStatus") -> list[str]:
    """Counts, candidates, time and disk, one line each."""
    from autoqa.supervision.display import duration, score

    lines = [f"study {status.place.name}: {'at work' if status.alive else 'nobody works on it'}"]
    if status.trials is None:
        lines = [f"study {status.place.name}: from what is on disk"]
    else:
        lines.append(f"trials: {_trials(status)}")
    highest = status.highest
    best = (
        ""
        if highest is None
        else f", the highest {highest.id} ({highest.backbone}): {score(highest)}"
    )
    lines.append(f"candidates: {status.candidates}{best}")
    limit = status.limit
    if limit is not None:
        left = limit.seconds_left
        rest = f"{duration(left)} left" if left > 0 else f"over for {duration(-left)}"
        lines.append(f"time limit: {limit.minutes:g} min, {rest}")
    if status.disk is None:
        lines.append("disk: its run folder is not on this machine")
    else:
        parts = ", ".join(f"{part} {size(taken)}" for part, taken in status.disk.items())
        lines.append(f"disk: {size(sum(status.disk.values()))} ({parts})")
    return lines


def _trials(status: "StudyStatus") -> str:
    trials = status.trials
    assert trials is not None
    counts = [
        f"{trials.finished} of {status.wanted} finished",
        f"{trials.running} running",
        *([f"{trials.interrupted} interrupted"] if trials.interrupted else []),
        f"{trials.waiting} waiting",
        f"{trials.failed} failed",
        f"{trials.repeated} repeated another",
    ]
    if trials.elsewhere:
        counts.append(f"{trials.elsewhere} trained elsewhere")
    return ", ".join(counts)


def process_table(searchers: "Sequence[Searcher]") -> "Table":
    """Who works on a study, or did until they fell silent."""
    from rich.text import Text

    from autoqa.supervision.display import duration

    shown = table(
        *folded("process"), *unwrapped("purpose", "since (UTC)"), *folded("last heard of")
    )
    for each in searchers:
        heard = f"{duration(each.silent)} ago"
        if not each.is_alive():
            heard += "; its process has ended" if each.process.is_gone() else "; its lease is over"
        shown.add_row(
            Text(f"{each.process.pid} on {each.process.host}", "bold" if each.leads else ""),
            Text(each.purpose),
            moment(each.begun),
            heard,
        )
    return shown


def worker_table(searchers: "Sequence[Searcher]") -> "Table | None":
    """What each worker of a living process does; ``None`` where there is none."""
    from rich.text import Text

    from autoqa.supervision.display import duration

    rows = [
        (f"{each.process.pid} on {each.process.host}", worker)
        for each in searchers
        if each.is_alive()
        for worker in each.workers
    ]
    if not rows:
        return None
    shown = table(
        *folded("process"),
        *numbers("worker", "trial"),
        *folded("backbone", "phase"),
        *numbers("step", "win/s", "left", "memory"),
        spare=("memory", "win/s", "worker", "left"),
    )
    for process, worker in rows:
        steps = worker.get("steps", 0)
        speed, left = worker.get("windows_per_second"), worker.get("left")
        device = worker.get("device")
        shown.add_row(
            Text(process),
            str(worker.get("worker", "")),
            str(worker.get("trial", "")),
            Text(str(worker.get("backbone", ""))),
            Text(_phase(worker)),
            f"{worker.get('step', 0)} of {steps}" if steps else "–",
            "–" if speed is None else f"{speed:.0f}",
            "–" if left is None else duration(left),
            "–" if device is None else size(device["memory"]),
        )
    return shown


def _phase(worker: Any) -> str:
    stages = worker.get("stages", 0)
    stage = f", stage {worker.get('stage', 0)} of {stages}" if stages > 1 else ""
    return f"{worker.get('phase', '')}{stage}"
