"""A page is whole with candidates of another version, without a score, or made of others."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from autoqa.analysis.leaderboard import Leaderboard
from autoqa.report.study_charts import heat_map, learning_curves, ranked_rows, recipe_strips
from autoqa.report.study_page import study_page
from autoqa.store.candidate_record import CandidateRecord
from autoqa.upkeep.overview import Overview, study_overview
from autoqa.upkeep.study_place import find_study


def changed(overview: Overview, name: str, **values: Any) -> Overview:
    """The overview with one candidate changed."""
    board = overview.board
    assert board is not None

    def change(records: Any) -> list[CandidateRecord]:
        return [replace(each, **values) if each.id == name else each for each in records]

    new: Leaderboard = replace(board, ranked=change(board.ranked), compared=change(board.compared))
    return replace(overview, board=new)


def test_what_cannot_be_drawn_is_said_or_left_out(made: Path) -> None:
    usual = study_overview(find_study("made"))
    assert usual.board is not None
    name = usual.board.ranked[3].id
    strips = len(recipe_strips(usual, 99))

    later = changed(usual, name, recipe={"stages": [], "later": 1})
    assert ranked_rows(later)[3]["made_of"] == "a recipe of another version of autoqa"
    assert strips - 1 <= len(recipe_strips(later, 99)) <= strips
    assert "a recipe of another version" in study_page(later)

    unknown = changed(usual, name, scores={"jaccard": math.nan}, half_width=None)
    assert ranked_rows(unknown)[3]["strip"] == ""
    assert "nan" not in learning_curves(unknown)

    soup = changed(usual, name, ingredients=("t0001-100", "t0002-100"))
    assert ranked_rows(soup)[3]["made_of"] == "mean of t0001-100, t0002-100"


def test_recipes_are_shown_once_and_no_more_than_asked(made: Path) -> None:
    usual = study_overview(find_study("made"))
    rows = recipe_strips(usual, 5)
    assert len(rows) == 5
    recipes = [(row["record"].backbone, row["record"].recipe_hash) for row in rows]
    assert len(set(recipes)) == 5
    scores = [row["record"].score for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_shades_of_disagreement_go_with_its_size(made: Path) -> None:
    answers = study_overview(find_study("made")).answers
    assert answers is not None
    cells = [cell for _, row in heat_map(answers) for cell in row]
    assert len(cells) == len(answers.members) ** 2
    assert all(0 <= shade <= 9 for shade, _ in cells)
    ordered = sorted(cells, key=lambda cell: cell[1])
    assert [shade for shade, _ in ordered] == sorted(shade for shade, _ in cells)
    alone = replace(answers, members=answers.members[:1])
    assert heat_map(alone) == []
