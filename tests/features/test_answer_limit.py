from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.features.answer_limit import AnswerLengths, AnswerTexts
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import Answer, Example

from .practice import CORPUS


def example(context: str, *places: tuple[int, int]) -> Example:
    answers = tuple(Answer(context[low:high], low) for low, high in places)
    return Example("1", "?", context, answers, "en", "d")


def lengths(**sources: list[int]) -> AnswerLengths:
    return AnswerLengths({name: np.sort(np.array(each)) for name, each in sources.items()})


def test_every_reference_counts_as_often_as_it_was_given(trained: dict[str, Path]) -> None:
    tokenizer = QATokenizer.from_folder(trained["word-piece"])
    rows = [example("ab ab ab", (0, 2), (0, 3), (0, 8)), example("ab ab ab"), example("ab", (0, 2))]
    texts = AnswerTexts.of({"train": rows, "none": rows[1:2]})
    assert texts.by_source == {"train": {"ab": 3, "ab ab ab": 1}, "none": {}}
    found = AnswerLengths.of(tokenizer, texts)
    one = len(tokenizer.core.encode("ab", add_special_tokens=False).ids)
    assert {name: each.tolist() for name, each in found.by_source.items()} == {
        "train": [one, one, one, 3 * one]
    }


@pytest.mark.parametrize("name", ["word-piece", "unigram"])
def test_an_answer_has_nearly_as_many_tokens_by_itself_as_in_its_context(
    trained: dict[str, Path], name: str
) -> None:
    tokenizer = QATokenizer.from_folder(trained[name])
    rng = np.random.default_rng(0)
    for _ in range(60):
        context = str(rng.choice(CORPUS))
        edges = [0, *(i + 1 for i, c in enumerate(context) if c == " "), len(context) + 1]
        low, high = sorted(rng.choice(len(edges), 2, replace=False).tolist())
        row = example(context, (edges[low], edges[high] - 1))
        windows = cut(encode(tokenizer, [row]), 500, 8)
        first, last = windows.label[0].tolist()
        alone = AnswerLengths.of(tokenizer, AnswerTexts.of({"": [row]})).by_source[""]
        assert abs(int(alone[0]) - (last - first + 1)) <= 2


def test_the_limit_is_what_the_source_with_the_longest_answers_needs() -> None:
    short, target = [3] * 100_000, [*range(1, 101)]
    assert lengths(short=short, target=target).limit(384) == 104, "the next multiple of eight"
    assert lengths(short=short, target=[*target, *short]).limit(384) == 48, "one of a thousand"
    assert lengths(short=short).limit(384) == 48, "as it always was"
    assert lengths(target=[500]).limit(384) == 192, "half a window"
    assert lengths(target=[500]).limit(64) == 48
    assert AnswerLengths({}).limit(384) == 48


def test_a_few_odd_labels_of_many_do_not_decide() -> None:
    assert lengths(train=[5] * 9_995 + [300] * 5).limit(384) == 48
    assert lengths(train=[5] * 995 + [100] * 5).limit(384) == 104


def test_what_lies_beyond_is_counted() -> None:
    found = lengths(train=[1, 48, 49, 60], public=[2])
    assert found.beyond(48) == {"train": 2, "public": 0}
    assert found.beyond(0) == {"train": 4, "public": 1}


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.integers(1, 600), min_size=1, max_size=50), min_size=1, max_size=4),
    st.integers(16, 512),
)
def test_limits_keep_their_bounds(sources: list[list[int]], length: int) -> None:
    found = lengths(**{str(n): each for n, each in enumerate(sources)})
    limit = found.limit(length)
    assert 48 <= limit <= max(48, length // 2)
    if limit < length // 2:  # fewer than a thousand answers each: none is cut
        assert not any(found.beyond(limit).values())
    assert lengths(**{str(n): each[::-1] for n, each in enumerate(sources)}).limit(length) == limit
