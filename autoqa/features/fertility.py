"""How well a tokenizer knows the languages that a backbone is to read.

A tokenizer made for other scripts takes them apart into characters or bytes, or calls them unknown.
The model behind it has then seen little of the language, and its windows hold little of a context.
Tokens per word are called fertility (Rust et al., How Good is Your Tokenizer? On the Monolingual
Performance of Multilingual Language Models, 2021).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.features.flat import encode_texts
from autoqa.features.tokenizer import QATokenizer
from autoqa.text.scripts import language_of
from autoqa.text.segmentation import cut

_TEXTS = 50
"""Texts of a language that are looked at."""
_CHARACTERS = 1000
"""Characters of a text that are."""
_UNKNOWN = 0.02
"""Share of unknown tokens from which on a sentence is worth reading. XLM-R's tokenizer has .0007 at
most in the languages of TyDi QA, one for English only .05 to .67 in those of other scripts."""
_TOKENS = 3.2
"""Tokens per word from which on one is: 1.5 to 2.6, and 3.1 (Hindi, with unknown ones) to 5.9."""


@dataclass(frozen=True, slots=True)
class Fertility:
    """What a tokenizer makes of one language.

    Attributes:
        language: ISO 639-1 code; empty where nothing says it.
        per_word: Tokens per word; each character of scripts without spaces counts as one.
        unknown: Share of tokens that stand for what the vocabulary does not have, 0 to 1.
    """

    language: str
    per_word: float
    unknown: float

    @property
    def problem(self) -> str | None:
        """A sentence without a full stop where a model cannot be expected to read the language."""
        name = self.language or "texts of no stated language"
        if self.unknown >= _UNKNOWN:
            return (
                f"{name}: {self.unknown:.0%} of the tokens are unknown to its tokenizer, so the "
                "model cannot read them"
            )
        if self.per_word >= _TOKENS:
            return (
                f"{name}: a word takes {self.per_word:.1f} tokens, where 1 to 3 are usual; the "
                "model was hardly trained on the language, and its windows hold little text"
            )
        return None


def fertilities(tokenizer: QATokenizer, texts: Iterable[tuple[str, str]]) -> tuple[Fertility, ...]:
    """What a tokenizer makes of each language, by a sample of the texts.

    Args:
        tokenizer: A backbone's.
        texts: What is known of a text's language, and the text.

    Returns:
        One for each language that has words, sorted.
    """
    samples: dict[str, dict[str, None]] = defaultdict(dict)
    for given, text in texts:
        begin = text[:_CHARACTERS]
        language = language_of(given, begin)
        if len(samples[language]) < _TEXTS:
            samples[language][begin] = None
    found = (_of(tokenizer, name, list(some)) for name, some in sorted(samples.items()))
    return tuple(each for each in found if each is not None)


def hard_to_read(tokenizer: QATokenizer, texts: Iterable[tuple[str, str]]) -> list[str]:
    """A sentence, without a full stop, for each language that a model can hardly read.

    Args:
        tokenizer: The model's.
        texts: What is known of a text's language, and the text.
    """
    found = fertilities(tokenizer, texts)
    return [each.problem for each in found if each.problem is not None]


def _of(tokenizer: QATokenizer, language: str, texts: Sequence[str]) -> Fertility | None:
    words = sum(len(cut(text, "mixed")) for text in texts)
    if not words:
        return None
    ids, _, _ = encode_texts(tokenizer.core, texts)
    unknown = tokenizer.unknown_id
    share = 0.0 if unknown is None or not len(ids) else float(np.mean(ids == unknown))
    return Fertility(language, len(ids) / words, share)
