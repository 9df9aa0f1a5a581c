"""Several answers to a question, the same from Python, of blocks, and with every option."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

import autoqa
from autoqa.bundle.answer_options import AnswerOptions
from autoqa.bundle.input_rows import Row
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.predictor import Ensemble, Prediction
from autoqa.bundle.withholding import told
from autoqa.ensemble.joining.none_rule import EvidenceScale, NoneRule
from autoqa.errors import ConfigError, DataError
from autoqa.text.words import words
from tests import bundle_kit

EXAMPLES = bundle_kit.examples(12)
ROWS = [Row(e.id, e.question, e.context) for e in EXAMPLES]


@pytest.fixture(scope="module")
def ensemble(bundle: Path) -> Ensemble:
    return autoqa.load(bundle)


def test_the_first_is_the_answer_and_the_others_are_distinct(ensemble: Ensemble) -> None:
    alone = ensemble.predict(ROWS)
    for row, one, several in zip(ROWS, alone, ensemble.predict(ROWS, top_k=4), strict=True):
        assert several.alone() == one
        assert one.others == ()
        answers = [several, *several.others]
        assert 2 < len(answers) <= 4
        assert len({tuple(words(each.answer)) for each in answers}) == len(answers)
        for at, each in enumerate(answers[1:], start=1):
            assert row.context[each.start : each.end] == each.answer
            assert each.score <= answers[at - 1].score
            before = answers[:at]
            assert all(each.end <= b.start or b.end <= each.start for b in before)


def test_single_calls_give_lists(ensemble: Ensemble) -> None:
    row = ROWS[4]
    several = ensemble.predict([row], top_k=3)[0]
    found = ensemble(question=row.question, context=row.context, top_k=3)
    assert found == [several.alone(), *several.others]
    one = ensemble(question=row.question, context=row.context, top_k=1)
    assert one == [ensemble(question=row.question, context=row.context)]


def test_options_of_the_bundle_hold_unless_a_call_says_otherwise(bundle: Path) -> None:
    ensemble = autoqa.load(bundle, top_k=2, max_answer_tokens=1)
    row = ROWS[4]
    (found,) = ensemble.predict([row])
    assert len(found.others) == 1
    assert all(len(each.answer.split()) == 1 for each in (found, *found.others))
    (longer,) = ensemble.predict([row], top_k=1, max_answer_tokens=12)
    assert longer == autoqa.load(bundle, max_answer_tokens=12).predict([row])[0]


def test_a_prediction_reads_like_a_dictionary(ensemble: Ensemble) -> None:
    found = ensemble(question=ROWS[0].question, context=ROWS[0].context)
    assert dict(found) == {
        "answer": found.answer,
        "start": found.start,
        "end": found.end,
        "score": found.score,
    }
    assert found["answer"] == found.answer
    with pytest.raises(KeyError):
        found["passage"]
    several = Prediction("a", 0, 1, 0.5, others=(Prediction("b", 2, 3, 0.25),))
    assert several.to_dict()["others"] == [{"answer": "b", "start": 2, "end": 3, "score": 0.25}]


@pytest.mark.parametrize("count", [0, -1, 101, 10**9, 1.5, "3", True, None])
def test_counts_that_nobody_can_mean_are_refused(ensemble: Ensemble, count: int) -> None:
    with pytest.raises(ConfigError) as caught:
        ensemble.predict(ROWS, top_k=count)
    assert str(caught.value) == f"top_k is {count!r}: give a whole number from 1 to 100."


@pytest.mark.parametrize("given", [{}, {"context": "c", "contexts": ["c"]}])
def test_one_kind_of_context_is_needed(ensemble: Ensemble, given: dict[str, str]) -> None:
    with pytest.raises(DataError, match="the row: give a context, or several as contexts"):
        ensemble(question="Who ?", **given)  # type: ignore[arg-type]


def test_empty_contexts_end_the_list(ensemble: Ensemble) -> None:
    assert len(ensemble(question="Who ?", context="Ada", top_k=9)) == 1


@pytest.mark.parametrize("top_k, others", [(1, []), (2, ["Rome"]), (3, ["Rome", "Oslo"])])
def test_where_none_is_the_answer_the_withheld_one_is_the_first_of_the_others(
    ensemble: Ensemble, top_k: int, others: list[str]
) -> None:
    scale = EvidenceScale(0.0, {})
    oslo = Prediction("Oslo", 9, 13, 0.1)
    rome = Prediction("Rome", 0, 4, 0.6, no_answer=0.7, others=(oslo,)[: top_k - 1])
    plan = replace(ensemble.manifest.plan, none=NoneRule(scale, threshold=0.5))
    manifest = cast(Manifest, SimpleNamespace(confidence=None, plan=plan))
    row = Row("1", "Who ?", "Rome or Oslo")
    (found,) = told([rome], [row], manifest, AnswerOptions(top_k=top_k))
    assert (found.answer, found.score) == ("", 0.7)
    assert [each.answer for each in found.others] == others
    assert told([rome], [row], manifest, AnswerOptions(top_k=top_k, no_answer="never")) == [rome]
