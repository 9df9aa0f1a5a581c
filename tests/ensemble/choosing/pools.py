"""Pools of candidates with known true scores, on documents that differ in what they ask of each.

In every context the answer and some rivals stand out. How high depends on the question, which all
candidates share, on the recipe, on the candidate, and for each candidate on the document. With the
values below one candidate scores about .5, two disagree about a third of the words, and averaging
four of them gains .03 to .05: as small encoders on a few hundred rows of a new language do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.ensemble.choosing.selection import Pick
from autoqa.ensemble.evaluation.evaluator import Contender
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.metrics import score
from autoqa.types import Answer, Example
from tests.decoding.making import FakeWindows

WORDS, RIVALS, QUESTIONS = 20, 3, 16
"""Words of a context, spans beside the answer, questions about a document."""


@dataclass(frozen=True)
class Part:
    """Questions with what every candidate predicts for them."""

    examples: Sequence[Example]
    windows: dict[str, FakeWindows]
    candidates: Sequence[Contender]

    def jaccard(self, members: Sequence[tuple[str, float]], tie_group: str) -> float:
        """Mean score of an ensemble of (id, seats) pairs."""
        groups = {each.id: each.group for each in self.candidates}
        answers = aggregate(
            EnsemblePlan([Member(name, groups[name], seats) for name, seats in members], tie_group),
            {each.id: each.logits for each in self.candidates},
            self.windows,
            [example.context for example in self.examples],
        )
        return score([span.text for span in answers], self.examples).mean()["jaccard"]

    def worth(self, pick: Pick) -> float:
        """Mean score of a pick."""
        return self.jaccard([(seat.id, seat.weight) for seat in pick.members], pick.tie_group)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a pool is like.

    Attributes:
        recipes: Different recipes; each has as many candidates as ``snapshots``.
        snapshots: Candidates of a recipe.
        groups: Groups; recipes take turns.
        skill: Standard deviation of recipes' skill.
        own: How much candidates of one recipe differ from each other.
        between: How much recipes differ at a question.
        collapsed: The last so many candidates answer with a rival or anything else.
    """

    recipes: int = 4
    snapshots: int = 2
    groups: int = 1
    skill: float = 0.15
    own: float = 0.5
    between: float = 0.8
    collapsed: int = 0


def make_pool(kind: Kind, documents: Sequence[int], seed: int) -> list[Part]:
    """Draws candidates, and parts of so many documents each that they answer."""
    rng = np.random.default_rng(seed)
    skills = rng.normal(0, kind.skill, kind.recipes)
    return [_part(kind, skills, count, f"p{number}", rng) for number, count in enumerate(documents)]


def _part(
    kind: Kind, skills: np.ndarray, documents: int, name: str, rng: np.random.Generator
) -> Part:
    count = documents * QUESTIONS
    low = np.stack([rng.permutation(WORDS - 3)[: 1 + RIVALS] for _ in range(count)])
    high = low + rng.integers(0, 3, low.shape)
    words = rng.integers(100, 999, (count, WORDS))
    at = np.arange(WORDS) * 4
    examples = []
    for row in range(count):
        context, (start, end) = " ".join(map(str, words[row])), (low[row, 0], high[row, 0])
        answer = Answer(context[start * 4 : end * 4 + 3], int(start) * 4)
        document = f"{name}d{row // QUESTIONS}"
        examples.append(Example(f"{name}q{row}", "?", context, (answer,), "en", document))
    tokens = count * WORDS
    windows = FakeWindows(
        bounds=np.arange(0, tokens + 1, WORDS),
        example=np.arange(count, dtype=np.int32),
        context=np.tile(np.array([0, WORDS], np.int32), (count, 1)),
        offsets=np.tile(np.stack([at, at + 3], 1).astype(np.int32), (count, 1)),
    )
    shared = rng.normal(0, 1.5, low.shape) + np.eye(1, 1 + RIVALS)[0] * 1.8
    candidates = []
    for recipe in range(kind.recipes):
        by_document = rng.normal(0, 0.35, documents)[np.arange(count) // QUESTIONS]
        typical = shared + rng.normal(0, kind.between, low.shape)
        typical[:, 0] += skills[recipe] + by_document
        for snapshot in range(kind.snapshots):
            heights = typical + rng.normal(0, kind.own, low.shape)
            number = recipe * kind.snapshots + snapshot
            if number >= kind.recipes * kind.snapshots - kind.collapsed:
                heights = rng.normal(0, 1, low.shape) - np.eye(1, 1 + RIVALS)[0] * 3.0
            logits = rng.normal(-3, 0.7, (2, count, WORDS)).astype(np.float32)
            rows = np.arange(count)[:, None]
            logits[0, rows, low], logits[1, rows, high] = heights, heights
            sides = (logits[0].ravel(), logits[1].ravel())
            group = f"g{recipe % kind.groups}"
            candidates.append(Contender(f"t{number:02d}", group, f"r{recipe}", sides, 10.0))
    used = {f"g{recipe % kind.groups}": windows for recipe in range(kind.recipes)}
    return Part(examples, used, candidates)
