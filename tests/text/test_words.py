import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.text.words import jaccard, words

TEXTS = st.text(
    st.one_of(st.characters(), st.sampled_from(" \t\u00a0।,.दिल्लीகிழக்கு")), max_size=60
)


def slow_jaccard(a, b):
    first, second = words(a), words(b)
    union = [w for i, w in enumerate(first + second) if w not in (first + second)[:i]]
    if not union:
        return 1.0
    return sum(w in first and w in second for w in union) / len(union)


@given(TEXTS, TEXTS)
def test_jaccard_is_a_symmetric_share(a, b):
    value = jaccard(a, b)
    assert 0 <= value <= 1
    assert value == jaccard(b, a)
    assert value == pytest.approx(slow_jaccard(a, b))


@given(TEXTS)
def test_a_text_equals_itself(a):
    assert jaccard(a, a) == 1
    assert jaccard(a, a.upper().lower() if a.lower() == a.upper().lower() else a) == 1


def test_texts_without_words_are_equal():
    assert jaccard("", "") == jaccard(" \n", "") == 1
    assert jaccard("", "x") == jaccard("x", " ") == 0


@pytest.mark.parametrize(
    "text, expected",
    [
        ("नई दिल्ली में", ["नई", "दिल्ली", "में"]),
        ("கிழக்கு இந்தியா", ["கிழக்கு", "இந்தியா"]),
        ("The  Cat,\nsat", ["the", "cat,", "sat"]),
        ("1947\u00a0ई०", ["1947", "ई०"]),
    ],
)
def test_words_keep_vowel_signs_and_punctuation(text, expected):
    assert words(text) == expected


def test_the_competitions_formula():
    assert jaccard("नई दिल्ली", "दिल्ली") == 1 / 2
    assert jaccard("a b c", "b c d") == 2 / 4
    assert jaccard("word word", "word") == 1
