from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from features.conftest import CORPUS, assert_same, cut_as_transformers_does, minilm_folder, xquad
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autoqa.errors import ConfigError, PluginError
from autoqa.features import QATokenizer, cut, encode
from autoqa.types import Answer, Example


def example(context: str, start: int = 0, end: int = 0, question: str = "who ?", id: str = "q"):
    answers = (Answer(context[start:end], start),) if end > start else ()
    return Example(id, question, context, answers, "en", "d")


FAMILIES = ("byte-level", "unigram", "word-piece")
FIXED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def examples_st(draw: st.DrawFn) -> list[Example]:
    texts = st.one_of(
        st.sampled_from(CORPUS),
        st.lists(st.sampled_from(CORPUS), min_size=2, max_size=4).map("  ".join),
        st.text(max_size=60),
        st.text("aé ́क्ि。▁ﬁ½\u200d\n", max_size=60),
    )
    made = []
    for number in range(draw(st.integers(1, 4))):
        context = draw(texts)
        start = draw(st.integers(0, len(context)))
        end = draw(st.integers(start, len(context)))
        question = draw(st.one_of(st.just("  Who was it?"), st.text(max_size=8)))
        made.append(example(context, start, end, question, str(number)))
    return made


@FIXED
@given(
    examples=examples_st(),
    length=st.integers(50, 90),
    stride=st.integers(0, 9),
    family=st.sampled_from(FAMILIES),
)
def test_windows_are_those_of_the_practice(
    trained: dict[str, Path], examples: list[Example], length: int, stride: int, family: str
) -> None:
    folder = trained[family]
    ours = cut(encode(QATokenizer.from_folder(folder), examples), length, stride)
    assert_same(ours, cut_as_transformers_does(folder, examples, length, stride))


@pytest.mark.parametrize("language, length, stride", [("en", 384, 128), ("hi", 256, 64)])
def test_real_questions_and_a_real_tokenizer(
    data_folder: Path, language: str, length: int, stride: int
) -> None:
    examples = xquad(data_folder, language)
    ours = cut(encode(QATokenizer.from_folder(minilm_folder()), examples), length, stride)
    assert_same(ours, cut_as_transformers_does(minilm_folder(), examples, length, stride))
