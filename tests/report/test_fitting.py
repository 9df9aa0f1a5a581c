"""Tables in narrow terminals: columns go, cells are never cut."""

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from autoqa.report.tables import folded, numbers, table


def printed(width: int, *, spare: tuple[str, ...] = ("recipe", "speed", "why")) -> str:
    shown = table("candidate", *numbers("jaccard", "speed"), "recipe", *folded("why"), spare=spare)
    shown.add_row("t0000-100", "0.333", "275", "246d847d7700", "it is the best of all by far")
    shown.add_row("t0001-050", "0.292", "1462", "b648c8616869", "–")
    file = io.StringIO()
    Console(file=file, width=width, highlight=False).print(shown)
    return file.getvalue()


def test_a_wide_terminal_shows_all() -> None:
    text = printed(120)
    assert "it is the best of all by far" in text
    assert "Left out" not in text


def test_long_texts_are_folded_before_a_column_goes() -> None:
    text = printed(66)
    assert "246d847d7700" in text
    assert "by far" in text
    assert "it is the best of all by far" not in text


def test_the_least_important_columns_go_first_and_are_named() -> None:
    text = printed(50)
    assert "246d847d7700" not in text
    assert "1462" in text
    assert "Left out for want of width: recipe." in text
    text = printed(45)
    assert "Left out for want of width: speed, recipe." in " ".join(text.split())


@given(st.integers(min_value=24, max_value=130))
def test_no_id_and_no_score_is_cut(width: int) -> None:
    text = printed(width)
    lines = text.splitlines()
    assert all(len(line) <= width for line in lines)
    for cell in ("t0000-100", "t0001-050", "0.333", "0.292"):
        assert cell in text
    assert "…" not in text


@given(st.integers(min_value=20, max_value=23))
def test_where_nothing_can_go_cells_are_folded(width: int) -> None:
    text = printed(width, spare=())
    assert "…" not in text
    assert all(digit in text for digit in "t0123")
