"""An ablation as a table and as sentences."""

from typing import TYPE_CHECKING, Any

from autoqa.report.charts import interval_strip
from autoqa.report.tables import folded, numbers, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from autoqa.ablation.plan import AblationPlan
    from autoqa.ablation.result import Ablation, ArmResult


def arms_table(ablation: "Ablation") -> "Table":
    """One row for each thing: its effect, whether it was left out or added, and its price."""
    from rich.markup import escape

    rows = table(
        "thing",
        "arm",
        *numbers("effect", "95 %", "seeds", "time"),
        *folded("verdict"),
        spare=("thing", "time", "seeds"),
    )
    for arm in ablation.arms:
        rows.add_row(
            arm.subject,
            arm.name,
            "–" if arm.effect is None else f"{arm.effect:+.3f}",
            _interval(arm),
            str(arm.seeds),
            "–" if arm.cost is None else f"×{arm.cost:.2f}",
            escape(f"{arm.verdict}: {arm.failure}") if arm.failure else arm.verdict,
        )
    return rows


def _interval(arm: "ArmResult") -> str:
    return "–" if arm.low is None else f"{arm.low:+.3f} to {arm.high:+.3f}"


_COLOURS = {"helps": "helps", "hurts": "harms"}
"""Verdicts to classes of the page's style sheet; all others are soft."""


def page_rows(ablation: "Ablation") -> "list[dict[str, Any]]":
    """A row for each arm, with its interval as a picture where it has one."""
    known = [(arm.low, arm.high) for arm in ablation.arms if arm.low is not None]
    farthest = max((abs(end or 0.0) for ends in known for end in ends), default=1.0) or 1.0
    rows = []
    for arm in ablation.arms:
        kind, strip = _COLOURS.get(arm.verdict, "unclear"), ""
        if arm.effect is not None and arm.low is not None and arm.high is not None:
            title = f"{arm.effect:+.3f}, 95 % {_interval(arm)}"
            ends, wide = (-farthest, farthest), (arm.low, arm.high)
            strip = interval_strip(title, ends, arm.effect, wide, kind=kind, zero=0.0)
        rows.append({"arm": arm, "strip": strip, "kind": kind, "interval": _interval(arm)})
    return rows


def sentences(ablation: "Ablation") -> "Iterator[str]":
    """What was compared with what, how sure the verdicts are, and why it ended."""
    score = "" if ablation.score is None else f", mean {ablation.metric} {ablation.score:.3f}"
    seeds = "1 seed" if ablation.base_seeds == 1 else f"{ablation.base_seeds} seeds"
    yield (
        f"Base: {ablation.base} ({ablation.backbone}), {ablation.recipe}; {seeds}{score}, on "
        f"{ablation.questions} public questions about {ablation.documents} documents."
    )
    yield (
        "An effect is the gain of having the thing, whether it was left out of the base or added "
        "to it; time is what training takes with it, as a multiple of without it."
    )
    yield (
        "Each interval holds with 95 %, however often one looks; of twenty things that do nothing, "
        "one may seem to do something."
    )
    yield from (f"{note}." for note in ablation.notes)
    if ablation.ended:
        yield f"No more runs: {ablation.ended}."


def plan_lines(plan: "AblationPlan") -> "Iterator[str]":
    """What ``--dry-run`` prints."""
    yield f"study {plan.study}, base {plan.base}: {plan.recipe}"
    for name, recipe in plan.arms.items():
        yield f"{name}: {recipe}"
    yield from (f"note: {note}" for note in plan.notes)
    yield f"{plan.kept} runs are kept; {plan.workers}"
    for seeds, runs in plan.runs.items():
        time = "time unknown"
        if plan.minutes is not None:
            time = f"about {plan.minutes[seeds]:.1f} minutes"
        yield f"until the look after {seeds} seeds: {runs} runs more, {time}"
    yield "Arms that are clear at a look are not trained further."
