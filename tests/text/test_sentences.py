import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.text.sentences import sentences

ALPHABET = 'aA1. ।॥?!。．…؟\n\t"”)म्ा京'


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("One stands. Two runs!  Three?", ["One stands.", "Two runs!", "Three?"]),
        ("राम गया। सीता आई॥ बस", ["राम गया।", "सीता आई॥", "बस"]),
        ("राम आया राम. वह घर था. अब", ["राम आया राम.", "वह घर था.", "अब"]),
        ("சென்னை தலைநகர். அது பெரியது. ", ["சென்னை தலைநகர்.", "அது பெரியது."]),
        ("彼は来た。「行く。」京都へ", ["彼は来た。", "「行く。」", "京都へ"]),
        ("円周率は３．１４です。次", ["円周率は３．１４です。", "次"]),
        ("هل جاء؟ نعم۔ حسنا", ["هل جاء؟", "نعم۔", "حسنا"]),
        ("J. S. Bach met Dr. Rao in No. 5. Then", ["J. S. Bach met Dr. Rao in No. 5.", "Then"]),
        ("It cost 3.5 approx. five. Ok", ["It cost 3.5 approx. five.", "Ok"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("Title\n\nText without end", ["Title", "Text without end"]),
        (" \n ", []),
    ],
)
def test_marks_of_all_scripts_end_sentences(text: str, wanted: list[str]) -> None:
    assert [text[low:high] for low, high in sentences(text)] == wanted


@given(st.text(ALPHABET, max_size=60))
def test_together_they_hold_all_but_white_space(text: str) -> None:
    cuts = sentences(text)
    edges = [0, *(edge for cut in cuts for edge in cut), len(text)]
    assert edges == sorted(edges)
    between = [text[low:high] for low, high in zip(edges[::2], edges[1::2], strict=True)]
    assert not "".join(between).strip()
    assert all(text[low:high] == text[low:high].strip() != "" for low, high in cuts)
