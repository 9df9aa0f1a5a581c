"""Where translations say that an answer stands."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer, Example
from autoqa.labels.ambiguous_answers import USUAL, find_ambiguous
from autoqa.labels.translations import Translations
from autoqa.placing.occurrences import occurrences


def row(name: str, language: str, context: str, answer: str = "Oslo") -> Example:
    start = context.index(answer)
    return Example(name, "?", context, (Answer(answer, start),), language, name)


def twice(name: str, language: str) -> Example:
    """The answer begins the context and ends it."""
    return row(name, language, "Oslo is a town and has an opera. In the north lies Oslo")


def once(name: str, language: str, share: float) -> Example:
    """The answer stands at a share of the context."""
    before = round(96 * share)
    return row(name, language, "." * before + "Oslo" + "." * (96 - before))


def parallels(number: int) -> list[Example]:
    """Translations that agree about the place."""
    return [
        once(f"p{each}", language, each / number)
        for each in range(number)
        for language in ("hi", "en")
    ]


def said(asked: Example, others: list[Example]) -> list[float]:
    starts = occurrences(asked.context, "Oslo")
    return Translations([asked, *others], {}).evidence(asked, starts, 4).tolist()


@pytest.mark.parametrize(("share", "place"), [(0.1, 0), (0.9, 1)])
def test_a_translation_whose_answer_occurs_once_shows_the_place(share: float, place: int) -> None:
    found = said(twice("a", "en"), [once("a", "hi", share), *parallels(30)])
    assert found[place] == 0
    assert found[1 - place] < -5


def test_translations_that_agree_are_trusted_more_than_ids_that_meet_by_chance() -> None:
    chance = [
        once(f"c{each}", language, float(share))
        for language, seed in (("hi", 1), ("en", 2))
        for each, share in enumerate(np.random.default_rng(seed).random(200))
    ]
    assert Translations(parallels(200), {}).spread < 0.02
    assert Translations(chance, {}).spread == pytest.approx(1 / 3, abs=0.05)
    assert Translations([], {}).spread == pytest.approx(1 / 3)
    # A single pair is not yet trusted.
    assert Translations(parallels(1), {}).spread > 0.3


def test_one_whose_answer_occurs_several_times_counts_by_how_likely_each_place_is() -> None:
    asked, other = twice("a", "en"), twice("a", "hi")
    rows = [asked, other, *parallels(30)]
    starts = occurrences(asked.context, "Oslo")
    late = Translations(rows, {("a", "hi", "Oslo"): np.array([0.0, 2.0])})
    np.testing.assert_allclose(late.evidence(asked, starts, 4), [-2.0, 0.0], atol=1e-3)
    np.testing.assert_allclose(said(asked, rows[1:]), [0.0, 0.0], atol=1e-9)
    # One that is sure is asked alone.
    sure = Translations([*rows, once("a", "ta", 0.0)], {("a", "hi", "Oslo"): np.array([0.0, 9.0])})
    assert sure.evidence(asked, starts, 4)[0] == 0


def test_without_translations_nothing_is_said() -> None:
    asked = twice("a", "en")
    unanswered = replace(once("a", "hi", 0.9), answers=())
    for others in ([], [once("b", "hi", 0.9)], [once("a", "en", 0.9)], [unanswered]):
        assert said(asked, others) == [0.0, 0.0]


def test_rows_of_other_sources_and_other_names_of_translations() -> None:
    asked, other = replace(twice("a", "en"), id="a@en"), once("a", "hi", 0.9)
    alone = find_ambiguous([asked])[0]
    assert not alone.evidence[:, -1].any()
    (one,) = find_ambiguous([asked], [other, *parallels(30)])
    assert one.evidence[:, -1].argmax() == 1
    assert USUAL.place(one).start == one.starts[1]
    np.testing.assert_array_equal(one.evidence[:, :-1], alone.evidence[:, :-1])


def test_translations_say_nothing_about_further_answers() -> None:
    asked = twice("a", "en")
    asked = replace(asked, answers=(Answer("opera", asked.context.index("opera")), *asked.answers))
    (one,) = find_ambiguous([asked], [once("a", "hi", 0.9), *parallels(30)])
    assert (one.number, one.evidence[:, -1].tolist()) == (1, [0.0, 0.0])


@given(st.lists(st.floats(0, 1), max_size=4), st.integers(0, 30))
def test_the_likeliest_place_is_the_nearest_to_the_mean(shares: list[float], number: int) -> None:
    asked = twice("a", "en")
    others = [
        once("a", language, share)
        for language, share in zip(("hi", "ta", "te", "bn"), shares, strict=False)
    ]
    found = said(asked, [*others, *parallels(number)])
    assert max(found) == 0
    assert np.isfinite(found).all()
    mean = np.mean([(round(96 * share) + 2) / 100 for share in shares]) if shares else 0.5
    if abs(mean - 0.5) > 0.05:
        assert int(np.argmax(found)) == int(mean > 0.5)
