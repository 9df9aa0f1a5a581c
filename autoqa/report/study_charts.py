"""The pictures of a study's page, and the rows of tables that hold small ones."""

import math
from typing import TYPE_CHECKING, Any

from autoqa.errors import DataError
from autoqa.recipes.card import begins, line
from autoqa.report.charts import (
    Axes,
    Bar,
    Mark,
    around,
    interval_strip,
    plane,
    stages_strip,
)

if TYPE_CHECKING:
    from autoqa.analysis.answer_traces import AnswerTraces
    from autoqa.recipes import Portion, TrainingRun
    from autoqa.store.candidate_record import CandidateRecord
    from autoqa.upkeep.overview import Overview


def colours(overview: "Overview") -> dict[str, int]:
    """Number of each backbone's colour, by name."""
    board = overview.board
    names = sorted({record.backbone for record in board.ranked}) if board else []
    return {name: number for number, name in enumerate(names)}


def ranked_rows(overview: "Overview") -> "list[dict[str, Any]]":
    """A row for each candidate, the best first, with its interval as a picture."""
    board = overview.board
    if board is None or not board.ranked:
        return []
    halves = [record.half_width or 0.0 for record in board.ranked]
    known = [
        end
        for record, half in zip(board.ranked, halves, strict=True)
        for end in (record.score - half, record.score + half)
        if math.isfinite(end)
    ]
    ends = around(known or [0.0, 1.0])
    best = board.best
    chosen = {seat.id for seat in overview.selection.members} if overview.selection else set()
    return [
        {
            "record": record,
            "rank": rank,
            "best": best is not None and record.id == best.id,
            "chosen": record.id in chosen,
            "gain": best.rivals.get(record.id) if best else None,
            "strip": interval_strip(
                f"{record.score:.3f} plus or minus {half:.3f}",
                ends,
                record.score,
                (record.score - half, record.score + half),
                kind="plain",
            )
            if math.isfinite(record.score)
            else "",
            "made_of": _origin(record),
        }
        for rank, (record, half) in enumerate(zip(board.ranked, halves, strict=True), start=1)
    ]


def _origin(record: "CandidateRecord") -> str:
    if record.ingredients:
        return f"mean of {', '.join(record.ingredients)}"
    if record.teachers:
        return f"taught by {', '.join(sorted(set(record.teachers)))}"
    run = _run_of(record)
    if run is None:
        return _UNKNOWN
    begun = f"; {begins(run.begins_with)}" if run.begins_with else ""
    return f"{line(run.recipe, run.learning_rate)}{begun}"


_UNKNOWN = "a recipe of another version of autoqa"


def _run_of(record: "CandidateRecord") -> "TrainingRun | None":
    """``None`` where this version does not know what the recipe says."""
    try:
        return record.training_run
    except DataError:
        return None


def history(overview: "Overview") -> str:
    """Every compared candidate in the order of trials, with the ladder's best as a line."""
    board = overview.board
    if board is None or not board.compared:
        return ""
    means = board.scores.mean(axis=1).tolist()
    palette = colours(overview)
    points = [
        Mark(
            number,
            mean,
            f"{record.id} ({record.backbone}): {mean:.3f}"
            + (", new best" if rung.moved else f", best then {board.compared[rung.best].id}"),
            palette[record.backbone],
            rung.moved,
        )
        for number, (record, mean, rung) in enumerate(
            zip(board.compared, means, overview.rungs, strict=True), start=1
        )
    ]
    steps: list[tuple[float, float]] = []
    for number, rung in enumerate(overview.rungs, start=1):
        if steps:
            steps.append((number, steps[-1][1]))
        steps.append((number, means[rung.best]))
    axes = Axes(
        "candidates, in the order of trials",
        board.metric,
        around([1, len(points)], 0.02),
        around(means),
    )
    last = board.compared[overview.rungs[-1].best].id
    title = f"{board.metric} of {len(points)} candidates; the ladder ends at {last}"
    return plane(title, axes, points, steps=steps)


def learning_curves(overview: "Overview") -> str:
    """Runs with several points: score over the point of the run."""
    board = overview.board
    runs: dict[int, list[CandidateRecord]] = {}
    for record in board.ranked if board else ():
        if not record.derived and math.isfinite(record.score):
            runs.setdefault(record.trial, []).append(record)
    several = {trial: sorted(each, key=_place) for trial, each in runs.items() if len(each) > 1}
    if board is None or not several:
        return ""
    palette = colours(overview)
    best = board.best.id if board.best else ""
    points = [
        Mark(
            100 * record.fraction,
            record.score,
            f"{record.id} ({record.backbone}): {record.score:.3f}",
            palette[record.backbone],
            record.id == best,
        )
        for each in several.values()
        for record in each
    ]
    lines = [
        (palette[each[0].backbone], [(100 * record.fraction, record.score) for record in each])
        for each in several.values()
    ]
    heights = [point.y for point in points]
    axes = Axes("per cent of the run", board.metric, (0, 104), around(heights))
    return plane(f"learning curves of {len(several)} runs", axes, points, lines)


