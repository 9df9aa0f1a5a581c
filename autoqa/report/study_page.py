"""A study as one HTML page that needs nothing beside it, and no network."""

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from autoqa import __version__
from autoqa.report import study_charts
from autoqa.report.ablation import page_rows, sentences
from autoqa.report.amounts import moment, size
from autoqa.report.page import render_page
from autoqa.report.question_data import packed_questions
from autoqa.report.study_summary import MAIN_EFFECTS, outlook, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autoqa.ablation.result import Ablation
    from autoqa.data.audit import StudyAudit
    from autoqa.upkeep.overview import Overview

RANKED = 50
"""Candidates that the page shows at once; the others are behind a click."""

RECIPES = 30
"""Recipes in the gallery, the best first."""


def study_page(
    overview: "Overview",
    audit: "StudyAudit | None" = None,
    ablations: "Sequence[Ablation]" = (),
) -> str:
    """The page's HTML.

    Styles and script are inside; a content policy with their digests lets nothing else run or load.

    Args:
        overview: The study.
        audit: Of its sources, where they were looked at.
        ablations: What was found by leaving out and adding.
    """
    from autoqa.analysis.answer_traces import ERROR_KINDS, kinds_of
    from autoqa.report.audit import audit_sentences

    style, script = _asset("study.css"), _asset("study.js")
    answers = overview.answers
    return render_page(
        "study.html",
        name=overview.status.place.name,
        version=__version__,
        style=style,
        script=script,
        style_digest=_digest(style),
        script_digest=_digest(script),
        overview=overview,
        board=overview.board,
        summary=summary(overview),
        ranked=study_charts.ranked_rows(overview),
        shown_rows=RANKED,
        colours=study_charts.colours(overview),
        history=study_charts.history(overview),
        curves=study_charts.learning_curves(overview),
        effects=study_charts.effect_rows(overview),
        outlook=outlook,
        main_effects=MAIN_EFFECTS,
        ablations=[(each, page_rows(each), list(sentences(each))) for each in ablations],
        recipes=study_charts.recipe_strips(overview, RECIPES),
        heat=None if answers is None else study_charts.heat_map(answers),
        shake_up=study_charts.shake_up(overview),
        kinds={} if answers is None else kinds_of(answers),
        kind_meanings=ERROR_KINDS,
        questions="" if answers is None else packed_questions(answers),
        audit=audit,
        audit_lines=[] if audit is None else audit_sentences(audit),
        languages=_languages(overview),
        cost=_cost(overview),
        disk={part: size(taken) for part, taken in (overview.status.disk or {}).items()},
        moment=moment,
    )


def _asset(name: str) -> str:
    """The text of a file in ``templates/``, as it goes into the page."""
    return (files("autoqa.report") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _languages(overview: "Overview") -> "Mapping[str, tuple[int, int]]":
    """Public questions and documents by language, the most frequent first."""
    board = overview.board
    if board is None:
        return {}
    found: dict[str, list[str]] = {}
    for example in board.examples:
        found.setdefault(example.language, []).append(example.document)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    return {name: (len(each), len(set(each))) for name, each in ordered}


def _cost(overview: "Overview") -> list[dict[str, Any]]:
    """Trials, failures and device hours by backbone."""
    rows: dict[str, dict[str, Any]] = {}
    for each in overview.costs:
        name = each.backbone or "not known"
        row = rows.setdefault(
            name, {"backbone": name, "trials": 0, "failed": 0, "hours": 0.0, "failures": []}
        )
        row["trials"] += 1
        row["hours"] += each.hours
        if each.failure:
            row["failed"] += 1
            row["failures"].append(f"trial {each.number}: {each.failure}")
    return sorted(rows.values(), key=lambda row: -row["hours"])
