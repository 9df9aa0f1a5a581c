"""Rows, windows and batches that augmentations are tried on."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from autoqa.api import Example, TokenBatch
from autoqa.features.cut import Plan, cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.testing.samples import generated_examples, word_examples

_LENGTH, _STRIDE = 24, 8


@cache
def pool() -> tuple[Example, ...]:
    """Questions in three languages, several about one context, one without an answer."""
    words = [row for language in ("en", "hi", "ru") for row in word_examples(language)[:5]]
    rows = [*generated_examples()[:6], *words]
    nothing = replace(rows[0], id="nothing", question="Who sings?", answers=())
    return (*rows[::2], nothing, *rows[1::2])


def drawn_examples(count: int) -> Sequence[Example]:
    """The first of them."""
    return pool()[:count]


def whole_source(_: str) -> Sequence[Example]:
    """What any source of a made-up study has."""
    return pool()


@cache
def _tokenizer() -> QATokenizer:
    """Words, and signs between them; all are the unknown token, which only models mind."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
    vocabulary = {word: number for number, word in enumerate([*special, *"a0e1?"])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    core.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return QATokenizer(core.to_str().encode(), "the kit's tokenizer")


def is_one_token(text: str) -> bool:
    """Whether the tokenizer makes one token of a text."""
    return len(text.split()) == 1


def windows_of(examples: Sequence[Example], plan: Plan | None, rng: np.random.Generator) -> Windows:
    """Examples cut into short windows, regularly or by a plan."""
    return cut(encode(_tokenizer(), examples), _LENGTH, _STRIDE, plan=plan, rng=rng)


def token_batch(windows: Windows) -> TokenBatch:
    """Windows as an augmentation is handed them."""
    from autoqa.modeling.packing import context_tokens
    from autoqa.training.batches import answer_tokens

    return TokenBatch(
        input_ids=windows.input_ids,
        is_context=context_tokens(windows),
        is_answer=answer_tokens(windows),
        starts_word=windows.starts_word,
        mask_id=_tokenizer().mask_id,
    )
