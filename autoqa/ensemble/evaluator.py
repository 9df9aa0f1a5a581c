"""Public Jaccard of any ensemble in a fraction of a millisecond per hundred questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.ensemble.shortlist import Bits, Logits, Shortlist, Vocabulary
from autoqa.text.slots import Doubles, Indices, WindowsLike
from autoqa.types import Example

State = tuple[int, ...]
"""An ensemble: seats of each contender."""

_CACHED_VALUES = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A candidate that selection may seat, with its stored public predictions.

    Attributes:
        id: The candidate's id.
        group: Contenders of one group have the same windows.
        recipe_hash: What it was trained on; seats per recipe are capped.
        logits: Start and end logits of the public part, ``[T]`` each.
        seconds: Time it takes to predict the public part; settles ties.
    """

    id: str
    group: str
    recipe_hash: str
    logits: Logits
    seconds: float = 0.0


class Evaluator:
    """Scores ensembles of fixed contenders on fixed questions.

    Args:
        contenders: What ensembles are made of.
        windows: Windows of all questions by group.
        examples: The questions.
        max_answer_tokens: Most tokens in an answer.

    Attributes:
        contenders: As given.
        groups: Group keys in order of appearance.
        group_of: Position in ``groups`` of each contender.
    """

    def __init__(
        self,
        contenders: Sequence[Contender],
        windows: Mapping[str, WindowsLike],
        examples: Sequence[Example],
        max_answer_tokens: int,
    ) -> None:
        self.contenders = contenders
        self.groups = list(dict.fromkeys(contender.group for contender in contenders))
        self.group_of = [self.groups.index(contender.group) for contender in contenders]
        contexts = [example.context for example in examples]
        vocabulary = Vocabulary(len(examples))
        self._references = _reference_masks(examples, vocabulary)
        self._lists: list[Shortlist] = []
        self._place: dict[int, int] = {}
        for number, group in enumerate(self.groups):
            own = [i for i, where in enumerate(self.group_of) if where == number]
            self._place.update({i: position for position, i in enumerate(own)})
            members = [(contenders[i].id, contenders[i].logits) for i in own]
            self._lists.append(
                Shortlist(members, windows[group], contexts, vocabulary, max_answer_tokens)
            )
        self._words = [vocabulary.bits(shortlist.masks) for shortlist in self._lists]
        self._expected = [vocabulary.bits(masks) for masks in self._references]
        self._rows: dict[tuple[int, State], Indices] = {}
        self._scores: dict[tuple[int, State], Doubles] = {}

    def single(self, contender: int) -> State:
        """The ensemble of one contender."""
        return tuple(int(i == contender) for i in range(len(self.contenders)))

    def scores(self, state: State, weights: Doubles) -> Doubles:
        """Jaccard of each question, float64 ``[Q]``.

        Args:
            state: The ensemble.
            weights: How much each question counts when the best group is found, ``[Q]``.
        """
        return self._scored(self.leader(state, weights), state)

    def leader(self, state: State, weights: Doubles) -> int:
        """The group whose blend alone scores highest, as a position in ``groups``."""
        seated = self.seated_groups(state)
        if len(seated) == 1:
            return seated[0]
        means = [float(weights @ self._scored(g, self._only(state, g))) for g in seated]
        return seated[int(np.argmax(means))]

    def seated_groups(self, state: State) -> list[int]:
        """Groups with at least one seat, ascending."""
        return sorted({self.group_of[i] for i, count in enumerate(state) if count})

    def disagreement(self, first: int, second: int) -> float:
        """Mean word-level 1 - Jaccard between two contenders' own answers."""
        answers = [self._blend(self.group_of[i], self.single(i)) for i in (first, second)]
        return 1.0 - float(_jaccard(answers[0], answers[1]).mean())

    def _only(self, state: State, group: int) -> State:
        return tuple(n if self.group_of[i] == group else 0 for i, n in enumerate(state))

    def _scored(self, leader: int, state: State) -> Doubles:
        key = (leader, state)
        if key not in self._scores:
            if len(self._scores) * len(self._expected[0]) > _CACHED_VALUES:
                self._scores.clear()
            kept = self._vote(leader, state)
            values = [_jaccard(kept, expected) for expected in self._expected]
            self._scores[key] = np.max(values, axis=0)
        return self._scores[key]

    def _blend(self, group: int, state: State) -> Bits:
        """Words of one group's answers, ``[Q, B]``."""
        own = self._only(state, group)
        key = (group, own)
        if key not in self._rows:
            if len(self._rows) * len(self._expected[0]) > _CACHED_VALUES:
                self._rows.clear()
            seats = [(self._place[i], count) for i, count in enumerate(own) if count]
            self._rows[key] = self._lists[group].choose(seats)
        return self._words[group][self._rows[key]]

    def _vote(self, leader: int, state: State) -> Bits:
        """Words of the ensemble's answers ``[Q, B]``; the rule of :mod:`autoqa.ensemble.vote`."""
        preferred = self._blend(leader, state)
        groups = self.seated_groups(state)
        if len(groups) < 3:  # two groups always give the answer of the better one
            return preferred
        ballots = np.stack([self._blend(group, state) for group in groups])
        flags = np.unpackbits(ballots.view(np.uint8), axis=-1, bitorder="little")
        votes = 2 * flags.sum(axis=0, dtype=np.int16)
        leading = np.unpackbits(preferred.view(np.uint8), axis=-1, bitorder="little") > 0
        kept = (votes > len(groups)) | ((votes == len(groups)) & leading)
        voted: Bits = np.packbits(kept, axis=-1, bitorder="little").view(np.uint64)
        empty = ~voted.any(axis=1)
        voted[empty] = preferred[empty]
        return voted


def _jaccard(first: Bits, second: Bits) -> npt.NDArray[np.float64]:
    common = np.bitwise_count(first & second).sum(axis=1, dtype=np.int64)
    union = np.bitwise_count(first | second).sum(axis=1, dtype=np.int64)
    return np.where(union > 0, common / np.maximum(union, 1), 1.0)


def _reference_masks(examples: Sequence[Example], vocabulary: Vocabulary) -> list[list[int]]:
    """Lists of one reference per question; questions with fewer repeat their first."""
    texts = [[answer.text for answer in example.answers] or [""] for example in examples]
    most = max(map(len, texts))
    return [
        [
            vocabulary.mask(row, own[number] if number < len(own) else own[0])
            for row, own in enumerate(texts)
        ]
        for number in range(most)
    ]
