import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.text.graphemes import Kind, continues, kinds


def codes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def clusters(text: str) -> list[str]:
    starts = np.flatnonzero(~continues(codes(text), kinds(codes(text)))).tolist()
    return [text[a:b] for a, b in pairwise([*starts, len(text)])]


WHOLE = [
    "e\u0301", "कि", "க\u0bc6\u0bbe", "क्षि", "क्\u200dष", "ক্ষ", "กำ", "한", "\u1112\u1161\u11ab",
    "가\u11a8", "👨‍👩‍👧", "👍🏽", "🇳🇱", "❤️", "نی\u200c"[1:], "\u0600١", "葛\U000e0100",
    "🏴\U000e0067\U000e0062\U000e007f", "ｶﾞ",
]  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_a_cluster_stays_whole(text: str) -> None:
    assert clusters(text) == [text]


def test_clusters_end_where_the_next_begins() -> None:
    assert clusters("கொடு") == ["கொ", "டு"]
    assert clusters("🇳🇱🇧🇪🇩") == ["🇳🇱", "🇧🇪", "🇩"]
    assert clusters("a \u0301b\n\u0301") == ["a", " ", "\u0301", "b", "\n", "\u0301"]
    assert clusters("漢字𠀀é") == list("漢字𠀀é")
    assert clusters("") == []


def test_kinds() -> None:
    text = "\u00a0\u200b\u00ad!©a9\u0301क\u094d१𠀀\U000f0000"
    named = "BLANK IGNORED IGNORED OTHER SYMBOL WORD WORD MARK CONSONANT LINKER WORD WORD OTHER"
    assert [Kind(kind).name for kind in kinds(codes(text))] == named.split()


COMMON = "aé!\u0301\u200d\u200c\ufe0f👨👩🏽❤🇳🇱कषि्ாெகকি্नำกא\u05b0\u0600١가각\u1100\u1161\u11a8漢"


@settings(max_examples=400, deadline=None)
@given(st.text(COMMON, max_size=12), st.text(max_size=8))
def test_no_cluster_of_the_standard_is_cut(common: str, other: str) -> None:
    regex = pytest.importorskip("regex")
    text = "".join(c for c in common + other if unicodedata.category(c) != "Cn" and not c.isspace())
    ends = {found.end() for found in regex.finditer(r"\X", text)} | {0}
    ours = set(np.cumsum([0, *map(len, clusters(text))]).tolist())
    assert ours <= ends, (clusters(text), regex.findall(r"\X", text))
