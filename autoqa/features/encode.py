"""Examples become flat token arrays; each distinct question and context is encoded once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import numpy.typing as npt

from autoqa.features.tokenizer import QATokenizer, Template
from autoqa.types import Example

_CHARACTERS = 2_000_000
"""Characters encoded at once: bounds the memory that encodings take before they are flattened."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """N examples as indices into one pool of tokens: specials, questions, contexts.

    Attributes:
        names: What error messages call each example, N long.
        template: Special tokens around a question and a context.
        ids: Token ids of the pool, int32 ``[P]``; it starts with prefix, middle and suffix.
        type_ids: Segment ids of the pool, int32 ``[P]``.
        offsets: First and one-past-last character in the context, zeros elsewhere, int32
            ``[P, 2]``.
        question: First and one-past-last pool token of each example's question, int64 ``[N, 2]``.
        context: The same for its context, int64 ``[N, 2]``.
        answer: First and one-past-last token of its first answer, counted inside the context,
            int64 ``[N, 2]``; equal numbers where there is none.
    """

    names: tuple[str, ...]
    template: Template
    ids: npt.NDArray[np.int32]
    type_ids: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int32]
    question: npt.NDArray[np.int64]
    context: npt.NDArray[np.int64]
    answer: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    def room(self, length: int) -> npt.NDArray[np.int64]:
        """Context tokens that fit beside each question in a window, int64 ``[N]``; may be < 1."""
        return length - self.template.specials - (self.question[:, 1] - self.question[:, 0])

    def take(self, rows: npt.ArrayLike) -> "Encoded":
        """The examples of these rows, in this order; the pool is shared, not copied."""
        index = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            names=tuple(self.names[row] for row in index.tolist()),
            question=self.question[index],
            context=self.context[index],
            answer=self.answer[index],
        )


def encode(tokenizer: QATokenizer, examples: Sequence[Example]) -> Encoded:
    """Encodes examples, to be cut into windows of any length later.

    White space before a question is dropped, as is usual: some data sets have a lot of it.

    Args:
        tokenizer: The backbone's tokenizer.
        examples: What to encode; ``answers[0]`` becomes the label.
    """
    template = tokenizer.template
    specials = (template.prefix, template.middle, template.suffix)
    question_rows, questions = _distinct([example.question.lstrip() for example in examples])
    context_rows, contexts = _distinct([example.context for example in examples])
    question_ids, _, question_ends = _flatten(tokenizer, questions, with_offsets=False)
    context_ids, offsets, context_ends = _flatten(tokenizer, contexts, with_offsets=True)
    first_question = template.specials
    first_context = first_question + len(question_ids)
    special_types = np.concatenate([special.type_ids for special in specials])
    return Encoded(
        names=tuple(_name(example) for example in examples),
        template=template,
        ids=np.concatenate([*(special.ids for special in specials), question_ids, context_ids]),
        type_ids=np.concatenate(
            [
                special_types,
                np.full(len(question_ids), template.question_type, np.int32),
                np.full(len(context_ids), template.context_type, np.int32),
            ]
        ),
        offsets=np.concatenate([np.zeros((first_context, 2), np.int32), offsets]),
        question=_ranges(question_ends)[question_rows] + first_question,
        context=_ranges(context_ends)[context_rows] + first_context,
        answer=_answer_tokens(examples, context_rows, offsets, context_ends),
    )


def _name(example: Example) -> str:
    return f"{example.source}/{example.id}" if example.source else example.id


def _distinct(texts: list[str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Row of each text among the distinct texts, int64 ``[N]``, and the distinct texts."""
    seen: dict[str, int] = {}
    rows = [seen.setdefault(text, len(seen)) for text in texts]
    return np.array(rows, dtype=np.int64), list(seen)


def _batches(texts: list[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= _CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _flatten(
    tokenizer: QATokenizer, texts: list[str], *, with_offsets: bool
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Tokens of texts back to back.

    Returns:
        Ids int32 ``[P]``, offsets int32 ``[P, 2]`` (no rows unless asked for), and where each
        text ends, int64 ``[texts]``.
    """
    core = tokenizer.core
    encode_batch = core.encode_batch if with_offsets else core.encode_batch_fast
    ids: list[npt.NDArray[np.int32]] = []
    offsets: list[npt.NDArray[np.int32]] = []
    lengths: list[int] = []
    for batch in _batches(texts):
        encodings = encode_batch(batch, add_special_tokens=False)
        rows = [encoding.ids for encoding in encodings]
        counts = [len(row) for row in rows]
        total = sum(counts)
        lengths += counts
        ids.append(np.fromiter(chain.from_iterable(rows), np.int32, total))
        if with_offsets:
            pairs = chain.from_iterable(encoding.offsets for encoding in encodings)
            numbers = np.fromiter(chain.from_iterable(pairs), np.int32, 2 * total)
            offsets.append(numbers.reshape(total, 2))
    return (
        np.concatenate([np.zeros(0, np.int32), *ids]),
        np.concatenate([np.zeros((0, 2), np.int32), *offsets]),
        np.cumsum(np.array(lengths, dtype=np.int64)),
    )


def _ranges(ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """First and one-past-last token of each text, int64 ``[texts, 2]``."""
    starts = np.concatenate([np.zeros(1, np.int64), ends])[:-1]
    return np.stack([starts, ends], axis=1)


def _answer_tokens(
    examples: Sequence[Example],
    rows: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """The tokens whose characters overlap the first answer's, counted inside the context.

    All contexts are searched at once: characters get a base that grows from context to context.
    Running extremes make the search exact even where a normaliser left offsets out of order.

    Args:
        examples: N examples.
        rows: Which distinct context each has, int64 ``[N]``.
        offsets: Characters of all contexts' tokens, int32 ``[P, 2]``.
        ends: Where each context's tokens end, int64 ``[contexts]``.

    Returns:
        First and one-past-last token, int64 ``[N, 2]``; zeros where no token overlaps.
    """
    answers = np.array(
        [(a[0].start, a[0].end) if (a := example.answers) else (0, 0) for example in examples],
        dtype=np.int64,
    ).reshape(-1, 2)
    span = 1 + max(int(offsets.max(initial=0)), int(answers.max(initial=0)))
    starts_at = _ranges(ends)
    base = np.repeat(np.arange(len(ends)) * span, starts_at[:, 1] - starts_at[:, 0])
    token_start = np.minimum.accumulate((offsets[:, 0] + base)[::-1])[::-1]
    token_end = np.maximum.accumulate(offsets[:, 1] + base)
    wanted = answers + (rows * span)[:, None]
    first = np.searchsorted(token_end, wanted[:, 0], side="right")
    last = np.searchsorted(token_start, wanted[:, 1], side="left")
    found = np.stack([first, last], axis=1) - starts_at[rows, 0][:, None]
    # Every context's characters end below the next one's base, so a search never leaves its
    # context by more than the one place that makes the range empty.
    some = (answers[:, 1] > answers[:, 0]) & (found[:, 0] < found[:, 1])
    return np.where(some[:, None], found, 0)
