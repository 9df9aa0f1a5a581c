"""What people called transformers' question-answering pipeline with, and what came back."""

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import autoqa
from autoqa.bundle.pipeline import QuestionAnswering, pipeline
from autoqa.bundle.prediction import Prediction
from autoqa.bundle.predictor import Ensemble
from autoqa.errors import ConfigError, DataError
from tests import bundle_kit

EXAMPLES = bundle_kit.examples(6)
ROWS = [{"question": e.question, "context": e.context} for e in EXAMPLES]


@pytest.fixture(scope="module")
def pipe(bundle: Path) -> QuestionAnswering:
    return autoqa.pipeline("question-answering", model=bundle)


@pytest.fixture(scope="module")
def expected(pipe: QuestionAnswering) -> list[dict[str, Any]]:
    found = [pipe.ensemble(**row) for row in ROWS]
    return [{"score": p.score, "start": p.start, "end": p.end, "answer": p.answer} for p in found]


def same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    scores = [each["score"] for each in one]
    assert scores == pytest.approx([each["score"] for each in other], abs=1e-5)
    return [{**each, "score": 0} for each in one] == [{**each, "score": 0} for each in other]


class SquadExample:
    """As transformers had it."""

    def __init__(self, question: str, context: str) -> None:
        self.question_text, self.context_text = question, context


def test_one_question_in_every_spelling(
    pipe: QuestionAnswering, expected: list[dict[str, Any]]
) -> None:
    row = ROWS[1]
    question, context = row["question"], row["context"]
    calls: list[Any] = [
        pipe(question=question, context=context),
        pipe(row),
        pipe([row]),
        pipe(question, context),
        pipe(data=row),
        pipe(X=[row]),
        pipe(SquadExample(question, context)),
        pipe(question=[question], context=context),
        pipe({"id": 7, **row}),
    ]
    for found in calls:
        assert list(found) == ["score", "start", "end", "answer"]
        assert same([found], expected[1:2])
        assert json.loads(json.dumps(found)) == found


def test_several_questions_in_every_spelling(
    pipe: QuestionAnswering, expected: list[dict[str, Any]]
) -> None:
    questions = [row["question"] for row in ROWS]
    contexts = [row["context"] for row in ROWS]
    assert same(pipe(ROWS), expected)
    assert same(pipe(*ROWS), expected)
    assert same(pipe(row for row in ROWS), expected)
    assert same(pipe(question=questions, context=contexts), expected)
    assert same(pipe([SquadExample(**row) for row in ROWS]), expected)
    about_one = pipe(question=questions, context=contexts[0])
    assert same(about_one[:1], expected[:1])
    assert len(about_one) == len(questions)


def test_top_k_gives_lists(pipe: QuestionAnswering, expected: list[dict[str, Any]]) -> None:
    found = pipe(**ROWS[4], top_k=3)
    assert same(found[:1], expected[4:5])
    assert len(found) == 3
    assert same(pipe(**ROWS[4], topk=3), found)
    both = pipe(ROWS[4:6], top_k=3)
    assert same(both[0], found)


def test_answers_can_be_kept_short(pipe: QuestionAnswering, bundle: Path) -> None:
    assert pipe(ROWS, max_answer_len=512) == pipe(ROWS, max_answer_len=bundle_kit.LENGTH - 1)
    found = pipe(ROWS, max_answer_len=1)
    assert all(len(each["answer"].split()) == 1 for each in found)
    always = pipeline(bundle, max_answer_len=1, top_k=2)
    assert all(len(one["answer"].split()) == 1 for each in always(ROWS) for one in each)


