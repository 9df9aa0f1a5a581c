"""Candidates of known quality: logits with a hill at the answer, and noise of their own."""

import numpy as np

from autoqa.ensemble.evaluation.evaluator import Contender
from autoqa.types import Answer, Example
from tests.decoding.making import cut


def questions(rng, count, words=60, per_document=2):
    """Examples with one answer of one to four words; tokens are whole words."""
    examples, offsets, answers = [], [], []
    for number in range(count):
        n = int(rng.integers(words // 2, words))
        pieces = [
            str(rng.choice(["अ", "आ", "इ", "x", "y", "z"])) * 2 + str(i % 17) for i in range(n)
        ]
        context = " ".join(pieces)
        ends = np.cumsum([len(p) + 1 for p in pieces])
        places = [(int(e) - len(p) - 1, int(e) - 1) for p, e in zip(pieces, ends, strict=True)]
        i = int(rng.integers(n))
        j = min(i + int(rng.integers(4)), n - 1)
        text = context[places[i][0] : places[j][1]]
        examples.append(
            Example(
                id=f"q{number}",
                question="?",
                context=context,
                answers=(Answer(text, places[i][0]),),
                language="hi",
                document=f"d{number // per_document}",
            )
        )
        offsets.append(places)
        answers.append((i, j))
    return examples, offsets, answers


def group_windows(offsets, room):
    return cut(offsets, room, room // 3)


def candidate(rng, name, group, windows, examples, noise, recipe="", seconds=1.0):
    """Right more often the less noise; noise of different candidates is independent."""
    tokens = int(windows.bounds[-1])
    start, end = rng.normal(0, noise, (2, tokens)).astype(np.float32)
    for w, row in enumerate(windows.example):
        low, high = windows.bounds[w] + windows.context[w]
        answer = examples[row].answers[0]
        inside = windows.offsets[low:high]
        start[low:high][inside[:, 0] == answer.start] += 6
        end[low:high][inside[:, 1] == answer.end] += 6
    return Contender(
        id=name,
        group=group,
        recipe=recipe or name,
        logits=(start, end),
        seconds=seconds,
    )


def field(seed, count=80, noises=((2.5, 3.0, 3.5), (2.6, 3.2), (2.8, 3.4))):
    """Examples, windows by group and candidates ``g0-0``, ``g0-1``, ... of several groups."""
    rng = np.random.default_rng(seed)
    examples, offsets, _ = questions(rng, count)
    windows = {f"g{g}": group_windows(offsets, 24 + 8 * g) for g in range(len(noises))}
    candidates = [
        candidate(rng, f"g{g}-{i}", f"g{g}", windows[f"g{g}"], examples, noise)
        for g, own in enumerate(noises)
        for i, noise in enumerate(own)
    ]
    return examples, windows, candidates
