"""Examples become flat token arrays; each distinct question and context is encoded once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from autoqa.features.flat import Characters, Flat, batches, encode_texts, word_starts
from autoqa.features.offsets import mend
from autoqa.features.tokenizer import QATokenizer, Template
from autoqa.features.words import WordEncoder, splits_into_words
from autoqa.types import Example

VERSION = 2
"""Goes up when the same tokenizer and examples are encoded to something else."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """N examples as indices into one pool of tokens: specials, questions, contexts.

    Attributes:
        names: What error messages call each example, N long.
        template: Special tokens around a question and a context.
        ids: Token ids of the pool, int32 ``[P]``; it starts with prefix, middle and suffix.
        type_ids: Segment ids of the pool, int32 ``[P]``.
        offsets: First and one-past-last character in the context, see
            :func:`autoqa.features.offsets.mend`; zeros elsewhere; int32 ``[P, 2]``.
        starts_word: Which tokens are the first of a word of the context, see
            :class:`autoqa.features.flat.Flat`; false elsewhere; bool ``[P]``.
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
    starts_word: npt.NDArray[np.bool_]
    question: npt.NDArray[np.int64]
    context: npt.NDArray[np.int64]
    answer: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def question_tokens(self) -> npt.NDArray[np.int64]:
        """Tokens of each question, int64 ``[N]``."""
        return self.question[:, 1] - self.question[:, 0]

    @property
    def context_tokens(self) -> npt.NDArray[np.int64]:
        """Tokens of each context, int64 ``[N]``."""
        return self.context[:, 1] - self.context[:, 0]

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
    words = WordEncoder(tokenizer.core) if splits_into_words(tokenizer.core) else None
    question_tokens = _flatten(tokenizer, questions, words)
    context_tokens = _flatten(tokenizer, contexts, words)
    first_question = template.specials
    first_context = first_question + len(question_tokens.ids)
    special_types = np.concatenate([special.type_ids for special in specials])
    return Encoded(
        names=names_of(examples),
        template=template,
        ids=np.concatenate(
            [*(special.ids for special in specials), question_tokens.ids, context_tokens.ids]
        ),
        type_ids=np.concatenate(
            [
                special_types,
                np.full(len(question_tokens.ids), template.question_type, np.int32),
                np.full(len(context_tokens.ids), template.context_type, np.int32),
            ]
        ),
        offsets=np.concatenate([np.zeros((first_context, 2), np.int32), context_tokens.offsets]),
        starts_word=np.concatenate([np.zeros(first_context, bool), context_tokens.starts_word]),
        question=question_tokens.ranges[question_rows] + first_question,
        context=context_tokens.ranges[context_rows] + first_context,
        answer=_answer_tokens(examples, context_rows, context_tokens),
    )


def names_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """What error messages call examples: the source's name and the id."""
    return tuple(
        f"{example.source}/{example.id}" if example.source else example.id for example in examples
    )


def _distinct(texts: list[str]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Row of each text among the distinct texts, int64 ``[N]``, and the distinct texts."""
    seen: dict[str, int] = {}
    rows = [seen.setdefault(text, len(seen)) for text in texts]
    return np.array(rows, dtype=np.int64), list(seen)


def _flatten(tokenizer: QATokenizer, texts: list[str], words: WordEncoder | None) -> Flat:
    """Tokens of texts back to back, by way of their words where that gives the same."""
    parts: list[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.bool_]]] = []
    counts = [np.zeros(0, np.int32)]
    for batch in batches(texts):
        characters = Characters.of(batch)
        if words is not None:
            ids, offsets, sizes = words.encode(characters)
        else:
            ids, offsets, sizes = encode_texts(tokenizer.core, batch)
            offsets = mend(characters, offsets, sizes).offsets
        parts.append((ids, offsets, word_starts(characters, offsets, sizes)))
        counts.append(sizes)
    return Flat(
        ids=np.concatenate([np.zeros(0, np.int32), *(part[0] for part in parts)]),
        offsets=np.concatenate([np.zeros((0, 2), np.int32), *(part[1] for part in parts)]),
        starts_word=np.concatenate([np.zeros(0, bool), *(part[2] for part in parts)]),
        ends=np.cumsum(np.concatenate(counts), dtype=np.int64),
    )


def _answer_tokens(
    examples: Sequence[Example],
    rows: npt.NDArray[np.int64],
    contexts: Flat,
) -> npt.NDArray[np.int64]:
    """The tokens whose characters overlap the first answer's, counted inside the context.

    All contexts are searched at once: characters get a base that grows from context to context.
    Running extremes make the search exact even where a normaliser left offsets out of order.

    Args:
        examples: N examples.
        rows: Which distinct context each has, int64 ``[N]``.
        contexts: The distinct contexts' tokens.

    Returns:
        First and one-past-last token, int64 ``[N, 2]``; zeros where no token overlaps.
    """
    answers = np.array(
        [(a[0].start, a[0].end) if (a := example.answers) else (0, 0) for example in examples],
        dtype=np.int64,
    ).reshape(-1, 2)
    offsets, starts_at = contexts.offsets, contexts.ranges
    span = 1 + max(int(offsets.max(initial=0)), int(answers.max(initial=0)))
    base = np.repeat(np.arange(len(starts_at)) * span, starts_at[:, 1] - starts_at[:, 0])
    token_start = np.minimum.accumulate((offsets[:, 0] + base)[::-1])[::-1]
    token_end = np.maximum.accumulate(offsets[:, 1] + base)
    bounds = answers + (rows * span)[:, None]
    first = np.searchsorted(token_end, bounds[:, 0], side="right")
    last = np.searchsorted(token_start, bounds[:, 1], side="left")
    ranges = np.stack([first, last], axis=1) - starts_at[rows, 0][:, None]
    # Every context's characters end below the next one's base, so a search never leaves its
    # context by more than the one place that makes the range empty.
    overlapping = (answers[:, 1] > answers[:, 0]) & (ranges[:, 0] < ranges[:, 1])
    return np.where(overlapping[:, None], ranges, 0)
