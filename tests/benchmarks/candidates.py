"""Stored predictions of many candidates as a long search leaves them, but generated.

Three groups of candidates cut the same contexts into tokens of different size. Contexts repeat
their words. In every context the answer and a few other spans stand out, each with shoulders at the
words beside its ends; how high depends on the question, which all candidates share, on the group,
on the recipe, and on the candidate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.ensemble.evaluation.evaluator import Contender
from autoqa.types import Answer, Example

GROUPS, RECIPES = 3, 50
_WORDS, _RIVALS, _ROOM, _OVERLAP = (60, 220), 4, 240, 64


@dataclass(frozen=True)
class CutWindows:
    """Windows as the decoder needs them."""

    bounds: npt.NDArray[np.int64]
    example: npt.NDArray[np.int32]
    context: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int32]
    max_answer_tokens: int = 48


@dataclass(frozen=True)
class Field:
    """Questions, windows by group, and candidates."""

    examples: Sequence[Example]
    windows: dict[str, CutWindows]
    candidates: Sequence[Contender]


LATIN, JAPANESE = "etaoinshr", "日本東京都大学年月人の"


def make_field(
    candidates: int,
    questions: int,
    seed: int = 0,
    *,
    letters: str = LATIN,
    gap: str = " ",
    punctuated: bool = False,
    language: str = "en",
) -> Field:
    """Draws questions and what candidates predict for them.

    Args:
        candidates: How many.
        questions: How many.
        seed: Decides the draws.
        letters: What words are made of.
        gap: What stands between two words.
        punctuated: Whether commas stand behind some words, and articles among them.
        language: What the contexts are said to be in.
    """
    rng = np.random.default_rng(seed)
    lexicon = ["".join(rng.choice(list(letters), rng.integers(1, 9))) for _ in range(900)]
    places, spans, examples = [], [], []
    for number in range(questions):
        # Zipf's law: a few words are everywhere.
        ranks = np.minimum(rng.zipf(1.3, rng.integers(*_WORDS)) - 1, len(lexicon) - 1)
        words = [lexicon[rank] for rank in ranks]
        if punctuated:
            words = [word + "," * (i % 5 == 0) for i, word in enumerate(words)]
            words[::9] = ["the"] * len(words[::9])
        ends = np.cumsum([len(word) + len(gap) for word in words]) - len(gap)
        places.append([(int(end) - len(w), int(end)) for w, end in zip(words, ends, strict=True)])
        low = rng.integers(0, len(words), 1 + _RIVALS)
        spans.append(np.stack([low, np.minimum(low + rng.geometric(0.4, len(low)), len(words))], 1))
        start, end = places[-1][spans[-1][0, 0]][0], places[-1][spans[-1][0, 1] - 1][1]
        context = gap.join(words)
        answer = Answer(context[start:end], start)
        document = f"d{number // 5}"
        examples.append(Example(f"q{number}", "?", context, (answer,), language, document))
    windows, made = {}, []
    heights = rng.normal([4.0, *[2.0] * _RIVALS], 1.5, (questions, 1 + _RIVALS))
    recipes = rng.normal(0, 0.5, (RECIPES, questions, 1 + _RIVALS))
    for group in range(GROUPS):
        name = f"tokens-of-{group + 2}"
        windows[name], word, owner = _cut(places, group + 2)
        near = _nearness(spans, word, owner)
        own = heights + rng.normal(0, 0.7, heights.shape)
        noise = rng.normal(-4, 1.0, (2, len(word))).astype(np.float32)
        for number in range(group, candidates, GROUPS):
            skill = np.append(rng.normal(0.5, 0.3), np.zeros(_RIVALS))
            recipe = number % RECIPES
            mine = own + skill + recipes[recipe] + rng.normal(0, 0.5, heights.shape)
            lift = np.maximum(mine, 0).astype(np.float32).T[:, owner] * near
            logits = noise + 0.7 * rng.standard_normal(noise.shape, np.float32)
            logits += 2 * lift.max(axis=1)
            seconds = float(rng.uniform(5, 50))
            made.append(
                Contender(f"t{number:04d}-100", name, f"r{recipe}", (logits[0], logits[1]), seconds)
            )
    made.sort(key=lambda candidate: candidate.id)
    return Field(examples, windows, made)


def _cut(
    places: Sequence[Sequence[tuple[int, int]]], letters: int
) -> tuple[CutWindows, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Tokens of so many letters in windows; each token's word in its context, and its example."""
    offsets, context, example, word, bounds = [], [], [], [], [0]
    for row, words in enumerate(places):
        tokens = [
            (at, min(at + letters, high), number)
            for number, (low, high) in enumerate(words)
            for at in range(low, high, letters)
        ]
        for first in range(0, max(len(tokens) - _OVERLAP, 1), _ROOM - _OVERLAP):
            part = tokens[first : first + _ROOM]
            offsets += [(0, 0), *[token[:2] for token in part], (0, 0)]
            word += [-9, *[token[2] for token in part], -9]
            context.append((1, 1 + len(part)))
            example.append(row)
            bounds.append(len(offsets))
    cut = CutWindows(
        np.array(bounds, np.int64),
        np.array(example, np.int32),
        np.array(context, np.int32),
        np.array(offsets, np.int32),
    )
    return cut, np.array(word, np.int64), np.repeat(np.array(example), np.diff(bounds))


def _nearness(
    spans: Sequence[npt.NDArray[np.int64]],
    word: npt.NDArray[np.int64],
    owner: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """How near each token is to first and last word of the spans that stand out, 0 to 1."""
    edges = (np.stack(spans) - [0, 1])[owner].transpose(2, 1, 0)  # [2, spans, T]
    near: npt.NDArray[np.float32] = np.exp(-np.abs(word - edges) / 0.8).astype(np.float32)
    return near
