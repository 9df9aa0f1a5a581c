from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.vote import disagreement, vote
from autoqa.text.words import words
from autoqa.types import Span


def slow_vote(answers, context, best):
    """Kept words and span, one character and one word at a time."""
    kept = []
    for word in [word for answer in answers for word in words(answer.text)]:
        has = [word in words(answer.text) for answer in answers]
        if sum(has) > len(answers) / 2 or (sum(has) == len(answers) / 2 and has[best]):
            kept.append(word)
    if not kept:
        return answers[best].start, answers[best].end, answers[best].text
    order = [answers[best]] + [a for i, a in enumerate(answers) if i != best]
    places = []
    for word in set(kept):
        owner = next(a for a in order if word in words(a.text))
        low = owner.start
        while low < owner.end:
            high = low
            while high < owner.end and not context[high].isspace():
                high += 1
            if context[low:high].lower() == word:
                places.append((low, high))
            low = high + 1
    places.sort()
    text = context[places[0][0] : places[0][1]]
    touching = True
    for (_, before), (low, high) in pairwise(places):
        text += " " + context[low:high]
        touching = touching and before < low and not context[before:low].strip()
    start, end = places[0][0], max(high for _, high in places)
    return start, end, context[start:end] if touching else text


@st.composite
def ballots(draw):
    pieces = ["The", "the", "Cat,", "cat", "दिल्ली", "में", "1947।", "a", "கிழக்கு"]
    gaps = [" ", "  ", "\n", "\u00a0"]
    parts = draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=14))
    context = "".join(part + draw(st.sampled_from(gaps)) for part in parts)
    answers = []
    for number in range(draw(st.integers(1, 5))):
        low = draw(st.integers(0, len(context)))
        high = draw(st.integers(low, min(len(context), low + 25)))
        text = context[low:high]
        low += len(text) - len(text.lstrip())
        text = text.strip()
        span = Span(low, low + len(text), number / 8, text) if text else Span(0, 0, 0.0, "")
        answers.append(span)
    return context, answers, draw(st.integers(0, len(answers) - 1))


@settings(max_examples=600)
@given(ballots())
def test_equals_the_slow_vote(ballot):
    context, answers, best = ballot
    voted = vote(answers, context, best)
    assert (voted.start, voted.end, voted.text) == slow_vote(answers, context, best)


@settings(max_examples=200)
@given(ballots())
def test_two_groups_and_unanimous_groups_give_the_best_answer(ballot):
    context, answers, best = ballot
    pair = [answers[best], answers[0]]
    assert vote(pair, context, 0).text == answers[best].text
    same = vote([answers[best]] * 3, context, 1)
    assert (same.start, same.end, same.text) == (
        answers[best].start,
        answers[best].end,
        answers[best].text,
    )


CONTEXT = "In the year  1947 the Republic of India, then a Dominion"


def span(text, score=0.5, after=0):
    start = CONTEXT.index(text, after)
    return Span(start, start + len(text), score, text)


def test_majority_of_three():
    voted = vote(
        [span("the year  1947", 0.9), span("1947", 0.6), span("year  1947 the Republic", 0.3)],
        CONTEXT,
        best=2,
    )
    # "the" has two votes; the best group's "the" is the second one of the context
    assert voted.text == CONTEXT[voted.start : voted.end] == "year  1947 the"
    assert voted.score == pytest.approx(0.6)


def test_words_that_do_not_touch_are_joined_by_spaces():
    voted = vote(
        [span("year"), span("year  1947 the Republic of India,"), span("India,")], CONTEXT, 0
    )
    assert voted.text == "year India,"
    assert CONTEXT[voted.start : voted.end] == "year  1947 the Republic of India,"


def test_half_of_four_needs_the_best():
    answers = [span("Republic"), span("Republic"), span("1947"), span("Dominion")]
    assert vote(answers, CONTEXT, best=0).text == "Republic"
    assert vote(answers, CONTEXT, best=2).text == "1947"  # no word stays: the best group's answer


def test_a_repeated_word_stays_wherever_the_best_answer_has_it():
    context = "on and on and on"
    whole = Span(0, len(context), 1.0, context)
    assert vote([whole, whole, Span(0, 0, 0.0, "")], context).text == context


def test_empty_answers_vote_too():
    empty = Span(0, 0, 0.0, "")
    assert vote([span("1947"), empty, empty], CONTEXT, best=1) == empty
    assert vote([span("1947"), empty, empty], CONTEXT, best=0) == span("1947")
    assert vote([empty], CONTEXT) == empty


def test_wrong_best():
    with pytest.raises(ValueError, match="best is 1, but there are 1 answers"):
        vote([span("1947")], CONTEXT, 1)


def test_disagreement():
    a, b = [span("1947"), span("year")], [span("1947"), span("year  1947")]
    assert disagreement(a, b) == disagreement(b, a) == pytest.approx(0.25)
    assert disagreement(a, a) == disagreement([], []) == 0
