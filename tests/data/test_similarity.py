"""Rows that look like the target's."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer, DataError
from autoqa.data import draw, prepare_data, study_data
from autoqa.data.portions import turns
from autoqa.data.similarity import Likeness, likeness
from autoqa.recipes import Portion
from autoqa.types import Example
from tests.data.stand_in import bind, example


def row(number: int, kind: str, language: str = "en") -> Example:
    """A short question with a number for an answer, or a long one about a reason."""
    if kind == "when":
        context = f"The bridge number {number} was opened in {1800 + number} by the mayor."
        answer, question = str(1800 + number), f"When was bridge number {number} opened?"
    else:
        answer = f"because the builders of tower {number} had no stone left at that time"
        context = f"Nothing was finished {answer}, as people say."
        question = f"For what reason could the people of town {number} not finish their tower?"
    return example(
        number,
        language=language,
        prefix=kind,
        context=f"{context} ({language})",
        question=question,
        answers=(Answer(answer, context.index(answer)),),
    )


TARGET = [row(number, "when") for number in range(60)]
MIXED = [row(number, "when" if number % 3 == 0 else "why") for number in range(100, 190)]


def test_what_asks_like_the_target_comes_first() -> None:
    found = likeness(MIXED, TARGET)
    kept = found.top(1 / 3, np.arange(len(MIXED)))
    right = np.mean([MIXED[place].question.startswith("When") for place in kept.tolist()])
    assert right > 0.9
    assert 0.5 < found.auc <= 1


def test_the_form_alone_decides_in_a_language_that_the_target_lacks() -> None:
    foreign = [replace(one, language="hi") for one in MIXED]
    found = likeness(foreign, TARGET)
    kept = found.top(1 / 3, np.arange(len(foreign))).tolist()
    assert np.mean([foreign[place].question.startswith("When") for place in kept]) > 0.9


def test_the_same_rows_get_the_same_scores() -> None:
    assert np.array_equal(likeness(MIXED, TARGET).scores, likeness(MIXED, TARGET).scores)


def test_sources_that_are_alike_cannot_be_told_apart() -> None:
    rows = [row(number, "when") for number in range(10, 100)]
    found = likeness(rows[::2], rows[1::2])
    assert 0.2 < found.auc < 0.8


def test_too_few_rows() -> None:
    with pytest.raises(DataError, match=r"sources.nq: 90 rows cannot be told from 5 of the target"):
        likeness(MIXED, TARGET[:5], "nq")


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=30),
    st.floats(0.01, 1),
    st.data(),
)
def test_top_keeps_the_highest_of_the_pool_in_its_order(
    scores: list[float], share: float, data: st.DataObject
) -> None:
    pool = np.array(sorted(data.draw(st.sets(st.sampled_from(range(len(scores))), min_size=1))))
    kept = Likeness(np.array(scores), 0.5).top(share, pool)
    assert len(kept) == max(1, round(share * len(pool)))
    assert np.all(np.diff(kept) > 0)
    dropped = np.setdiff1d(pool, kept)
    assert set(kept.tolist()) <= set(pool.tolist())
    if len(dropped):
        assert min(scores[i] for i in kept) >= max(scores[i] for i in dropped)


def test_a_portion_draws_from_the_similar_ones_only() -> None:
    found = likeness(MIXED, TARGET)
    portion = Portion("nq", share=2.0, similar=1 / 3)
    drawn = draw(MIXED, portion, np.random.default_rng(0), found)
    assert set(drawn.tolist()) == set(found.top(1 / 3, np.arange(90)).tolist())
    assert len(drawn) == 60
    with pytest.raises(ValueError, match="nq: similar examples without a likeness"):
        draw(MIXED, portion, np.random.default_rng(0))


def test_a_handful_of_rows_in_another_language_is_judged_with_the_others() -> None:
    rows = [replace(one, language="hi") if place < 1 else one for place, one in enumerate(MIXED)]
    found = likeness(rows, TARGET)
    assert np.all((found.scores > 0) & (found.scores < 1))


def test_a_study_judges_only_what_it_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    portions = [{"source": "hi"}, {"source": "nq", "similar": [0.3, 1.0]}, {"source": "other"}]
    bound = bind(
        {"hi": TARGET, "nq": MIXED, "other": [row(n, "why") for n in range(300, 340)]},
        {"source": "hi", "share": 0.5},
        portions,
    )
    recipe = bound.study.recipe.model_copy(update={"target": "hi"})
    judged = replace(bound, study=bound.study.model_copy(update={"recipe": recipe}))
    asked: list[str] = []

    def spy(source: object, target: object, name: str) -> Likeness:
        asked.append(name)
        return likeness(source, target, name)  # type: ignore[arg-type]

    monkeypatch.setattr(study_data, "likeness", spy)
    data = prepare_data(judged)
    for source in ("hi", "nq", "other"):
        list(turns(data, Portion(source), 1.0, (0, 0, 0)))
    assert asked == [], "nothing is judged before a portion filters"
    list(turns(data, Portion("nq", similar=0.3), 2.0, (0, 0, 0)))
    assert asked == ["nq"], "and then once"
    assert len(data.likeness("nq").scores) == len(data.train["nq"])
    with pytest.raises(ValueError, match="nq: similar examples without a target"):
        prepare_data(bound).likeness("nq")


def test_a_study_with_too_few_rows_to_compare_is_refused_before_it_trains() -> None:
    portions = [{"source": "hi"}, {"source": "nq", "similar": 0.3}]
    bound = bind({"hi": TARGET, "nq": MIXED[:19]}, {"source": "hi", "share": 0.5}, portions)
    recipe = bound.study.recipe.model_copy(update={"target": "hi"})
    judged = replace(bound, study=bound.study.model_copy(update={"recipe": recipe}))
    with pytest.raises(DataError, match=r"sources.nq: 19 rows cannot be told from \d+ of"):
        prepare_data(judged)
