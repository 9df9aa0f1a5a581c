"""Small trained tokenizers of the three families, and of byte-level ones by their offsets."""

from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from .practice import CORPUS, minilm_folder


def _byte_level(
    cutter: Any = None, *, trim: bool = True, prefix: bool = False
) -> tokenizers.Tokenizer:
    """Like RoBERTa: bytes, white space trimmed off offsets, two separators."""
    core = tokenizers.Tokenizer(models.BPE())
    core.pre_tokenizer = cutter or pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    core.decoder = decoders.ByteLevel()
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=600, special_tokens=names, initial_alphabet=alphabet, show_progress=False
        ),
    )
    core.post_processor = processors.RobertaProcessing(
        ("</s>", core.token_to_id("</s>")),
        ("<s>", core.token_to_id("<s>")),
        trim_offsets=trim,
        add_prefix_space=prefix,
    )
    return core


def _untrimmed() -> tokenizers.Tokenizer:
    """Like RoBERTa with a space before the first word, and in the offsets."""
    return _byte_level(trim=False, prefix=True)


def _spaced() -> tokenizers.Tokenizer:
    """Like RobBERT: every word gets a space, trimmed off the offsets as if it was there."""
    steps = (
        pre_tokenizers.Whitespace(),
        pre_tokenizers.ByteLevel(add_prefix_space=True),
        pre_tokenizers.Punctuation(),
    )
    return _byte_level(pre_tokenizers.Sequence(list(steps)), prefix=True)


def _unigram() -> tokenizers.Tokenizer:
    """Like XLM-R: sentence pieces that carry their leading space."""
    core = tokenizers.Tokenizer(models.Unigram())
    core.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]
    )
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    names = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    core.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=400, special_tokens=names, unk_token="<unk>", show_progress=False
        ),
    )
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(name, core.token_to_id(name)) for name in ("<s>", "</s>")],
    )
    return core


def _word_piece() -> tokenizers.Tokenizer:
    """Like BERT: segment 1 for the context; accents stay."""
    core = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    core.train_from_iterator(
        CORPUS, trainers.WordPieceTrainer(vocab_size=400, special_tokens=names, show_progress=False)
    )
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, core.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
    )
    return core


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of small trained tokenizers, by family."""
    root = tmp_path_factory.mktemp("tokenizers")
    folders = {}
    for name, build in (
        ("byte-level", _byte_level),
        ("byte-level-untrimmed", _untrimmed),
        ("byte-level-spaced", _spaced),
        ("unigram", _unigram),
        ("word-piece", _word_piece),
    ):
        folders[name] = root / name
        folders[name].mkdir()
        core = build()
        core.enable_truncation(7)
        core.enable_padding()
        core.save(str(folders[name] / "tokenizer.json"))
    return folders


@pytest.fixture(params=["byte-level", "byte-level-spaced", "unigram", "word-piece", "minilm"])
def folder(request: pytest.FixtureRequest, trained: dict[str, Path]) -> Path:
    """A tokenizer's folder; one of them is a real backbone's."""
    return minilm_folder() if request.param == "minilm" else trained[request.param]
