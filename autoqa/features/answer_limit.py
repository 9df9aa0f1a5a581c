"""How long an answer may be, in tokens of one tokenizer, as the answers that are known say it.

Every source counts for itself: pooled, the few long answers of a small target would vanish among
those of a large source of short ones. Of a source with fewer than a thousand answers the quantile
is the longest. Answers are tokenized by themselves, which takes seconds where their contexts would
take minutes; in its context an answer has a token more or less, which rounding up makes good.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.arrays import Indices
from autoqa.decoding.span_search import MAX_ANSWER_TOKENS
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import Example

QUANTILE = 0.999
"""Share of a source's answers that are never cut, if windows are long enough."""

_STEP = 8
"""The limit is a multiple of it, unless it is a bound."""

_AT_ONCE = 1000
"""Texts tokenized together: the tokenizer's objects take kilobytes each."""


@dataclass(frozen=True, slots=True)
class AnswerTexts:
    """The answers that a limit is made for, each as often as it was given.

    Attributes:
        by_source: How often each text stands in each source, white space at its ends left out.
    """

    by_source: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, examples: Mapping[str, Iterable[Example]]) -> "AnswerTexts":
        """All references of examples, by the name that stands for them."""
        return cls(
            {
                name: Counter(answer.text.strip() for row in rows for answer in row.answers)
                for name, rows in examples.items()
            }
        )


@dataclass(frozen=True, slots=True)
class AnswerLengths:
    """Lengths of answers in tokens of one tokenizer.

    Attributes:
        by_source: Those of each source's answers, ascending, int64; sources without answers are
            left out.
    """

    by_source: Mapping[str, Indices]

    @classmethod
    def of(cls, tokenizer: QATokenizer, texts: AnswerTexts) -> "AnswerLengths":
        """Tokenizes every text once."""
        distinct = list(dict.fromkeys(text for each in texts.by_source.values() for text in each))
        tokens = dict(zip(distinct, _token_counts(tokenizer, distinct), strict=True))
        return cls(
            {
                name: np.sort(
                    np.repeat([tokens[text] for text in counts], list(counts.values()))
                ).astype(np.int64)
                for name, counts in texts.by_source.items()
                if counts
            }
        )

    def limit(self, length: int) -> int:
        """Most tokens in an answer.

        The :data:`QUANTILE` of the source with the longest answers, rounded up to a multiple of
        eight. Never below what version 0.1.0 allowed. Otherwise never above half a window, because
        most longer answers are whole in no window.

        Args:
            length: Tokens in a window.
        """
        quantiles = [
            np.quantile(each, QUANTILE, method="higher") for each in self.by_source.values()
        ]
        needed = -(-int(max(quantiles, default=0)) // _STEP) * _STEP
        return max(MAX_ANSWER_TOKENS, min(needed, length // 2))

    def beyond(self, limit: int) -> dict[str, int]:
        """Answers of each source that have more tokens."""
        return {
            name: len(each) - int(np.searchsorted(each, limit, side="right"))
            for name, each in self.by_source.items()
        }


def _token_counts(tokenizer: QATokenizer, texts: Sequence[str]) -> list[int]:
    return [
        len(encoding.ids)
        for begin in range(0, len(texts), _AT_ONCE)
        for encoding in tokenizer.core.encode_batch_fast(
            texts[begin : begin + _AT_ONCE], add_special_tokens=False
        )
    ]
