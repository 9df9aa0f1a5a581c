"""All tables look alike, and pages refuse what their template does not get."""

import io

import pytest
from rich.console import Console

from autoqa.report.page import render_page
from autoqa.report.tables import folded, numbers, table, unwrapped


def text(rows: object, width: int = 60) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(rows)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_numbers_are_aligned_to_the_right_in_any_order_of_columns() -> None:
    rows = table("name", *numbers("count"), "what", *numbers("score"), title="Title")
    rows.add_row("a", "1", "x", ".5")
    rows.add_row("bcdef", "100", "y", ".25")
    lines = text(rows)
    assert lines[0] == "Title"
    assert " a           1   x         .5" in lines
    assert " bcdef     100   y        .25" in lines


def test_long_texts_fold_and_ids_do_not() -> None:
    rows = table(*unwrapped("id"), *folded("why"), edge=False)
    rows.add_row("t0001-100", "one two three four five six")
    lines = text(rows, width=24)
    assert sum("t0001-100" in line for line in lines) == 1
    assert "six" in " ".join(lines)


def test_a_page_with_a_missing_value_is_an_error() -> None:
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError):
        render_page("audit.html")
