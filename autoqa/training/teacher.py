"""What candidates say of windows that a pupil is to learn from.

A teacher with the pupil's tokenizer answers the pupil's very windows. Another one answers windows
of its own, and what it says is laid over the pupil's tokens character by character
(:mod:`autoqa.ensemble.joining.token_masses`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autoqa.api import Precision
from autoqa.arrays import Floats, Indices
from autoqa.ensemble.joining.characters import GroupLogits
from autoqa.ensemble.joining.token_masses import token_masses
from autoqa.errors import DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows, ragged_index
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, most_positions
from autoqa.modeling.packing import context_tokens
from autoqa.types import Example, ProgressCallback

_EXAMPLES = 2048
"""Examples whose characters are looked at together: bounds memory, costs no time."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """Different windows of one stage.

    Attributes:
        windows: Each once; ``example`` is a row of ``examples``.
        rows: Which of them each of the stage's windows is, int64 ``[stage's windows]``.
        examples: What the windows were cut from, and perhaps others.
    """

    windows: Windows
    rows: Indices
    examples: Sequence[Example]

    @classmethod
    def of(cls, windows: Windows, examples: Sequence[Example]) -> "Lesson":
        """Leaves out what comes again, as in a second pass over a portion."""
        found: dict[tuple[int, bytes], int] = {}
        first: list[int] = []
        rows = np.empty(len(windows), np.int64)
        edges = windows.bounds.tolist()
        for row, example in enumerate(windows.example.tolist()):
            key = example, windows.input_ids[edges[row] : edges[row + 1]].tobytes()
            rows[row] = found.setdefault(key, len(first))
            if rows[row] == len(first):
                first.append(row)
        return cls(take(windows, first), rows, examples)


class Teacher:
    """A candidate that answers windows.

    Args:
        folder: Its model.
        group: Its windows.
        precision: What its matrix products are computed in.

    Raises:
        MissingAssetError: The folder holds no model.
    """

    def __init__(self, folder: Path, group: WindowGroup, precision: Precision) -> None:
        self._model = load_for_inference(folder)
        self._tokenizer = QATokenizer.from_folder(folder)
        self._positions = most_positions(folder)
        self._group, self._precision = group, precision

    def log_probabilities(
        self, lesson: Lesson, tokenizer: str, progress: ProgressCallback | None = None
    ) -> Floats:
        """Logarithms of the probabilities of starts and of ends.

        Args:
            lesson: The windows.
            tokenizer: Key of the tokenizer that they are made of.
            progress: Called with windows or examples done, and in all.

        Returns:
            float32 ``[T, 2]``; each window's tokens share a mass of 1, of which its first token
            has that of "no answer here".

        Raises:
            DataError: The model's logits are not numbers.
        """
        longest = int(lesson.windows.lengths.max(initial=0))
        fits = self._positions is None or longest <= self._positions
        if tokenizer == self._tokenizer.key and fits:
            return self._of_tokens(lesson.windows, progress)
        return self._of_characters(lesson, progress)

    def _of_tokens(self, windows: Windows, progress: ProgressCallback | None) -> Floats:
        logits = predict(self._model, windows, precision=self._precision, progress=progress)
        allowed = context_tokens(windows)
        allowed[windows.bounds[:-1]] = True
        sides = [_log_softmax(np.where(allowed, side, -np.inf), windows) for side in logits]
        return np.stack(sides, axis=1)

    def _of_characters(self, lesson: Lesson, progress: ProgressCallback | None) -> Floats:
        windows = lesson.windows
        said = np.empty((len(windows.input_ids), 2), np.float32)
        used = np.unique(windows.example)
        for begin in range(0, len(used), _EXAMPLES):
            chunk = used[begin : begin + _EXAMPLES]
            encoded = encode(self._tokenizer, [lesson.examples[row] for row in chunk.tolist()])
            own = cut(encoded, self._group.length, self._group.stride)
            rows = np.flatnonzero(np.isin(windows.example, chunk))
            part = take(windows, rows)
            part = replace(part, example=np.searchsorted(chunk, part.example).astype(np.int32))
            logits = predict(self._model, own, precision=self._precision)
            contexts = [lesson.examples[row].context for row in chunk.tolist()]
            masses = token_masses([GroupLogits(own, [logits], [1.0])], part, contexts)
            index, _ = ragged_index(windows.bounds[:-1][rows], windows.bounds[1:][rows])
            with np.errstate(divide="ignore"):
                said[index] = np.log(masses)
            if progress is not None:
                progress(begin + len(chunk), len(used))
        return said


def _log_softmax(logits: Floats, windows: Windows) -> Floats:
    first, lengths = windows.bounds[:-1], windows.lengths
    if not len(first):
        return logits
    highest = np.maximum.reduceat(logits, first)
    if not np.isfinite(highest).all():
        raise DataError("a teacher's logits are not numbers: its model is broken, leave it out")
    shifted = logits - np.repeat(highest, lengths)
    total = np.log(np.add.reduceat(np.exp(shifted), first))
    probabilities: Floats = (shifted - np.repeat(total, lengths)).astype(np.float32)
    return probabilities


def joined(
    answers: Sequence[tuple[npt.NDArray[np.floating], int]], windows: Windows
) -> tuple[npt.NDArray[np.float16], Floats]:
    """The mean of teachers' distributions, weighted by seats, and how sure it is.

    Args:
        answers: What :meth:`Teacher.log_probabilities` gave, and the teacher's seats.
        windows: The windows.

    Returns:
        Log-probabilities, float16 ``[T, 2]``. And each window's probability of the likeliest start
        times that of the likeliest end, float32 ``[W]``.
    """
    first = windows.bounds[:-1]
    total = np.zeros((len(windows.input_ids), 2), np.float32)
    for said, seats in answers:
        total += seats * np.exp(said.astype(np.float32))
    total /= sum(seats for _, seats in answers)
    if not len(first):
        return total.astype(np.float16), np.zeros(0, np.float32)
    highest = np.maximum.reduceat(total, first, axis=0).prod(axis=1)
    with np.errstate(divide="ignore"):
        return np.log(total).astype(np.float16), highest.astype(np.float32)
