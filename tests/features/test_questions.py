from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoqa.errors import ConfigError
from autoqa.features.cut import find_cuts
from autoqa.features.encode import Encoded, encode
from autoqa.features.questions import check_window, kept, shortened
from autoqa.features.tokenizer import QATokenizer

from .practice import example


@pytest.fixture(scope="module")
def tokenizer(trained: dict[str, Path]) -> QATokenizer:
    return QATokenizer.from_folder(trained["word-piece"])


def sized(tokenizer: QATokenizer, question: int, context: int) -> Encoded:
    made = encode(tokenizer, [example("a " * context, question="a " * question)])
    assert (made.question_tokens, made.context_tokens) == (question, context)
    return made


SIZES = st.integers(0, 90)


@given(SIZES, SIZES, st.integers(5, 60), st.integers(0, 40))
def test_windows_always_advance_and_hold_as_much_of_the_question_as_they_can(
    tokenizer: QATokenizer, question: int, context: int, length: int, stride: int
) -> None:
    room = length - tokenizer.template.specials
    assume(room - stride >= 2)
    encoded = sized(tokenizer, question, context)
    (tokens,) = kept(encoded, length, stride)
    whole = question + context <= room or room - question > stride
    assert (tokens == question) == whole
    assert tokens == question or tokens + context == room or tokens == (room - stride) // 2
    assert tokens > 0 or not question
    cuts = find_cuts(encoded, length, stride)
    assert (cuts.last - cuts.first + tokens <= room).all()
    assert (np.diff(cuts.first) > 0).all()
    assert cuts.last[-1] == context
    assert shortened(encoded, length, stride).tolist() == [0] * int(tokens < question)


def test_a_short_context_leaves_the_question_more_than_half(tokenizer: QATokenizer) -> None:
    assert kept(sized(tokenizer, 50, 8), 40, 7) == 29
    assert kept(sized(tokenizer, 50, 0), 40, 7) == 37
    assert kept(sized(tokenizer, 50, 30), 40, 7) == 15
    assert kept(sized(tokenizer, 29, 30), 40, 7) == 29
    assert kept(sized(tokenizer, 30, 30), 40, 7) == 15


def test_a_window_without_room_is_refused(tokenizer: QATokenizer) -> None:
    template = tokenizer.template
    check_window(template, 16, 11)
    with pytest.raises(ConfigError) as caught:
        check_window(template, 16, 12, "backbones.e5.protocol")
    assert str(caught.value) == (
        "backbones.e5.protocol: length 16 leaves windows no room for a question and its context: "
        "3 tokens are special and 12 shared by neighbours (stride); raise the length to 17 or "
        "more, or lower the stride."
    )
    with pytest.raises(ConfigError, match=r"^stride is -1, but"):
        check_window(template, 16, -1)
    with pytest.raises(ConfigError, match=r"^length 16 leaves"):
        kept(sized(tokenizer, 9, 9), 16, 12)
    assert kept(sized(tokenizer, 4, 9), 16, 12) == 4
