"""The practice that n-best decoding is held against.

What ``postprocess_qa_predictions`` of the question-answering example of transformers does for
answerable questions, step by step: for every window the best twenty start and twenty end indexes
by ``argsort``, nested loops over their pairs with the checks for special tokens, order and length,
a sort of all windows' pairs, and a softmax over the n best. It is spared its progress bar, its
files, and reading each window from a ``datasets.Dataset``, all of which only make it slower.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autoqa.features.windows import Windows
from autoqa.types import Example

Padded = npt.NDArray[np.floating]
Lists = dict[str, list[dict[str, Any]]]


def features(windows: Windows, examples: Sequence[Example], length: int) -> list[dict[str, Any]]:
    """Windows as the example prepares them: padded, offsets kept for context tokens only."""
    made = []
    for window, row in enumerate(windows.example):
        first, last = windows.context[window] + windows.bounds[window]
        before = int(windows.context[window, 0])
        offsets = [(low, high) for low, high in windows.offsets[first:last].tolist()]
        after = length - before - len(offsets)
        made.append(
            {
                "example_id": examples[row].id,
                "offset_mapping": [None] * before + offsets + [None] * after,
            }
        )
    return made


def padded(windows: Windows, logits: npt.NDArray[np.floating], length: int) -> Padded:
    """Logits ``[T]`` as the example gets them, ``[W, length]`` with -100 after each window."""
    rows = np.full((len(windows), length), -100, logits.dtype)
    for window in range(len(windows)):
        own = logits[windows.bounds[window] : windows.bounds[window + 1]]
        rows[window, : len(own)] = own
    return rows


def postprocess(
    examples: Sequence[Example],
    features: Sequence[dict[str, Any]],
    starts: Padded,
    ends: Padded,
    *,
    n_best: int | None = 20,
    grid: int = 20,
    max_answer_length: int = 30,
) -> tuple[dict[str, str], Lists]:
    """Answer and n best predictions of every question.

    Args:
        examples: The questions.
        features: What :func:`features` makes.
        starts: Start logits ``[W, length]``.
        ends: End logits ``[W, length]``.
        n_best: Length of a list; ``None`` keeps all.
        grid: How many starts and ends of a window are paired; the example takes ``n_best``.
        max_answer_length: Most tokens in an answer.
    """
    row_of = {example.id: row for row, example in enumerate(examples)}
    windows_of = defaultdict(list)
    for window, feature in enumerate(features):
        windows_of[row_of[feature["example_id"]]].append(window)
    answers: dict[str, str] = {}
    lists: Lists = {}
    for row, example in enumerate(examples):
        found: list[dict[str, Any]] = []
        for window in windows_of[row]:
            _pairs(found, features[window], starts[window], ends[window], grid, max_answer_length)
        best = sorted(found, key=lambda one: one["score"], reverse=True)[:n_best]
        for one in best:
            low, high = one["offsets"]
            one["text"] = example.context[low:high]
        if not best:
            best = [{"text": "empty", "score": 0.0, "start_logit": 0.0, "end_logit": 0.0}]
        scores = np.array([one["score"] for one in best])
        shifted = np.exp(scores - scores.max())
        for share, one in zip(shifted / shifted.sum(), best, strict=True):
            one["probability"] = share
        answers[example.id] = best[0]["text"]
        lists[example.id] = [
            {key: float(v) if isinstance(v, np.floating) else v for key, v in one.items()}
            for one in best
        ]
    return answers, lists


def _pairs(
    found: list[dict[str, Any]],
    feature: dict[str, Any],
    start: Padded,
    end: Padded,
    grid: int,
    max_answer_length: int,
) -> None:
    offsets = feature["offset_mapping"]
    first_indexes = np.argsort(start)[-1 : -grid - 1 : -1].tolist()
    last_indexes = np.argsort(end)[-1 : -grid - 1 : -1].tolist()
    for first in first_indexes:
        for last in last_indexes:
            if (
                first >= len(offsets)
                or last >= len(offsets)
                or offsets[first] is None
                or offsets[last] is None
            ):
                continue
            if last < first or last - first + 1 > max_answer_length:
                continue
            found.append(
                {
                    "offsets": (offsets[first][0], offsets[last][1]),
                    "score": start[first] + end[last],
                    "start_logit": start[first],
                    "end_logit": end[last],
                }
            )
