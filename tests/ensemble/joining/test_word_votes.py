"""The trace of a vote agrees with the vote."""

from hypothesis import given
from hypothesis import strategies as st

from autoqa.ensemble.joining.vote import vote, word_votes
from autoqa.types import Span

CONTEXT = "the old town hall of the new town near a river"
_STARTS = [0, 4, 8, 13, 18, 21, 25, 29, 34, 39, 41]


def span(first: int, words: int) -> Span:
    if not words:
        return Span(0, 0, 0.0, "")
    begin = _STARTS[first]
    end = [*_STARTS, len(CONTEXT) + 1][min(first + words, len(_STARTS))] - 1
    return Span(begin, end, 1.0, CONTEXT[begin:end])


spans = st.builds(span, st.integers(0, 10), st.integers(0, 4))


@given(st.lists(spans, min_size=1, max_size=5), st.sampled_from(["set", "position"]))
def test_words_that_stay_are_those_of_the_joint_answer(answers: list[Span], words: str) -> None:
    joint = vote(answers, CONTEXT, words=words)
    trace = word_votes(answers, words=words)
    kept = [each for each in trace if each.kept]
    if not kept:
        assert joint == answers[0]
    else:
        assert {each.word for each in kept} - {""} == set(joint.text.lower().split())
    for each in trace:
        assert each.votes == len(each.voters) > 0
        for voter in each.voters:
            said = answers[voter].text.lower().split()
            assert each.word in said if each.word else not said


def test_the_order_is_that_of_the_context_and_none_comes_last() -> None:
    trace = word_votes([span(2, 2), span(0, 3), span(0, 0)])
    assert [each.word for each in trace] == ["the", "old", "town", "hall", ""]
    assert [each.kept for each in trace] == [False, False, True, False, False]
    assert trace[2].voters == (0, 1)