@pytest.mark.parametrize("none", [False, True])
def test_no_answer_is_one_of_the_answers_where_it_is_wanted(
    pipe: QuestionAnswering, monkeypatch: pytest.MonkeyPatch, none: bool
) -> None:
    asked: list[object] = []
    rome = Prediction("Rome", 0, 4, 0.6, no_answer=0.3)
    oslo = Prediction("Oslo", 9, 13, 0.1)

    def predict(*_: object, top_k: int, no_answer: object, **__: object) -> list[Prediction]:
        asked.append(no_answer)
        if none and no_answer == "auto":
            return [Prediction("", 0, 0, 0.3, no_answer=0.3, others=(rome, oslo)[: top_k - 1])]
        return [replace(rome, others=(oslo,)[: top_k - 1])]

    monkeypatch.setattr(Ensemble, "predict", predict)
    assert pipe(**ROWS[0])["answer"] == "Rome"
    first = pipe(**ROWS[0], handle_impossible_answer=True)
    assert first["answer"] == ("" if none else "Rome")
    three = pipe(**ROWS[0], handle_impossible_answer=True, top_k=3)
    answers = [each["answer"] for each in three]
    assert answers == (["", "Rome", "Oslo"] if none else ["Rome", "", "Oslo"])
    assert {"score": 0.3, "start": 0, "end": 0, "answer": ""} in three
    assert asked == ["never", "auto", "auto"]


def test_a_bundle_that_knows_no_missing_answer_says_so_and_answers(
    pipe: QuestionAnswering, expected: list[dict[str, Any]]
) -> None:
    with pytest.warns(UserWarning, match="handle_impossible_answer has no effect: the bundle was"):
        found = pipe(**ROWS[0], handle_impossible_answer=True)
    assert same([found], expected[:1])


def test_options_without_effect_are_said(
    pipe: QuestionAnswering, expected: list[dict[str, Any]], bundle: Path
) -> None:
    with pytest.warns(UserWarning, match="doc_stride has no effect"):
        found = pipe(**ROWS[0], doc_stride=16)
    assert same([found], expected[:1])
    with pytest.warns(UserWarning, match="tokenizer has no effect"):
        pipeline("question-answering", model=bundle, tokenizer="bert-base-cased")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline("question-answering", model=str(bundle), tokenizer=None, device=-1)


@pytest.mark.parametrize(
    "call, kind, sentence",
    [
        (lambda pipe: pipe(), DataError, "give question and context, by name, as"),
        (lambda pipe: pipe("Who ?"), DataError, "give question and context, by name, as"),
        (lambda pipe: pipe(question="Who ?"), DataError, "give question and context, by name"),
        (lambda pipe: pipe({"question": "Who ?"}), DataError, "row 1: context is missing"),
        (lambda pipe: pipe([ROWS[0], 3]), DataError, "row 2: expected an object with question"),
        (lambda pipe: pipe(question="", context="c"), DataError, "row 1: question is empty."),
        (lambda pipe: pipe(question=None, context="c"), DataError, "row 1: question must be text"),
        (
            lambda pipe: pipe(question=["a", "b"], context=["c"]),
            DataError,
            "2 questions and 1 contexts: give as many of both",
        ),
        (lambda pipe: pipe(ROWS, top_k=0), ConfigError, "top_k is 0: give a whole number from 1"),
        (lambda pipe: pipe(ROWS, max_answer_len=0), ConfigError, "max_answer_len is 0: give a"),
        (lambda pipe: pipe(ROWS, top_n=3), ConfigError, "option 'top_n' is unknown; did you mean"),
        (lambda _: pipeline("ner", model="x"), ConfigError, "task 'ner' is unknown: a bundle"),
        (lambda _: pipeline("question-answering"), ConfigError, "model is missing: give the fold"),
        (lambda _: pipeline(model="x", top=1), ConfigError, "option 'top' is unknown"),
    ],
)
def test_what_cannot_be_answered_gets_a_sentence(
    pipe: QuestionAnswering, call: Any, kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        call(pipe)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device, name", [(None, "auto"), (-1, "cpu"), ("cpu", "cpu")])
def test_devices_are_named_as_before(bundle: Path, device: Any, name: str) -> None:
    assert pipeline(bundle, device=device).ensemble._shelf._device == name
    with pytest.raises(ConfigError, match="device 'cuda:99' is not there"):
        pipeline(bundle, device=99)
