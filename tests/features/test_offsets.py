from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.decoding.decoder import SpanDecoder
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.flat import Characters, encode_texts
from autoqa.features.offsets import mend
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Example

from .practice import example, mend_text, minilm_folder, write_e5_tokenizer

KINDS = [
    "word-piece",
    "unigram",
    "byte-level",
    "byte-level-untrimmed",
    "byte-level-spaced",
    "minilm",
    "e5",
]
DUTCH = "De stad Amsterdam ligt (aan) de Amstel."


@pytest.fixture(scope="module")
def tokenizer_of(
    trained: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], QATokenizer]:
    found: dict[str, QATokenizer] = {}

    def get(name: str) -> QATokenizer:
        if name not in found:
            folders = {"minilm": minilm_folder, "e5": lambda: write_e5_tokenizer(e5)}
            found[name] = QATokenizer.from_folder(folders.get(name, lambda: trained[name])())
        return found[name]

    e5 = tmp_path_factory.mktemp("e5")
    return get


def decoded(tokenizer: QATokenizer, made: Example, length: int = 10_000) -> list[str]:
    """What an oracle's logits at the labelled ends decode to, window by window with a label."""
    windows = cut(encode(tokenizer, [made]), length, min(4, length // 8))
    return [answer_of(windows, window, made) for window in np.flatnonzero(windows.answerable)]


def answer_of(windows: Windows, window: int, made: Example) -> str:
    start = np.zeros(len(windows.input_ids), np.float32)
    end = start.copy()
    first, last = windows.bounds[window] + windows.label[window]
    start[first] = end[last] = 20
    unlimited = replace(windows, max_answer_tokens=10_000)
    return SpanDecoder(unlimited, [made.context]).best(start, end)[0].text


def gold(context: str, answer: str) -> Example:
    start = context.index(answer)
    return example(context, start, start + len(answer))


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "answer", ["De", "stad Amsterdam", "Amsterdam", "ligt", "(aan)", "aan", "de Amstel"]
)
def test_no_letter_falls_between_tokens(
    tokenizer_of: Callable[[str], QATokenizer], name: str, answer: str
) -> None:
    assert decoded(tokenizer_of(name), gold(DUTCH, answer)) == [answer]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize(
    "context, answer",
    [
        ("ஒரு க\u0bc6\u0bbe என்று சொல்", "க\u0bc6\u0bbe"),
        ("un cafe\u0301, deux cafe\u0301s", "cafe\u0301"),
        ("यह क्षि है", "क्षि"),
        ("نمی\u200cخواهم این کتاب را", "نمی\u200cخواهم"),
        ("क्\u200dष और श्री\u200d", "क्\u200dष"),
        ("x (𝒜) 👩\u200d👧 y", "👩\u200d👧"),
    ],
)
def test_no_sign_falls_behind_its_letter(
    tokenizer_of: Callable[[str], QATokenizer], name: str, context: str, answer: str
) -> None:
    assert decoded(tokenizer_of(name), gold(context, answer)) == [answer]


WORDS = st.sampled_from(
    [
        *("the", "(aan)", "d'Or", "U.S.", "3.5%", "naïve", "e\u0301te\u0301", "Zu\u0308rich", "ﬁn"),
        *("महात्मा", "कि", "क्षत्रिय", "हुआ", "था।", "क़िला", "ड\u093cर", "क्\u200dषण", "श्री\u200cमान्"),
        *("தமிழ்நாடு", "க\u0bc6\u0bbeடு", "கொடு", "ஸ்ரீ", "বাংলা", "ক\u09c7\u09beথা", "ড\u09bcাক"),
        *(
            "محمّد",
            "أَب",
            "ال\u0640كتاب",
            "می\u200cروم",
            "日本の首都",
            "東京",
            "𠀀",
            "한국어",
            "\u1112\u1161\u11ab",
        ),
        *("ภาษาไทย", "น้ำ", "กำ", "👍🏽", "—", "…", "½", "é"),
    ]
)
LETTERS = st.text("aé \u0301\u0308कषि्ா\u0bc6க\u09c7ক\u200c\u200d漢กำ(.)ﬁ½٣", max_size=14)
TEXTS = st.one_of(
    st.lists(st.one_of(WORDS, LETTERS), max_size=10).map(" ".join),
    st.lists(WORDS, min_size=1, max_size=8).map("  ".join),
    LETTERS,
)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORDS, min_size=1, max_size=12), data=st.data())
def test_labels_decode_to_the_words_that_were_labelled(
    tokenizer_of: Callable[[str], QATokenizer], name: str, words: list[str], data: st.DataObject
) -> None:
    gaps = [data.draw(st.sampled_from([" ", "  ", "\n", "\u3000"])) for _ in words]
    context = "".join(word + gap for word, gap in zip(words, gaps, strict=True))
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    start = sum(len(word) + len(gap) for word, gap in zip(words[:first], gaps, strict=False))
    end = start + sum(map(len, words[first : last + 1])) + sum(map(len, gaps[first:last]))
    made = example(context, start, end)
    assert decoded(tokenizer_of(name), made) == [context[start:end]]
    for answer in decoded(tokenizer_of(name), made, 40):
        assert answer == context[start:end]


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(TEXTS, max_size=4))
def test_mended_tokens_cover_what_they_did_and_whole_clusters(
    tokenizer_of: Callable[[str], QATokenizer], name: str, texts: list[str]
) -> None:
    regex = pytest.importorskip("regex")
    core = tokenizer_of(name).core
    _, raw, counts = encode_texts(core, texts)
    mended = mend(Characters.of(texts), raw, counts)
    edges = np.cumsum([0, *counts]).tolist()
    for number, text in enumerate(texts):
        here = slice(edges[number], edges[number + 1])
        assert mended.offsets[here].tolist() == [list(p) for p in mend_text(text, raw[here])]
        ends = {0} | {found.end() for found in regex.finditer(r"\X", text)}
        for (a, b), (c, d) in zip(raw[here].tolist(), mended.offsets[here].tolist(), strict=True):
            assert a >= b or c <= a <= b <= d
            assert 0 <= c <= d <= len(text)
            # What the annex joins to white space is cut from it when spans are trimmed.
            assert c == d or {c, d} <= ends | {i for i in (c, d) if text[i - 1 : i].isspace()}


