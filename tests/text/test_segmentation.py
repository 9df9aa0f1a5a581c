from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.text.graphemes import continues, kinds
from autoqa.text.segmentation import (
    SEGMENTATIONS,
    cut,
    is_unspaced,
    parts,
    pieces,
    separator,
    unspaced_share,
)
from autoqa.text.words import words

LETTERS = "東京カナーかがกำน้ທີ່ໄທយក្ខကြီး々〇𠀋 \u3000。、・ab1é।दिल्लीΣςİ\u200d\ufe0f"
TEXTS = st.text(st.one_of(st.sampled_from(LETTERS), st.characters()), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("東京都", ["東", "京", "都"]),
        ("「東京」 Tokyo、1999年", ["「", "東", "京", "」", "tokyo、1999", "年"]),
        ("カップ・ヌードルー", ["カ", "ッ", "プ", "・", "ヌ", "ー", "ド", "ル", "ー"]),
        ("か\u3099な", ["か\u3099", "な"]),
        ("น้ำตก ๒๕๔๐", ["น้ำ", "ต", "ก", "๒๕๔๐"]),
        ("ທີ່", ["ທີ່"]),
        ("ភាសា", ["ភា", "សា"]),
        ("မြန်မာ", ["မြ", "န်", "မာ"]),
        ("서울 특별시", ["서울", "특별시"]),
        ("नई दिल्ली।", ["नई", "दिल्ली।"]),
    ],
)
def test_mixed(text, expected):
    assert pieces(text, "mixed") == expected


@given(TEXTS)
def test_words_is_the_cut_at_white_space(text):
    assert pieces(text, "words") == words(text)
    assert [text[low:high] for low, high in cut(text, "words")] == text.split()


@settings(max_examples=1000)
@given(TEXTS)
def test_mixed_keeps_every_character_and_no_cluster_is_cut(text):
    spans = cut(text, "mixed")
    assert "".join(text[low:high] for low, high in spans) == "".join(text.split())
    assert [text[low:high].lower() for low, high in spans] == pieces(text, "mixed")
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    inside = continues(codes, kinds(codes))
    for low, high in spans:
        if is_unspaced(text[low]):
            assert inside[low + 1 : high].all()
            # Only a sign that stands before what it belongs to may hold a letter back.
            assert high == len(text) or not inside[high] or is_unspaced(text[high])


@settings(max_examples=2000)
@given(TEXTS, st.data())
def test_what_is_left_of_a_text_has_the_words_that_were_left(text, data):
    for segmentation in SEGMENTATIONS:
        spans = cut(text, segmentation)
        kept = [span for span in spans if data.draw(st.booleans())]
        if not kept:
            continue
        joined = text[slice(*kept[0])]
        for (low, high), (start, end) in pairwise(kept):
            joined += separator(text[low:high], text[high:start], text[start:end], segmentation)
            joined += text[start:end]
        left = [text[low:high] for low, high in kept]
        assert [joined[low:high] for low, high in cut(joined, segmentation)] == left


def test_unspaced_scripts_are_joined_without_spaces():
    assert separator("東", "の", "京", "mixed") == ""
    assert separator("東", " の", "京", "mixed") == " "
    assert separator("a", "東", "b", "mixed") == " "
    assert [parts(*pair, "mixed") for pair in ("a東", "東a", "ab", ("東", "\u0301a"))] == [
        1,
        1,
        0,
        0,
    ]


def test_share_of_unspaced_letters():
    assert unspaced_share("東京 ab") == 0.5
    assert unspaced_share("น้ำ") == 1
    assert unspaced_share(" ") == unspaced_share("delhi") == 0
