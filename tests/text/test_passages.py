"""Passages hold every fragment of a text at its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.text.passages import MOST, SHARED, passages

TEXTS = st.text(st.sampled_from('ab\n .।。!?नमी東京\u3000\t\r"”'), max_size=600)
WORDS = st.lists(st.sampled_from(["Ada", "lives", "in", "Rome.", "\n\n", "दिल्ली।"]), max_size=300)


@settings(max_examples=200)
@given(TEXTS | WORDS.map(" ".join), st.integers(0, 9), st.integers(1, 40), st.data())
def test_every_short_fragment_stands_whole_in_a_passage(
    text: str, shared: int, more: int, data: st.DataObject
) -> None:
    cuts = passages(text, 4 * shared + more, shared)
    for begin, end in cuts:
        assert 0 <= begin < end <= len(text)
        assert end - begin <= 4 * shared + more
        assert text[begin:end] == text[begin:end].strip()
    assert cuts == sorted(cuts)
    if text and shared:
        start = data.draw(st.integers(0, len(text) - 1))
        stop = data.draw(st.integers(start + 1, min(len(text), start + shared)))
        fragment = text[start:stop]
        if fragment == fragment.strip():
            assert any(begin <= start and stop <= end for begin, end in cuts)
    covered = {at for begin, end in cuts for at in range(begin, end)}
    assert all(at in covered for at, letter in enumerate(text) if not letter.isspace())


def test_borders_of_paragraphs_come_before_those_of_sentences() -> None:
    paragraph = "Ada lives in Rome. " * 30
    text = f"{paragraph}\n\n{paragraph}\n\n{paragraph}"
    first = passages(text)[0]
    assert text[: first[1]] == paragraph.strip()
    sentences = "Ada lives in Rome. " * 300
    assert all(sentences[begin:end].endswith("Rome.") for begin, end in passages(sentences))
    chinese = "我住在羅馬。" * 400
    assert all(chinese[begin:end].endswith("。") for begin, end in passages(chinese))


def test_short_and_empty_texts() -> None:
    assert passages("") == passages(" \n ") == []
    assert passages(" Ada ") == [(1, 4)]
    assert passages("x" * MOST) == [(0, MOST)]
    assert len(passages("x" * (MOST + 1))) == 2


def test_passages_that_could_not_move_on_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot share"):
        passages("abc", 4 * SHARED, SHARED)