def _place(record: "CandidateRecord") -> float:
    return record.fraction


def effect_rows(overview: "Overview") -> "list[dict[str, Any]]":
    """A row for each effect, the largest first, with its intervals as a picture."""
    effects = overview.effects
    if effects is None or not effects.found:
        return []
    # Intervals of what is hardly known would leave no room for the others.
    farthest = 1.6 * max(abs(each.estimate.effect) for each in effects.found)
    known = [each.estimate for each in effects.found if each.estimate.clear]
    farthest = max([farthest, *(max(abs(e.wide_low), abs(e.wide_high)) for e in known)])
    return [
        {
            "effect": each,
            "estimate": each.estimate,
            "strip": interval_strip(
                f"{each.estimate.effect:+.3f}, 95 % {each.estimate.low:+.3f} to "
                f"{each.estimate.high:+.3f}",
                (-farthest, farthest),
                each.estimate.effect,
                (each.estimate.wide_low, each.estimate.wide_high),
                (each.estimate.low, each.estimate.high),
                each.verdict,
                0.0,
            ),
        }
        for each in effects.found
    ]


def recipe_strips(overview: "Overview", most: int) -> "list[dict[str, Any]]":
    """The best recipes, each once, with the score of its best candidate."""
    board = overview.board
    if board is None:
        return []
    found: dict[str, CandidateRecord] = {}
    for record in board.ranked:
        if not record.derived:
            found.setdefault(f"{record.backbone} {record.recipe_hash}", record)
    runs = [(record, run) for record in found.values() if (run := _run_of(record)) is not None]
    palette: dict[str, int] = {}
    for _, run in runs:
        for stage in run.recipe.stages:
            for portion in stage.portions:
                palette.setdefault(portion.source, len(palette))
    return [{"record": record, "strip": _strip(run, palette)} for record, run in runs[:most]]


def _strip(run: "TrainingRun", palette: "dict[str, int]") -> str:
    stages = []
    for number, stage in enumerate(run.recipe.stages, start=1):
        uses = "".join(f", {use.type}" for use in stage.augmentations)
        bars = [
            Bar(_portion(portion), portion.share, palette[portion.source])
            for portion in stage.portions
        ]
        stages.append((f"{number}: windows of {stage.length}{uses}", bars))
    return stages_strip(line(run.recipe, run.learning_rate), stages)


def _portion(portion: "Portion") -> str:
    languages = "" if portion.languages is None else f" {','.join(portion.languages)}"
    return f"{portion.source}{languages} {portion.share:.0%}"


def heat_map(answers: "AnswerTraces") -> "list[tuple[str, list[tuple[int, float]]]]":
    """How much two members disagree: a row for each, with a shade from 0 to 9 for each share."""
    if len(answers.members) < 2:
        return []
    most = max(max(row) for row in answers.disagreement) or 1.0
    return [
        (name, [(min(9, int(10 * share / most)), share) for share in row])
        for name, row in zip(answers.members, answers.disagreement, strict=True)
    ]


def shake_up(overview: "Overview") -> "dict[str, Any] | None":
    """Public against private scores of candidates that an opening has shown."""
    board, revealed = overview.board, overview.revealed
    if board is None or revealed is None:
        return None
    means = dict(
        zip([r.id for r in board.compared], board.scores.mean(axis=1).tolist(), strict=True)
    )
    rows = sorted(
        ((name, means[name], own) for name, own in revealed.candidates.items()),
        key=lambda row: -row[2].mean,
    )
    if len(rows) < 2:
        return {"rows": rows, "plot": ""}
    palette, names = colours(overview), {r.id: r.backbone for r in board.compared}
    points = [
        Mark(
            public,
            own.mean,
            f"{name}: public {public:.3f}, private {own.mean:.3f}",
            palette[names[name]],
            board.best is not None and name == board.best.id,
        )
        for name, public, own in rows
    ]
    axes = Axes(
        f"public {board.metric}",
        f"private {board.metric}",
        around([point.x for point in points]),
        around([point.y for point in points]),
    )
    title = f"public and private {board.metric} of {len(rows)} candidates"
    return {"rows": rows, "plot": plane(title, axes, points, diagonal=True)}
