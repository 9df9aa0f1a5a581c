"""A study in a few sentences that anybody can read, and the figures of all that it has to show."""

from collections.abc import Sequence
from statistics import mean
from typing import TYPE_CHECKING, Any

from autoqa.report.amounts import count, size

if TYPE_CHECKING:
    from autoqa.analysis.effects import Effect, Effects
    from autoqa.upkeep.overview import Overview

MAIN_EFFECTS = (
    "These are main effects: each is the mean over what the other conditions were, and whether one "
    "helps more where another one holds is not looked at."
)
"""What stands beside effects, wherever they are shown."""

_NAMED = 5
"""Effects of a kind that a sentence names."""


def summary(overview: "Overview") -> list[str]:
    """What was found, what it is worth, what helped, and what it cost."""
    return [
        *_outcome(overview),
        *(effect_sentences(overview.effects) if overview.effects else []),
        cost_sentence(overview),
    ]


def _outcome(overview: "Overview") -> list[str]:
    board, lines = overview.board, []
    if board is None or not board.ranked:
        return ["Nothing has been scored yet."] if not overview.status.candidates else []
    if board.best is None:
        top = board.ranked[0]
        return [
            f"{count(len(board.ranked), 'candidate')} {'is' if len(board.ranked) == 1 else 'are'} "
            f"known, the highest {top.id} with {top.score:.3f} {board.metric}. Without their "
            "predictions nothing can be compared, and the highest of many is too high."
        ]
    stated = board.best.statement
    lucky = stated.public - stated.score >= 0.0005
    verdict = "is too high, as the best of many is" if lucky else "can be taken as it stands"
    were = "was" if len(board.ranked) == 1 else "were"
    lines.append(
        f"{count(len(board.ranked), 'candidate')} of {count(_trials(overview), 'finished trial')}"
        f" {were} scored on {count(len(board.examples), 'question')} about "
        f"{count(len(set(board.documents)), 'document')} that no model was trained on."
    )
    lines.append(
        f"The best single model is {board.best.id}. It is worth about {stated.score:.3f} "
        f"{board.metric} (95 %: {stated.low:.3f} to {stated.high:.3f}); the {stated.public:.3f} "
        f"that was measured {verdict}."
    )
    if overview.selection is not None:
        public = overview.selection.public
        lines.append(
            f"The chosen ensemble has {count(len(overview.selection.members), 'model')} and "
            f"reaches {public.mean:.3f} on the same questions (95 %: {public.low:.3f} to "
            f"{public.high:.3f})."
        )
        answers = overview.answers
        joint = None if answers is None else mean(each.score for each in answers.traces)
        if joint is not None and abs(joint - public.mean) >= 0.0005:
            lines.append(
                "With what was fitted to its answers since, such as rules for their ends, it "
                f"reaches {joint:.3f} there, as the answers below show."
            )
    private = overview.revealed.ensemble if overview.revealed else None
    if private is not None:
        lines.append(
            f"On the sealed questions it reached {private.mean:.3f} (95 %: {private.low:.3f} to "
            f"{private.high:.3f}): the figure to believe."
        )
    elif not overview.openings:
        lines.append("The sealed questions have not been opened: an export opens them once.")
    return lines


def _trials(overview: "Overview") -> int:
    trials = overview.status.trials
    return trials.finished if trials is not None and trials.finished else _runs(overview)


def _runs(overview: "Overview") -> int:
    assert overview.board is not None
    return len({record.trial for record in overview.board.ranked if not record.derived})


def effect_sentences(effects: "Effects") -> list[str]:
    """What clearly helped or harmed, and how much of the rest can be known."""
    if effects.too_few is not None:
        return [effects.too_few]
    helped = [each for each in effects.found if each.verdict == "helps"]
    harmed = [each for each in effects.found if each.verdict == "harms"]
    lines = []
    if helped:
        lines.append(f"Clearly helped: {_list(helped)}.")
    if harmed:
        lines.append(f"Clearly harmed: {_list(harmed)}.")
    unclear = len(effects.found) - len(helped) - len(harmed)
    if unclear:
        lines.append(
            f"Unclear after {effects.runs} runs: {unclear} of {len(effects.found)} conditions. "
            "Unclear is not without effect."
        )
    return lines


def _list(effects: Sequence["Effect"]) -> str:
    named = [f"{each.name} ({each.estimate.effect:+.3f})" for each in effects[:_NAMED]]
    more = len(effects) - _NAMED
    return ", ".join(named) + (f", and {more} more" if more > 0 else "")


def outlook(effect: "Effect") -> str:
    """What it would take to know more of an effect."""
    estimate = effect.estimate
    if estimate.clear:
        return ""
    if estimate.more_documents:
        return "more validation documents, whatever the number of trials"
    if estimate.more_trials:
        # More digits than two would be a lie.
        more = f"{float(f'{estimate.more_trials:.2g}'):,.0f}"
        return f"about {more} more trials, if it is as large as it seems"
    return "nothing yet speaks for an effect"


def cost_sentence(overview: "Overview") -> str:
    """Hours, trials, failures, disk."""
    hours = sum(each.hours for each in overview.costs)
    failed = sum(each.failure is not None for each in overview.costs)
    failures = f", {failed} of which failed" if failed else ""
    disk = overview.status.disk
    taken = f" Its files take {size(sum(disk.values()))}." if disk else ""
    if not overview.costs:
        return f"What it cost is not known.{taken}"
    return (
        f"It took {hours:.2f} device hours for {count(len(overview.costs), 'trial')}"
        f"{failures}.{taken}"
    )


def study_figures(overview: "Overview") -> dict[str, Any]:
    """What ``autoqa report --json`` prints: all figures of the page, but for single answers."""
    from dataclasses import asdict

    from autoqa.analysis.answer_traces import kinds_of
    from autoqa.report.leaderboard import as_objects
    from autoqa.report.status import as_object

    board, answers, revealed = overview.board, overview.answers, overview.revealed
    return {
        "study": overview.status.place.name,
        "validation": overview.fingerprint,
        "summary": summary(overview),
        "missing": list(overview.missing),
        "status": as_object(overview.status),
        "leaderboard": None if board is None else as_objects(board, ()),
        "ladder": [
            {"id": record.id, **asdict(rung)}
            for record, rung in zip(board.compared if board else (), overview.rungs, strict=True)
        ],
        "effects": None if overview.effects is None else effect_figures(overview.effects),
        "selection": None if overview.selection is None else overview.selection.as_dict(),
        "disagreement": None
        if answers is None
        else {"members": answers.members, "share": answers.disagreement},
        "errors": None if answers is None else kinds_of(answers),
        "private_openings": [
            {**asdict(each), "opened": each.opened.isoformat(timespec="seconds")}
            for each in overview.openings
        ],
        "private": None
        if revealed is None
        else {
            "ensemble": None if revealed.ensemble is None else asdict(revealed.ensemble),
            "candidates": {name: asdict(each) for name, each in revealed.candidates.items()},
        },
        "cost": {
            "device_hours": sum(each.hours for each in overview.costs),
            "trials": [asdict(each) for each in overview.costs],
        },
    }


def effect_figures(effects: "Effects") -> dict[str, Any]:
    """Effects as JSON values."""
    from dataclasses import asdict

    return {
        **{key: value for key, value in asdict(effects).items() if key != "found"},
        "found": [
            {
                "name": each.name,
                "kind": each.kind,
                "runs": each.runs,
                "with_it": each.with_it,
                "verdict": each.verdict,
                "entangled": each.entangled,
                **asdict(each.estimate),
            }
            for each in effects.found
        ],
    }
