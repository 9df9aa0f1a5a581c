import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.text.scripts import fit, language_of, script, scripts


@pytest.mark.parametrize(
    "text, expected",
    [
        ("नई दिल्ली (New Delhi)", "DEVANAGARI"),
        ("கி.மு. 500", "TAMIL"),
        ("1947", ""),
        ("", ""),
        ("ঢাকা", "BENGALI"),
        ("Москва", "CYRILLIC"),
        ("서울", "HANGUL"),
        ("ab вг", "CYRILLIC"),  # as many of each: the first by name
    ],
)
def test_script_of_most_letters(text, expected):
    assert script(text) == expected


def test_vowel_signs_count_and_digits_do_not():
    assert scripts("दिल्ली 1947 a") == {"DEVANAGARI": 6, "LATIN": 1}


@pytest.mark.parametrize(
    "given, text, expected",
    [
        ("hi", "plain English", "hi"),
        ("HI-in", "", "hi"),
        ("pt_BR", "", "pt"),
        ("hindi", "दिल्ली", "hi"),
        ("tam", "சென்னை", "ta"),
        ("und", "హైదరాబాద్", "te"),
        ("", "1947", ""),
        ("हि", "Delhi", "en"),
    ],
)
def test_a_code_is_believed_and_all_else_left_to_the_script(given, text, expected):
    assert language_of(given, text) == expected


@given(st.text(), st.text())
def test_never_fails(given, text):
    assert len(language_of(given, text)) in (0, 2)
    assert sum(scripts(text).values()) <= len(text)


def test_letters_by_script() -> None:
    assert scripts("Ab1 नदी 河 ж!") == {
        "LATIN": 2,
        "DEVANAGARI": 3,
        "CJK": 1,
        "CYRILLIC": 1,
    }
    assert scripts("") == {}
    assert fit(scripts("नदी"), "hi") == 1
    assert fit(scripts("नदीab"), "hi") == pytest.approx(0.6)
    assert fit(scripts("abc"), "zz") == 1
