"""Encoded examples become windows with labels, without Python work per window."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Indices
from autoqa.errors import PluginError
from autoqa.features.encode import Encoded
from autoqa.features.questions import kept
from autoqa.features.windows import Windows, ragged_index

Plan = Callable[
    [int, int, int, np.random.Generator],
    tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None,
]
"""(tokens, room, stride, rng) to the windows' first and one-past-last context tokens, or None."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """W windows of N encoded examples, before their tokens are put together.

    Attributes:
        example: Row of each window's example, int64 ``[W]``.
        first: First token, counted inside the context, int64 ``[W]``.
        last: One past the last token, counted inside the context, int64 ``[W]``.
        question: Tokens of the question, from its first one on, int64 ``[W]``.
        answerable: Which windows hold their example's whole answer, bool ``[W]``.
    """

    example: Indices
    first: Indices
    last: Indices
    question: Indices
    answerable: npt.NDArray[np.bool_]

    def take(self, rows: npt.ArrayLike) -> "Cuts":
        """The windows of these rows, in this order."""
        index = np.asarray(rows, dtype=np.int64)
        return Cuts(
            self.example[index],
            self.first[index],
            self.last[index],
            self.question[index],
            self.answerable[index],
        )


def cut(
    encoded: Encoded,
    length: int,
    stride: int,
    *,
    plan: Plan | None = None,
    rng: np.random.Generator | None = None,
) -> Windows:
    """Cuts every context into windows beside its question, shortened where that must be.

    The regular cut gives what a fast tokenizer gives for (question, context) with truncation
    ``only_second``, this ``max_length`` and ``stride`` and overflowing tokens returned, unless the
    question is too long, see :mod:`autoqa.features.questions`.

    A token belongs to the answer if it has characters in common with it. A window is labelled
    only if it holds all of the answer's tokens.

    Args:
        encoded: Examples from :func:`autoqa.features.encode.encode`.
        length: Most tokens in a window, question and special tokens included.
        stride: Context tokens that neighbouring windows share.
        plan: Asked for each example in order how to cut it; left out, or where it answers
            ``None``, the cut is regular. See :meth:`autoqa.api.Augmentation.plan`.
        rng: Handed to ``plan``.

    Raises:
        ConfigError: There is no room for a question and a context at this length and stride.
        PluginError: A plan leaves a part of a context out or makes a window too long.
    """
    return gather(encoded, find_cuts(encoded, length, stride, plan=plan, rng=rng))


def find_cuts(
    encoded: Encoded,
    length: int,
    stride: int,
    *,
    plan: Plan | None = None,
    rng: np.random.Generator | None = None,
) -> Cuts:
    """The first half of :func:`cut`: where every context is cut."""
    tokens, question = encoded.context_tokens, kept(encoded, length, stride)
    room = length - encoded.template.specials - question
    example, first, last = _regular(tokens, room, stride)
    if plan is not None:
        generator = rng if rng is not None else np.random.default_rng(0)
        example, first, last = _planned(
            encoded, tokens, room, stride, plan, generator, (example, first, last)
        )
    answer = encoded.answer[example]
    whole = (first <= answer[:, 0]) & (answer[:, 1] <= last) & (answer[:, 0] < answer[:, 1])
    return Cuts(example, first, last, question[example], whole)


def _regular(tokens: Indices, room: Indices, stride: int) -> tuple[Indices, Indices, Indices]:
    """The practice's cut: equal steps, until a window reaches the end of the context."""
    step = np.maximum(room - stride, 1)
    counts = 1 + np.maximum(0, -((room - tokens) // step))
    example, position = _count_up(counts)
    first = position * step[example]
    return example, first, np.minimum(first + room[example], tokens[example])


def _count_up(counts: Indices) -> tuple[Indices, Indices]:
    """Row n repeated ``counts[n]`` times, and 0, 1, 2… inside each row."""
    rows = np.repeat(np.arange(len(counts)), counts)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _planned(
    encoded: Encoded,
    tokens: Indices,
    room: Indices,
    stride: int,
    plan: Plan,
    rng: np.random.Generator,
    regular: tuple[Indices, Indices, Indices],
) -> tuple[Indices, Indices, Indices]:
    """Asks the plan for each example; example, first and last token of each window."""
    _, first, last = regular
    edges = np.searchsorted(regular[0], np.arange(len(encoded) + 1)).tolist()
    firsts, lasts = [], []
    for row, (size, space) in enumerate(zip(tokens.tolist(), room.tolist(), strict=True)):
        answer = plan(size, space, stride, rng)
        if answer is None:
            here = slice(edges[row], edges[row + 1])
            firsts.append(first[here])
            lasts.append(last[here])
            continue
        firsts.append(np.asarray(answer[0], dtype=np.int64))
        lasts.append(np.asarray(answer[1], dtype=np.int64))
        fault = window_fault(firsts[-1], lasts[-1], size, space)
        if fault:
            raise PluginError(
                f"An augmentation cut the context of {encoded.names[row]!r} ({size} tokens, "
                f"{space} fit into a window) so that {fault}: windows {firsts[-1].tolist()} to "
                f"{lasts[-1].tolist()}; report it to the plugin's author or take it out of the "
                f"recipe."
            )
    if not firsts:
        return regular
    counts = np.array([len(windows) for windows in firsts], dtype=np.int64)
    return _count_up(counts)[0], np.concatenate(firsts), np.concatenate(lasts)


def window_fault(first: Indices, last: Indices, tokens: int, room: int) -> str | None:
    """What is wrong with the windows of one context."""
    if first.ndim != 1 or first.shape != last.shape or not len(first):
        return "there is no window, or as many starts as ends are not given"
    if (first < 0).any() or (last > tokens).any() or (first > last).any():
        return "a window lies outside it"
    if (last - first > room).any():
        return "a window is too long"
    order = np.argsort(first, kind="stable")
    reached = np.maximum.accumulate(np.concatenate([np.zeros(1, np.int64), last[order]]))
    if (first[order] > reached[:-1]).any() or reached[-1] < tokens:
        return "a part of it is in no window"
    return None


def gather(encoded: Encoded, cuts: Cuts) -> Windows:
    """The second half of :func:`cut`: windows get their tokens and labels.

    Prefix, question, middle, context and suffix of every window are put together in one go.

    Args:
        encoded: What was cut.
        cuts: Its windows, or some of them.
    """
    template, example, first, last = encoded.template, cuts.example, cuts.first, cuts.last
    asked = cuts.question
    prefix, middle, specials = len(template.prefix), len(template.middle), template.specials
    question, context = encoded.question[example, 0], encoded.context[example, 0]
    starts = np.empty((len(example), 5), np.int64)
    ends = np.empty_like(starts)
    starts[:, 0], ends[:, 0] = 0, prefix
    starts[:, 1], ends[:, 1] = question, question + asked
    starts[:, 2], ends[:, 2] = prefix, prefix + middle
    starts[:, 3], ends[:, 3] = context + first, context + last
    starts[:, 4], ends[:, 4] = prefix + middle, specials
    index, edges = ragged_index(starts.ravel(), ends.ravel())
    starts_word = np.take(encoded.starts_word, index)
    starts_word[edges[3::5][first < last]] = True
    base = prefix + asked + middle
    label = encoded.answer[example] + (base - first)[:, None] - np.array([0, 1])
    return Windows(
        input_ids=np.take(encoded.ids, index),
        type_ids=np.take(encoded.type_ids, index),
        # Indexing two columns with brackets takes ten times as long.
        offsets=np.take(encoded.offsets, index, axis=0),
        starts_word=starts_word,
        bounds=edges[::5],
        example=example.astype(np.int32),
        context=np.stack([base, base + last - first], axis=1).astype(np.int32),
        label=np.where(cuts.answerable[:, None], label, 0).astype(np.int32),
    )
