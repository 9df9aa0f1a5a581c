"""The answer that most annotators gave."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import Answer
from autoqa.data import prepare_data
from autoqa.data.references import different, majority, merged, several_sentence
from autoqa.scores.metrics import score_by
from autoqa.text.words import words
from tests.data.stand_in import bind, example, examples

CONTEXT = "Rome, the city of Rome in Italy, was founded by Romulus and Remus long long ago"


def asked(*texts: str) -> Any:
    answers = tuple(Answer(text, CONTEXT.index(text)) for text in texts)
    return example(1, context=CONTEXT, answers=answers)


def kept(*texts: str) -> list[str]:
    return [answer.text for answer in majority(asked(*texts)).answers]


def test_the_answer_of_most_stays_alone() -> None:
    assert kept("Italy,", "Rome,", "Italy,") == ["Italy,"]


def test_answers_count_as_equal_where_the_metric_sees_no_difference() -> None:
    assert kept("long long ago", "Rome,", "long ago") == ["long long ago"]


def test_words_are_those_of_the_study_s_metric() -> None:
    """One annotator put a space between the characters, which are words to `mlqa` anyway."""
    rows = []
    for number in range(20):
        context = f"{number}番の駅は東京都、東京 都の大阪寄りにある。"
        for annotator, text in enumerate(("大阪", "東京都", "東京 都")):
            answers = (Answer(text, context.index(text)),)
            names = {"id": f"{number}-{annotator}", "document": f"d{number}"}
            asked = f"{number}番の駅はどこ?"
            rows.append(example(number, context=context, question=asked, answers=answers, **names))
    for metric, wanted in (("jaccard", ("大阪", "東京都", "東京 都")), ("mlqa", ("東京都",))):
        validation = {"source": "ja", "share": 0.5, "references": "majority", "metric": metric}
        for one in prepare_data(bind({"ja": rows}, validation)).public:
            assert tuple(answer.text for answer in one.answers) == wanted


def test_without_a_majority_all_that_are_tied_stay() -> None:
    assert kept("Rome,", "Italy,") == ["Rome,", "Italy,"]
    assert kept("Rome,", "Italy,", "in", "Italy,", "Rome,") == ["Rome,", "Italy,"]
    assert kept() == []
    assert kept("Rome,") == ["Rome,"]


@given(st.lists(st.sampled_from(CONTEXT.split()), min_size=1, max_size=9))
def test_what_stays_has_the_most_voices_and_each_answer_once(texts: list[str]) -> None:
    found = kept(*texts)
    voices = Counter(frozenset(words(text)) for text in texts)
    most = max(voices.values())
    assert {frozenset(words(text)) for text in found} == {
        answer for answer, count in voices.items() if count == most
    }
    assert len(found) == len(set(found))
    row = asked(*texts)
    best = score_by("jaccard", [found[0]], [row])[0]
    assert best == score_by("jaccard", [found[0]], [majority(row)])[0] == 1


def annotated() -> list[Any]:
    """Twenty documents; three annotators of every question, one of whom disagrees."""
    rows = []
    for number in range(20):
        context = f"Town {number} lies by river {number} in the north"
        for annotator, text in enumerate(("north", f"river {number}", f"river {number}")):
            answers = (Answer(text, context.index(text)),)
            name = f"{number}-{annotator}"
            rows.append(
                example(
                    number,
                    document=f"d{number}",
                    context=context,
                    question=f"Where is town {number}?",
                    answers=answers,
                    id=name,
                )
            )
    return rows


def test_only_validation_is_reduced_to_the_majority() -> None:
    rows = annotated()
    bound = bind({"hi": rows}, {"source": "hi", "share": 0.5, "references": "majority"})
    data = prepare_data(bound)
    scored = data.public + data.private
    assert len(scored) == 10
    assert {len(one.answers) for one in scored} == {1}
    assert all(one.answers[0].text.startswith("river") for one in scored)
    assert {len(one.answers) for one in data.train["hi"]} == {3}
    assert any("references were reduced: 10 of 10" in note for note in data.notes)
    best = prepare_data(bind({"hi": rows}, {"source": "hi", "share": 0.5}))
    assert {len(one.answers) for one in best.public} == {3}


def test_one_reference_each_is_left_alone() -> None:
    bound = bind({"hi": examples(range(40))}, {"source": "hi", "share": 0.5})
    majority_bound = bind(
        {"hi": examples(range(40))}, {"source": "hi", "share": 0.5, "references": "majority"}
    )
    assert prepare_data(bound).public == prepare_data(majority_bound).public


def test_different_answers_stand_in_different_places() -> None:
    twice = (Answer("of", CONTEXT.index("of")), Answer("of", CONTEXT.rindex(" of") + 1))
    blank = Answer("Rome, ", 0), Answer(", ", 4), Answer("Rome,", 0)
    row = example(1, context=CONTEXT, answers=(*blank, *twice))
    assert different(row) == (Answer("Rome,", 0), Answer(",", 4), *dict.fromkeys(twice))
    assert different(asked()) == ()


def test_rows_that_ask_the_same_have_all_their_answers() -> None:
    first, second = asked("Rome,"), asked("Italy,")
    other = example(2, context=CONTEXT + ".", answers=first.answers)
    (both, alone) = merged([first, other, second])
    assert [answer.text for answer in both.answers] == ["Rome,", "Italy,"]
    assert alone == other


@pytest.mark.parametrize(
    ("choice", "seen"),
    [
        ("first", "training sees the first"),
        ("each", "training sees each"),
        ("draw", "training sees one, drawn by the seed of the run"),
    ],
)
def test_it_is_said_what_such_rows_teach(choice: str, seen: str) -> None:
    rows = {"train": [asked("Rome,", "Italy,"), asked("in")], "other": [asked("Rome,", "Rome,")]}
    assert several_sentence(rows, choice) == (
        f"recipe.answers = {choice!r}: rows with several different answers, of which {seen}: "
        "train 1"
    )
    assert several_sentence({"other": rows["other"]}, choice) is None


def test_a_study_with_such_rows_says_so() -> None:
    rows = examples(range(6))
    rows[0] = replace(rows[0], answers=(*rows[0].answers, Answer("Context", 0)))
    sources = {"train": rows, "exam": examples(range(20, 40))}
    portions = [{"source": "train"}]
    notes = prepare_data(bind(sources, {"source": "exam"}, portions)).notes
    assert (
        "recipe.answers = 'first': rows with several different answers, of which training sees the "
        "first: train 1"
    ) in notes
