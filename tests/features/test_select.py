from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.errors import ConfigError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import concatenate, kept_rows, take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import SoftTargets, Windows

from .practice import CORPUS, assert_same, example


@pytest.fixture(scope="session")
def windows(trained: dict[str, Path]) -> Windows:
    context = " ".join(CORPUS)
    examples = [example(context, 4, 11, name="a"), example(CORPUS[1], name="b"), example(context)]
    return cut(encode(QATokenizer.from_folder(trained["unigram"]), examples), 64, 16)


def tokens(windows: Windows, window: int) -> list[int]:
    return windows.input_ids[windows.bounds[window] : windows.bounds[window + 1]].tolist()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_take_reorders_and_repeats(windows: Windows, data: st.DataObject) -> None:
    order = data.draw(st.lists(st.integers(0, len(windows) - 1), max_size=12))
    taken = take(windows, order)
    assert [tokens(taken, i) for i in range(len(taken))] == [tokens(windows, i) for i in order]
    np.testing.assert_array_equal(taken.label, windows.label[order])
    assert_same(take(windows, np.arange(len(windows))), windows)


def test_soft_targets_go_with_their_windows(windows: Windows) -> None:
    numbers = np.arange(len(windows.input_ids), dtype=np.float16)
    weight = np.arange(2 * len(windows), dtype=np.float32).reshape(-1, 2)
    soft = SoftTargets(np.stack([numbers, -numbers], axis=1), weight)
    order = [len(windows) - 1, 0]
    taken = take(replace(windows, soft=soft), order).soft
    assert taken is not None
    np.testing.assert_array_equal(taken.weight, weight[order])
    place = replace(windows, input_ids=numbers.astype(np.int32))
    np.testing.assert_array_equal(taken.log_probability[:, 0], take(place, order).input_ids)
    with pytest.raises(ValueError, match="none with soft targets"):
        concatenate([windows, replace(windows, soft=soft)])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_negatives_are_dropped_by_number(windows: Windows, share: float) -> None:
    answerable = windows.answerable
    rows = kept_rows(answerable, share, np.random.default_rng(5))
    assert int((~answerable[rows]).sum()) == round(share * int((~answerable).sum()))
    assert int(answerable[rows].sum()) == int(answerable.sum()) > 0
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, kept_rows(answerable, share, np.random.default_rng(5)))


def test_other_draws_keep_other_negatives(windows: Windows) -> None:
    rows = [kept_rows(windows.answerable, 0.4, np.random.default_rng(seed)) for seed in range(5)]
    assert len({tuple(one.tolist()) for one in rows}) > 1


def test_an_impossible_share_is_refused(windows: Windows) -> None:
    with pytest.raises(ConfigError, match=r"1\.5; it must be 0 to 1"):
        kept_rows(windows.answerable, 1.5, np.random.default_rng(0))


def test_concatenate_undoes_take(windows: Windows) -> None:
    middle = len(windows) // 2
    parts = [take(windows, np.arange(middle)), take(windows, np.arange(middle, len(windows)))]
    assert_same(concatenate(parts), windows)
    shifted = concatenate([windows, windows], sizes=[3, 3])
    assert shifted.example.tolist() == [*windows.example, *(windows.example + 3)]
    with pytest.raises(ValueError, match="at least one"):
        concatenate([])
