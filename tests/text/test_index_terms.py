"""Terms meet across inflections, spellings and scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.text.index_terms import index_terms


def shared(one: str, other: str) -> set[str]:
    return set(index_terms(one)) & set(index_terms(other))


@pytest.mark.parametrize(
    "one, other",
    [
        ("Helsinki", "Helsingissä Helsinkiin"),
        ("founded", "The FOUNDERS"),
        ("東京都の人口", "人口は東京都に"),
        ("서울특별시는", "서울에"),
        ("ประเทศไทย", "คนไทย"),
        ("ﬁrst", "FIRST"),
        ("दिल्ली", "नई दिल्ली।"),
        ("１９４７", "1947"),
        ("東京tower", "Tower"),
    ],
)
def test_terms_meet(one: str, other: str) -> None:
    assert shared(one, other)


@pytest.mark.parametrize(
    "one, other", [("Rome", "Oslo"), ("東京", "大阪"), ("", "Rome"), ("!", "!")]
)
def test_terms_differ(one: str, other: str) -> None:
    assert not shared(one, other)


def test_terms_of_a_word() -> None:
    assert index_terms("founded") == ["founded\0", "found", "ounde", "unded"]
    assert index_terms("Who?") == ["who\0", "who"]
    assert index_terms("東京都") == ["東京都\0", "東京", "京都"]


@given(st.text(), st.text())
def test_terms_of_two_texts_are_those_of_each(one: str, other: str) -> None:
    both = index_terms(f"{one}\n{other}")
    assert sorted(both) == sorted(index_terms(one) + index_terms(other))
    assert all(term.strip() for term in both)
