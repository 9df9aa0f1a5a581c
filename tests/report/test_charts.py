"""Pictures are whole, escaped, and hold their figures as texts."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.report.charts import (
    Axes,
    Bar,
    Mark,
    around,
    interval_strip,
    plane,
    stages_strip,
    ticks,
)

TEXT = "<script>\"&' मुंबई"


def test_what_is_written_in_a_picture_is_escaped_and_read_back() -> None:
    axes = Axes(TEXT, TEXT, (0, 1), (0, 1))
    pictures = [
        plane(TEXT, axes, [Mark(0.5, 0.5, TEXT, marked=True)], [(9, [(0, 0), (1, 1)])]),
        interval_strip(TEXT, (-1, 1), 0, (-2, 0.5), (-0.1, 0.1), "helps", zero=0.0),
        stages_strip(TEXT, [(TEXT, [Bar(TEXT, 0.5, 11)]), ("empty", [])]),
    ]
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root.get("role") == "img"
        assert root.get("aria-label") == TEXT
        assert "style=" not in picture, "a strict policy allows no style attribute"


def test_a_mark_stands_where_its_value_is() -> None:
    axes = Axes("x", "y", (0, 10), (0, 1))
    root = ElementTree.fromstring(plane("t", axes, [Mark(0, 0, "a"), Mark(10, 1, "b")]))
    low, high = root.findall("circle")
    assert (low.get("cx"), low.get("cy")) == (f"{axes.across(0):.1f}", f"{axes.up(0):.1f}")
    assert float(high.get("cx") or 0) > float(low.get("cx") or 0)
    assert float(high.get("cy") or 0) < float(low.get("cy") or 0), "up is up"


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.floats(1e-6, 1e6, allow_nan=False),
)
def test_ticks_are_a_few_round_values_between_the_ends(low: float, width: float) -> None:
    high = low + width
    found = ticks(low, high)
    assert len(found) <= 8
    assert found == sorted(found)
    assert all(low - 1e-6 <= value <= high + 1e-6 for value in found)


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5], [0.1, 0.9]])
def test_an_axis_has_room_around_its_values(values: list[float]) -> None:
    low, high = around(values)
    assert low < min(values) <= max(values) < high
