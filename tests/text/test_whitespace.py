import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autoqa.text.whitespace import Texts
from tests.decoding.making import strip

TEXT = st.text(st.sampled_from("a \n\u3000\u00a0\x1cब🙂\ud800"), max_size=12)


@given(st.data(), st.lists(TEXT, min_size=1, max_size=5))
def test_strips_a_span_with_a_word_like_str(data, texts):
    spans = []
    for row, text in enumerate(texts):
        low = data.draw(st.integers(0, len(text)))
        spans.append((row, low, data.draw(st.integers(low, len(text)))))
    row, low, high = np.array(spans, np.int64).T
    found = Texts(texts).inward(row, low, high)
    for position, first, last, a, b in zip(row, low, high, *found, strict=True):
        if texts[position][first:last].strip():
            assert (a, b) == strip(texts[position], first, last)
        else:
            assert a >= b


@given(st.data(), st.lists(TEXT, min_size=1, max_size=5))
def test_moves_inward_to_the_nearest_word(data, texts):
    places = []
    for row, text in enumerate(texts):
        low, high = (data.draw(st.integers(0, len(text))) for _ in range(2))
        places.append((row, low, high))
    row, low, high = np.array(places, np.int64).T
    found = Texts(texts).inward(row, low, high)
    for position, first, last, a, b in zip(row, low, high, *found, strict=True):
        text = texts[position]
        solid = [i for i, character in enumerate(text) if not character.isspace()]
        assert a == min((i for i in solid if i >= first), default=len(text))
        assert b == max((i + 1 for i in solid if i < last), default=0)


def test_no_text_at_all():
    none = np.zeros(0, np.int64)
    assert [len(side) for side in Texts([]).inward(none, none, none)] == [0, 0]


def test_nothing_is_blank_beyond_the_last_character_looked_up():
    blank = [code for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    assert max(blank) == 0x3000