def test_where_a_gap_is_cut() -> None:
    def tokens(text: str, *offsets: tuple[int, int]) -> list[str]:
        return [text[a:b] for a, b in mend_text(text, offsets)]

    assert tokens("ab. cd", (0, 1), (5, 6)) == ["ab.", "cd"]
    assert tokens("ab x cd", (0, 1), (6, 7)) == ["ab", "cd"]
    assert tokens("(ab)", (0, 1), (2, 3), (3, 4)) == ["(", "ab", ")"]
    assert tokens("a-b", (0, 1), (2, 3)) == ["a-", "b"]
    assert tokens("a.b", (0, 1), (2, 3)) == ["a.", "b"]
    assert tokens("!?b", (0, 1), (2, 3)) == ["!?", "b"]
    assert tokens("(b)", (0, 1), (2, 3)) == ["(b", ")"]
    assert tokens("abc", (1, 2)) == ["abc"]
    assert tokens(" abc ", (2, 3)) == ["abc"]
    assert tokens("e\u0301a", (0, 1), (2, 3)) == ["e\u0301", "a"]
    assert tokens("ab\u200bc", (0, 2), (3, 4)) == ["ab", "c"]
    assert tokens("a b", (0, 1), (3, 3)) == ["a", "b"]
    assert tokens("(b)", (0, 1), (2, 2), (2, 3)) == ["(", "b", ")"]
    assert tokens("a (b", (0, 1), (3, 3), (2, 3), (3, 4)) == ["a", "", "(", "b"]
    assert tokens("") == []


def test_strays_are_letters_that_touch_no_token_of_their_kind() -> None:
    def strays(text: str, *offsets: tuple[int, int]) -> list[str]:
        characters = Characters.of(["before", text])
        pairs = np.array([(0, 6), *offsets], np.int32).reshape(-1, 2)
        found = mend(characters, pairs, np.array([1, len(offsets)], np.int32)).strays
        return [characters.text[a:b] for a, b in found.tolist()]

    assert strays("(b)", (0, 1), (2, 3)) == ["b"]
    assert strays("a word b", (0, 1), (7, 8)) == [" word "]
    assert strays("word b", (5, 6)) == ["word "]
    assert strays("b word", (0, 1)) == [" word"]
    assert strays("b - !", (0, 1)) == []
    assert strays("abc", (0, 1), (2, 3)) == []
    assert strays("a text") == ["a text"]
    assert strays("— !") == strays("") == []
