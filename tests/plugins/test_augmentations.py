from importlib.metadata import entry_points
from itertools import pairwise

import numpy as np
import pytest
from autoqa_augmentations.cutout import Cutout, CutoutOptions
from autoqa_augmentations.random_crop import RandomCrop, RandomCropOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from autoqa.api import API_VERSION, AugmentationSpec
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Answer, Example

SPECS = {entry.name: entry.load() for entry in entry_points(group="autoqa.augmentations")}
JITTERS = st.builds(
    RandomCropOptions, length_jitter=st.floats(0, 0.75), stride_jitter=st.floats(0, 1)
)


@pytest.fixture(scope="module")
def tokenizer() -> QATokenizer:
    core = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3}, "[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return QATokenizer(core.to_str().encode(), "tokenizer.json")


@pytest.mark.parametrize("name", ["random-crop", "cutout"])
def test_specs_are_found_and_complete(name: str) -> None:
    spec = SPECS[name]
    assert isinstance(spec, AugmentationSpec)
    assert (spec.name, spec.api_version) == (name, API_VERSION)
    built = spec.build(spec.options())
    for heading in ("**What.**", "**When.**", "**Source.**"):
        assert heading in type(built).__doc__
    with pytest.raises(ValidationError, match="Extra inputs"):
        spec.options(shore=0.1)


@pytest.mark.parametrize("wrong", [{"share": 0.6}, {"share": -0.1}])
def test_cutout_options_are_bounded(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        CutoutOptions(**wrong)


@settings(max_examples=300, deadline=None)
@given(JITTERS, st.integers(0, 2000), st.integers(1, 500), st.floats(0, 0.999), st.integers(0, 99))
def test_crops_cover_the_context_and_fit(
    options: RandomCropOptions, tokens: int, room: int, share: float, seed: int
) -> None:
    stride = int(room * share)
    crop = RandomCrop(options)
    planned = crop.plan(tokens, room, stride, np.random.default_rng(seed))
    if tokens <= room:
        assert planned is None
        return
    first, last = planned
    assert first.dtype == last.dtype == np.int64
    assert first[0] == 0
    assert last[-1] == tokens
    assert (last > first).all()
    assert (last - first <= room).all()
    assert all(start <= end for start, end in zip(first[1:], last[:-1], strict=True))
    assert all(one < other for one, other in pairwise(first))
    assert all(end < tokens for end in last[:-1])
    again = crop.plan(tokens, room, stride, np.random.default_rng(seed))
    np.testing.assert_array_equal(again, planned)


def test_crops_differ_from_draw_to_draw() -> None:
    crop, rng = RandomCrop(RandomCropOptions()), np.random.default_rng(0)
    plans = [crop.plan(2000, 300, 100, rng) for _ in range(20)]
    assert len({tuple(first) for first, _ in plans}) > 15


def test_without_jitter_only_the_first_end_is_random() -> None:
    crop = RandomCrop(RandomCropOptions(length_jitter=0, stride_jitter=0))
    first, last = crop.plan(2000, 300, 100, np.random.default_rng(0))
    assert set((last - first)[1:-1]) == {300}
    assert set(last[:-1] - first[1:]) == {100}


def text_of(windows: Windows, window: int, context: str) -> str:
    first, last = windows.label[window] + windows.bounds[window]
    return context[windows.offsets[first, 0] : windows.offsets[last, 1]]


@settings(max_examples=60, deadline=None)
@given(JITTERS, st.integers(1, 200), st.integers(0, 199), st.integers(1, 5), st.integers(0, 9))
def test_labels_decode_after_a_crop(
    tokenizer: QATokenizer,
    options: RandomCropOptions,
    words: int,
    place: int,
    size: int,
    seed: int,
) -> None:
    spoken = [f"w{number}" for number in range(words)]
    context, place = " ".join(spoken), place % words
    start = sum(len(word) + 1 for word in spoken[:place])
    gold = " ".join(spoken[place : place + size])
    example = Example("q", "who", context, (Answer(gold, start),), "en", "d")
    windows = cut(
        encode(tokenizer, [example]),
        32,
        8,
        plan=RandomCrop(options).plan,
        rng=np.random.default_rng(seed),
    )
    for window in np.flatnonzero(windows.answerable):
        assert text_of(windows, window, context) == gold
    seen = {pair for pair in map(tuple, windows.offsets.tolist()) if pair != (0, 0)}
    assert len(seen) == words


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60),
    st.floats(0, 0.5),
    st.booleans(),
    st.integers(0, 99),
)
def test_cutout_hides_context_only(
    tokens: list[tuple[bool, bool]], share: float, spare: bool, seed: int
) -> None:
    is_context = np.array([context for context, _ in tokens])
    is_answer = np.array([context and answer for context, answer in tokens])
    ids = np.arange(10, 10 + len(tokens), dtype=np.int32)
    before = ids.copy()
    hide = Cutout(CutoutOptions(share=share, spare_answer=spare)).mask
    made = hide(ids, is_context, is_answer, 3, np.random.default_rng(seed))
    assert made.dtype == np.int32
    np.testing.assert_array_equal(ids, before)
    changed = made != ids
    assert (made[changed] == 3).all()
    assert not (changed & ~is_context).any()
    assert not (spare and (changed & is_answer).any())
    again = hide(ids, is_context, is_answer, 3, np.random.default_rng(seed))
    np.testing.assert_array_equal(again, made)


def test_cutout_hides_the_asked_share_and_may_hide_answers() -> None:
    ids = np.full(100_000, 7, np.int32)
    everything = np.ones(len(ids), bool)
    hide = Cutout(CutoutOptions(share=0.1)).mask
    made = hide(ids, everything, everything, 3, np.random.default_rng(1))
    assert 0.095 < (made == 3).mean() < 0.105
    untouched = Cutout(CutoutOptions(share=0)).mask(
        ids, everything, everything, 3, np.random.default_rng(1)
    )
    np.testing.assert_array_equal(untouched, ids)
