from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers

import autoqa.features.words as words_module
from autoqa.features.flat import Characters, encode_texts, word_starts
from autoqa.features.offsets import mend
from autoqa.features.words import WordEncoder, splits_into_words

from .practice import CORPUS, minilm_folder, write_e5_tokenizer, xquad

# Combining marks, joiners, signs that a normaliser turns into or surrounds by spaces or drops,
# special tokens, and the prefix that SentencePiece gives words.
NASTY = "aé ́क्ि।▁ﬁ½\u200d\n \u200b\u00a0¨<mΣς\u0600\u3000漢。\x00\ufeff\u00ad"
PIECES = ("<mask>", "[MASK]", " a ", "  ", " b", "<s>", "the", " 10th", "था।")
TEXTS = st.one_of(
    st.sampled_from(CORPUS),
    st.text(max_size=30),
    st.text(NASTY, max_size=30),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(NASTY, max_size=3)), max_size=12).map(
        "".join
    ),
)


@pytest.fixture(scope="module")
def core_of(
    trained: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Tokenizer]:
    folders = {
        "unigram": trained["unigram"],
        "word-piece": trained["word-piece"],
        "minilm": minilm_folder(),
        "e5": write_e5_tokenizer(tmp_path_factory.mktemp("e5")),
    }
    found = {}
    for name, folder in folders.items():
        found[name] = Tokenizer.from_file(str(folder / "tokenizer.json"))
        found[name].no_truncation()
        found[name].no_padding()
    return found.__getitem__


def assert_same_tokens(core: Tokenizer, texts: list[str], encoder: WordEncoder) -> None:
    characters = Characters.of(texts)
    ids, offsets, counts = encode_texts(core, texts)
    whole_texts = ids, mend(characters, offsets, counts).offsets, counts
    for ours, whole in zip(encoder.encode(characters), whole_texts, strict=True):
        np.testing.assert_array_equal(ours, whole)
        assert ours.dtype == whole.dtype


@pytest.mark.parametrize("name", ["unigram", "word-piece", "minilm", "e5"])
@settings(max_examples=300, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4), more=st.lists(TEXTS, max_size=2))
def test_words_give_the_tokens_of_the_text(
    core_of: Callable[[str], Tokenizer], name: str, texts: list[str], more: list[str]
) -> None:
    assert splits_into_words(core_of(name))
    encoder = WordEncoder(core_of(name))
    assert_same_tokens(core_of(name), texts, encoder)
    assert_same_tokens(core_of(name), more + texts, encoder)


@pytest.mark.parametrize("name", ["minilm", "e5"])
@pytest.mark.parametrize("language", ["en", "hi", "ru"])
def test_real_texts(
    core_of: Callable[[str], Tokenizer],
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    language: str,
) -> None:
    monkeypatch.setattr(words_module, "_RUN", 7)
    texts = list(dict.fromkeys(one.context for one in xquad(data_folder, language)))
    assert_same_tokens(core_of(name), texts, WordEncoder(core_of(name)))


def test_other_tokenizers_encode_whole_texts(trained: dict[str, Path]) -> None:
    assert not splits_into_words(Tokenizer.from_file(str(trained["byte-level"] / "tokenizer.json")))

    def unigram() -> Tokenizer:
        return Tokenizer.from_file(str(trained["unigram"] / "tokenizer.json"))

    changed = [unigram() for _ in range(6)]
    assert all(map(splits_into_words, changed))
    changed[0].normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Strip()])
    changed[1].normalizer = normalizers.Replace(Regex(" of "), "_")
    changed[2].pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    changed[3].pre_tokenizer = None
    changed[4].add_tokens([AddedToken("in the")])
    changed[5].add_special_tokens([AddedToken("<gap>", rstrip=True)])
    assert not any(map(splits_into_words, changed))


def test_a_word_is_encoded_once(core_of: Callable[[str], Tokenizer]) -> None:
    encoder = WordEncoder(core_of("word-piece"))
    encoder.encode(Characters.of(["the people of the people of the people"]))
    assert list(encoder._seen) == ["the", " people", " of", " the"]


def test_white_space_belongs_to_the_word_that_follows() -> None:
    texts = ["ab  cd ", "", "ef"]
    offsets = np.array([[0, 1], [1, 2], [2, 3], [3, 5], [5, 6], [6, 7], [0, 2]], np.int32)
    firsts = word_starts(Characters.of(texts), offsets, np.array([6, 0, 1], np.int32))
    assert firsts.tolist() == [True, False, True, False, False, True, True]
