from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.joining.vote import vote
from autoqa.types import Span


def places_of(answer, context):
    """First and one-past-last character of every word, one character at a time."""
    places, low = [], answer.start
    while low < answer.end:
        high = low
        while high < answer.end and not context[high].isspace():
            high += 1
        if high > low:
            places.append((low, high))
        low = high + 1
    return places


def elects(has, seats, best):
    """Whether those who have it are the majority."""
    votes, total = sum(n for n, yes in zip(seats, has, strict=True) if yes), sum(seats)
    return votes > total / 2 or (votes == total / 2 and has[best])


def slow_vote(answers, context, best, seats=None, by="set"):
    """Kept words and span, one character and one word at a time."""
    seats = seats or [1] * len(answers)
    ballots = [places_of(answer, context) for answer in answers]
    if by == "position":
        if elects([not own for own in ballots], seats, best):
            return 0, 0, ""
        everywhere = sorted({place for places in ballots for place in places})
        places = [p for p in everywhere if elects([p in own for own in ballots], seats, best)]
    else:
        said = [[context[a:b].lower() for a, b in own] for own in ballots]
        if elects([not own for own in said], seats, best):
            return 0, 0, ""
        everything = {word for own in said for word in own}
        kept = {w for w in everything if elects([w in own for own in said], seats, best)}
        order = [best] + [i for i in range(len(answers)) if i != best]
        places = []
        for word in kept:
            owner = next(i for i in order if word in said[i])
            pairs = zip(ballots[owner], said[owner], strict=True)
            places += [place for place, other in pairs if other == word]
        places.sort()
    if not places:
        return answers[best].start, answers[best].end, answers[best].text
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
    answers, seats = [], []
    for number in range(draw(st.integers(1, 5))):
        seats.append(draw(st.integers(1, 3)))
        low = draw(st.integers(0, len(context)))
        high = draw(st.integers(low, min(len(context), low + 25)))
        text = context[low:high]
        low += len(text) - len(text.lstrip())
        text = text.strip()
        span = Span(low, low + len(text), number / 8, text) if text else Span(0, 0, 0.0, "")
        answers.append(span)
    return context, answers, draw(st.integers(0, len(answers) - 1)), seats


@settings(max_examples=4000, deadline=None)
@given(ballots(), st.sampled_from(["set", "position"]), st.booleans())
def test_equals_the_slow_vote(ballot, by, weighted):
    context, answers, best, seats = ballot
    seats = seats if weighted else None
    voted = vote(answers, context, best, seats=seats, words=by)
    assert (voted.start, voted.end, voted.text) == slow_vote(answers, context, best, seats, by)


@settings(max_examples=300)
@given(ballots(), st.sampled_from(["set", "position"]))
def test_seats_are_as_many_voters_who_agree(ballot, by):
    context, answers, best, seats = ballot
    many = [answer for answer, n in zip(answers, seats, strict=True) for _ in range(n)]
    one = vote(answers, context, best, seats=seats, words=by)
    other = vote(many, context, sum(seats[:best]), words=by)
    assert (one.start, one.end, one.text) == (other.start, other.end, other.text)
    assert one.score == pytest.approx(other.score)


@settings(max_examples=300)
@given(ballots())
def test_places_that_are_kept_never_overlap(ballot):
    context, answers, best, seats = ballot
    voted = vote(answers, context, best, seats=seats, words="position")
    assert len("".join(voted.text.split())) <= len(context[voted.start : voted.end])


@settings(max_examples=200)
@given(ballots())
def test_two_groups_and_unanimous_groups_give_the_best_answer(ballot):
    context, answers, best, _ = ballot
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
    empty = Span(0, 0, 0.2, "")
    for best in (0, 1):
        voted = vote([span("1947"), empty, empty], CONTEXT, best=best)
        assert voted == Span(0, 0, pytest.approx(0.3), "")
    assert vote([empty], CONTEXT) == empty


def test_no_answer_with_half_of_the_votes_needs_the_best_as_a_word_does():
    empty = Span(0, 0, 0.0, "")
    answers = [span("1947"), span("year  1947"), empty, empty]
    assert vote(answers, CONTEXT, best=1).text == "1947"
    assert vote(answers, CONTEXT, best=2).text == ""
    scattered = [empty, span("1947"), span("year")]
    assert vote(scattered, CONTEXT, best=0) == empty, "nothing stays: the best voter's answer"
    assert vote(scattered, CONTEXT, best=2) == span("year")
    assert vote([span("1947"), empty], CONTEXT, seats=[1, 2]).text == ""


def test_by_position_a_repeated_word_is_two():
    context = "May 1947 or 1947 May"
    first, second = Span(4, 8, 0.5, "1947"), Span(12, 16, 0.5, "1947")
    third = Span(9, 20, 0.5, "or 1947 May")
    assert vote([first, second, third], context, 0) == Span(4, 8, 0.5, "1947")
    assert vote([first, second, third], context, 0, words="position") == Span(12, 16, 0.5, "1947")


def test_a_voter_with_more_seats_than_all_others_decides():
    answers = [span("1947", 0.9), span("Republic", 0.2), span("Republic", 0.2)]
    assert vote(answers, CONTEXT, 1, seats=[3, 1, 1]).text == "1947"
    assert vote(answers, CONTEXT, 1, seats=[2, 1, 1]).text == "Republic"
    assert vote(answers, CONTEXT, 0, seats=[2, 1, 1]).score == pytest.approx(0.55)


JAPANESE = "首都は東京都、または東京 Tokyo 2020年。"


def piece(text, score=0.5, context=JAPANESE):
    start = context.index(text)
    return Span(start, start + len(text), score, text)


def test_unspaced_characters_are_voted_on_one_by_one():
    answers = [piece("東京都"), piece("東京"), piece("は東京")]
    assert vote(answers, JAPANESE, 0).text == "東京都", "whole sentences are words at white space"
    voted = vote(answers, JAPANESE, 0, segmentation="mixed")
    assert (voted.text, JAPANESE[voted.start : voted.end]) == ("東京", "東京")


def test_unspaced_characters_are_joined_without_spaces():
    answers = [piece("首都は東京都"), piece("首都"), piece("東京都")]
    voted = vote(answers, JAPANESE, 0, segmentation="mixed")
    assert voted.text == "首都東京都"
    assert JAPANESE[voted.start : voted.end] == "首都は東京都"


def test_what_has_white_space_between_keeps_it():
    answers = [piece("東京 Tokyo 2020年"), piece("東京 Tokyo"), piece("2020年")]
    assert vote(answers, JAPANESE, 0, segmentation="mixed").text == "東京 Tokyo 2020年"
    answers = [piece("または東京 Tokyo 2020年"), piece("または"), piece("2020年")]
    assert vote(answers, JAPANESE, 0, segmentation="mixed").text == "または 2020年"
    thai = "กรุงเทพมหานคร ประเทศไทย"
    answers = [piece("กรุงเทพมหานคร", context=thai), piece("กรุงเทพ", context=thai)]
    voted = vote([*answers, piece("เทพมหานคร", context=thai)], thai, 0, segmentation="mixed")
    assert voted.text == thai[voted.start : voted.end]


def test_wrong_best():
    with pytest.raises(ValueError, match="best is 1, but there are 1 answers"):
        vote([span("1947")], CONTEXT, 1)


@pytest.mark.parametrize("seats", [[], [1, 1], [0], [-1]])
def test_wrong_seats(seats):
    with pytest.raises(ValueError, match="for 1 answers: one above 0 for each"):
        vote([span("1947")], CONTEXT, seats=seats)
