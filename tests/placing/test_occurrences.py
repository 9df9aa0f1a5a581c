"""Occurrences, sentences and words in any script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.placing.occurrences import excerpt, occurrences, sentences, splits_word

TEXT = st.text(alphabet="ab. !?\n।कि தி3é", max_size=60)


@given(TEXT, st.text(alphabet="ab .कि", min_size=1, max_size=3))
def test_every_place_is_found_overlapping_ones_too(context: str, text: str) -> None:
    expected = [place for place in range(len(context)) if context[place:].startswith(text)]
    assert list(occurrences(context, text)) == expected


@given(TEXT)
def test_sentences_are_the_text_in_pieces(text: str) -> None:
    assert "".join(text[low:high] for low, high in sentences(text)) == text
    assert all(low < high for low, high in sentences(text))


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two! Three", ["One.", " Two!", " Three"]),
        ("Pi is 3.14 here.", ["Pi is 3.14 here."]),
        ("पहला।दूसरा॥", ["पहला।", "दूसरा॥"]),
        ("一。二", ["一。", "二"]),
        ("head\nbody", ["head\n", "body"]),
        ("", []),
    ],
)
def test_where_sentences_end(text: str, pieces: list[str]) -> None:
    assert [text[low:high] for low, high in sentences(text)] == pieces


@pytest.mark.parametrize(
    ("text", "place", "splits"),
    [
        ("1995", 2, True),
        ("a b", 1, False),
        ("ab", 0, False),
        ("ab", 2, False),
        ("(ab)", 1, False),
        ("हिन्दी", 1, True),  # before a vowel sign, which \w does not match
        ("दी है", 2, False),
        ("தமிழ்", 2, True),
        ("서울은", 2, True),
        ("x-y", 1, False),
    ],
)
def test_words_go_on_over_vowel_signs(text: str, place: int, splits: bool) -> None:
    assert splits_word(text, place) is splits


@given(TEXT.filter(bool), st.data())
def test_excerpts_show_the_fragment_on_one_line(context: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, len(context)))
    shown = excerpt(context, start, end)
    assert "\n" not in shown
    assert "".join(f"[{context[start:end]}]".split()) in "".join(shown.split())


def test_excerpts_cut_long_sentences_and_leave_others_out() -> None:
    context = f"Before. {'x' * 99} it {'y' * 99}. After."
    start = context.index(" it ") + 1
    assert excerpt(context, start, start + 2, room=5) == "…xxxx [it] yyyy…"
