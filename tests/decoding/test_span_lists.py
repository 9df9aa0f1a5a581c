import numpy as np
import pytest

from autoqa.decoding.span_lists import SpanLists
from autoqa.types import Span


def test_lists_are_made_one_by_one_or_all_at_once():
    lists = SpanLists(
        ["one two", "", "three"],
        np.array([0, 2, 2, 3]),
        np.array([0, 4, 1]),
        np.array([3, 7, 5]),
        np.array([0.5, 0.25, 1.0]),
    )
    expected = [[Span(0, 3, 0.5, "one"), Span(4, 7, 0.25, "two")], [], [Span(1, 5, 1.0, "hree")]]
    assert len(lists) == 3
    assert list(lists) == expected
    assert [lists[row] for row in range(3)] == expected
    assert lists[-1] == expected[-1]
    with pytest.raises(IndexError):
        lists[3]
