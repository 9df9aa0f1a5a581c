from pathlib import Path

import pytest
import tokenizers
from tokenizers import Regex, models, normalizers, pre_tokenizers, processors

from autoqa.errors import ConfigError
from autoqa.features.offset_check import check_offsets
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import Example

from .practice import CORPUS, example, minilm_folder, write_e5_tokenizer, xquad


def letters_only(alphabet: str) -> tokenizers.Tokenizer:
    """A tokenizer that drops what is not in its alphabet: it has no token for the unknown."""
    signs = [*["[CLS]", "[SEP]"], *dict.fromkeys(alphabet)]
    core = tokenizers.Tokenizer(models.BPE({sign: at for at, sign in enumerate(signs)}, []))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 0), ("[SEP]", 1)],
    )
    return core


ASCII = "".join(map(chr, range(33, 127)))


def ready(core: tokenizers.Tokenizer) -> QATokenizer:
    return QATokenizer(core.to_str().encode(), "tokenizer.json")


def refusal(core: tokenizers.Tokenizer, *examples: Example) -> str:
    with pytest.raises(ConfigError) as caught:
        check_offsets(ready(core), examples, "backbones.toy")
    return str(caught.value)


KINDS = ["byte-level", "byte-level-untrimmed", "byte-level-spaced", "unigram", "word-piece"]


@pytest.mark.parametrize("name", KINDS)
def test_mended_tokenizers_are_accepted(trained: dict[str, Path], name: str) -> None:
    rows = [example(text, 0, 9) for text in CORPUS]
    check_offsets(QATokenizer.from_folder(trained[name]), rows, "backbones.toy")


@pytest.mark.parametrize("language", ["en", "hi", "ru", "ar"])
def test_packaged_tokenizers_are_accepted(tmp_path: Path, data_folder: Path, language: str) -> None:
    rows = xquad(data_folder, language)
    for folder in (minilm_folder(), write_e5_tokenizer(tmp_path)):
        check_offsets(QATokenizer.from_folder(folder), rows, "backbones.toy")


def test_scripts_that_a_study_does_not_hold_do_not_count() -> None:
    english, hindi = example(CORPUS[0], 4, 11), example(CORPUS[1], 0, 8)
    check_offsets(ready(letters_only(ASCII)), [english], "backbones.toy")
    assert refusal(letters_only(ASCII), english, hindi) == (
        "backbones.toy: the tokenizer loses letters. Of 'महात्मा ' no token is made, so that the "
        "answer 'महात्मा' would come out as ''; take another backbone, or one whose tokenizer.json "
        "makes tokens of every letter and says where they stand."
    )
    check_offsets(ready(letters_only(ASCII + CORPUS[1])), [english, hindi], "backbones.toy")


def test_a_foreign_word_in_a_context_is_no_reason() -> None:
    plain, rare = (example(CORPUS[0] * 9 + more, 4, 11) for more in ("", " १"))
    check_offsets(ready(letters_only(ASCII)), [plain, rare], "backbones.toy")
    often = example(" ".join(CORPUS[:2]), 4, 11)
    assert "would come out as ''" in refusal(letters_only(ASCII), often)


def test_latin_letters_count_without_any_row() -> None:
    check_offsets(ready(letters_only(ASCII.replace("A", ""))), [], "backbones.toy")
    said = refusal(letters_only("".join(sorted(set(ASCII) - set("Amsterdam")))))
    assert "the answer 'stad' would come out as ''" in said


def test_tokens_that_claim_the_same_letters_are_refused() -> None:
    core = letters_only(ASCII)
    core.normalizer = normalizers.Replace(Regex("Amsterdam ligt"), "ab cd")
    assert "'Amsterdam'" in refusal(core)
