"""Where in a context a sequence of tokens stands: what a text model may copy, and from where."""

from collections.abc import Sequence

Prefix = tuple[int, ...]
"""Tokens that were generated so far."""


class ContextAutomaton:
    """The fragments of a window's context, as an automaton that a generated text walks along.

    The states are sets of places, found when they are asked for; generating what it allows gives
    fragments of the context and nothing else. So no generated text has to be looked for afterwards,
    and none is lost because white space or case came out otherwise.

    Args:
        tokens: Ids of the context's tokens.
        barred: Ids that no fragment holds, such as the one that ends a text.
    """

    def __init__(self, tokens: Sequence[int], barred: frozenset[int] = frozenset()) -> None:
        self._tokens, self._barred = tokens, barred
        self._ends: dict[Prefix, list[int]] = {(): list(range(len(tokens)))}

    def following(self, prefix: Prefix) -> list[int]:
        """Ids that may come next, ascending; none where the tokens stand nowhere, or at the end."""
        places = (end for end in self.ends(prefix) if end < len(self._tokens))
        return sorted({self._tokens[place] for place in places} - self._barred)

    def ends(self, prefix: Prefix) -> list[int]:
        """One past the last token of each place where the tokens stand, ascending."""
        if prefix not in self._ends:
            *before, last = prefix
            self._ends[prefix] = [
                end + 1
                for end in self.ends(tuple(before))
                if end < len(self._tokens) and self._tokens[end] == last
            ]
        return self._ends[prefix]

    def first(self, prefix: Prefix) -> tuple[int, int] | None:
        """First and last token (inclusive) of the first place; ``None`` where there is none."""
        ends = self.ends(prefix)
        return (ends[0] - len(prefix), ends[0] - 1) if prefix and ends else None
