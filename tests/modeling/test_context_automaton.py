"""What a generated text may go on with, and where it stands."""

from hypothesis import given
from hypothesis import strategies as st

from autoqa.modeling.context_automaton import ContextAutomaton

contexts = st.lists(st.integers(0, 4), max_size=12)


def spelled(tokens: list[int]) -> set[tuple[int, ...]]:
    return {
        tuple(tokens[low:high])
        for low in range(len(tokens))
        for high in range(low + 1, len(tokens) + 1)
    }


@given(contexts, st.sets(st.integers(0, 4)))
def test_what_it_allows_is_each_fragment_without_a_barred_token_and_nothing_else(
    tokens: list[int], barred: set[int]
) -> None:
    automaton = ContextAutomaton(tokens, frozenset(barred))
    reached, waiting = set(), [()]
    while waiting:
        prefix = waiting.pop()
        longer = [(*prefix, token) for token in automaton.following(prefix)]
        reached.update(longer)
        waiting += longer
    assert reached == {text for text in spelled(tokens) if not barred & set(text)}


@given(contexts, st.lists(st.integers(0, 4), min_size=1, max_size=3))
def test_places_are_all_and_the_first_is_the_first(tokens: list[int], text: list[int]) -> None:
    automaton = ContextAutomaton(tokens)
    size = len(text)
    places = [at for at in range(len(tokens)) if tokens[at : at + size] == text]
    assert automaton.ends(tuple(text)) == [at + size for at in places]
    first = automaton.first(tuple(text))
    assert first == ((places[0], places[0] + size - 1) if places else None)


def test_the_empty_text_stands_nowhere_and_may_begin_anywhere() -> None:
    automaton = ContextAutomaton([3, 1, 3])
    assert automaton.first(()) is None
    assert automaton.following(()) == [1, 3]
    assert automaton.following((1, 3)) == []
