"""The picture of a running search: what fits of it into the terminal that there is."""

import math
from collections.abc import Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from autoqa.supervision.display import (
    BackboneStatus,
    Status,
    TrialOutcome,
    best_line,
    device_words,
    duration,
    progress_line,
    score,
)
from autoqa.training.messages import Progress

WorkerRows = dict[int, tuple[str, Progress] | None]
"""Worker to its backbone and what it does; ``None`` for one that is idle."""

_LEFT_ALIGNED = ("backbone", "phase", "device")

_SPARE = ("loss", "device", "memory", "win/s", "worker", "phase", "left", "backbone")
"""Columns that go where the terminal is narrow, the first one first."""

_SHORTEST_BAR = 10
"""Columns of a bar that still says something."""


def picture(rows: WorkerRows, status: Status, console: Console) -> Group:
    """What of the search fits into the terminal; what matters least goes first.

    Args:
        rows: What workers do.
        status: Where the search stands.
        console: Says how large the terminal is.
    """
    width, height = console.size
    below = _below(status) if status.total else []
    room = height - 1 - sum(len(text.wrap(console, width)) for text in below)
    parts: list[RenderableType] = []
    workers = sorted(rows.items())
    if workers:
        shown = workers if len(workers) < room else workers[: max(1, room - 2)]
        parts.append(_worker_table(shown, width))
        room -= 1 + len(shown)
        if len(shown) < len(workers):
            hidden = len(workers) - len(shown)
            parts.append(Text(f"and {hidden} more worker{'' if hidden == 1 else 's'}"))
            room -= 1
    backbones = status.backbones if len(status.backbones) <= room else ()
    recent = status.recent[: max(0, room - len(backbones) - 1)]
    if recent:
        parts += [Text("ended last:", "bold"), *_recent(recent, status)]
    if backbones:
        parts += _of_backbones(backbones)
    return Group(*parts, *_with_bar(below, status, width))


def _worker_table(rows: Sequence[tuple[int, tuple[str, Progress] | None]], width: int) -> Table:
    cells = [_cells(worker, row) for worker, row in rows]
    columns = list(cells[0])
    needed = {name: max(cell_len(name), *(cell_len(c[name]) for c in cells)) for name in columns}
    for name in _SPARE:
        if sum(needed[each] + 1 for each in columns) - 1 <= width:
            break
        columns.remove(name)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name in columns:
        side = "left" if name in _LEFT_ALIGNED else "right"
        table.add_column(name, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for each in cells:
        table.add_row(*(Text(each[name]) for name in columns))
    return table


def _cells(worker: int, row: tuple[str, Progress] | None) -> Mapping[str, str]:
    """What stands in each column of a worker's row."""
    backbone, progress = row or ("", Progress(-1, ""))
    stage = f" {progress.stage}/{progress.stages}" if progress.stages and progress.stage else ""
    device, memory = ("", "") if progress.device is None else device_words(progress.device)
    speed, left = progress.windows_per_second, progress.left
    return {
        "worker": str(worker),
        "trial": "" if progress.trial < 0 else str(progress.trial),
        "backbone": backbone,
        "phase": f"{progress.phase}{stage}",
        "step": f"{progress.step}/{progress.steps}" if progress.steps else "" if row else "idle",
        "loss": f"{progress.loss:.3f}" if math.isfinite(progress.loss) else "",
        "win/s": f"{speed:.0f}" if math.isfinite(speed) else "",
        "left": _short(left) if math.isfinite(left) else "",
        "device": device,
        "memory": memory,
    }


def _short(seconds: float) -> str:
    """A duration without the unit that hours make plain: ``2 h 30``."""
    words = duration(seconds)
    return words.removesuffix(" min") if " h " in words else words


def _recent(outcomes: Sequence[TrialOutcome], status: Status) -> list[Text]:
    """One line for each trial that ended: what it reached, or why it did not."""
    return _aligned(
        [(str(each.trial), each.backbone, _outcome(each, status)) for each in outcomes], right=True
    )


def _aligned(rows: Sequence[tuple[str, str, str]], *, right: bool = False) -> list[Text]:
    """Lines whose first two parts are columns; only the third is cut where a line is too long."""
    first, second = (max(cell_len(row[place]) for row in rows) for place in (0, 1))
    lines = []
    for one, two, rest in rows:
        begin = one.rjust(first) if right else set_cell_size(one, first)
        line = f"{begin} {set_cell_size(two, second)} {rest}".rstrip()
        lines.append(Text(line, no_wrap=True, overflow="ellipsis"))
    return lines


def _outcome(outcome: TrialOutcome, status: Status) -> str:
    last, best = outcome.last, status.highest
    if last is None or best is None:
        return outcome.note
    gain = "best" if last == best else f"{last.score - best.score:+.3f}"
    return ", ".join(filter(None, [f"{score(last).partition(' ')[2]} {gain}", outcome.note]))


def _of_backbones(backbones: Sequence[BackboneStatus]) -> list[Text]:
    """One line for each backbone."""
    return _aligned(
        [
            (
                each.name,
                f"{each.trials} trial{'' if each.trials == 1 else 's'}",
                "" if each.highest is None else f"{score(each.highest)} {each.highest.id}",
            )
            for each in backbones
        ]
    )


def _below(status: Status) -> list[Text]:
    """Counts and time left; the best so far."""
    counts = Text(progress_line(status))
    return [counts, Text(best_line(status))] if status.highest is not None else [counts]


def _with_bar(below: list[Text], status: Status, width: int) -> list[RenderableType]:
    """The same with a bar beside the counts, where both have room in one line."""
    if not below:
        return []
    bar_width = min(40, width // 3, width - 1 - cell_len(below[0].plain))
    if bar_width < _SHORTEST_BAR:
        return list(below)
    beside = Table.grid(padding=(0, 1, 0, 0))
    bar = ProgressBar(total=max(1, status.total), completed=status.done, width=bar_width)
    beside.add_row(bar, below[0])
    return [beside, *below[1:]]
