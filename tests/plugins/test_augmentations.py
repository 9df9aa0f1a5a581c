import re
import unicodedata
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

from autoqa.api import API_VERSION, AugmentationSpec, TokenBatch
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Answer, Example
from tests.features.practice import minilm_folder, write_e5_tokenizer

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
    assert all(start < next_start for start, next_start in pairwise(first))
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


FLAGS = st.tuples(st.booleans(), st.booleans(), st.booleans())


def batch_of(tokens: list[tuple[bool, bool, bool]]) -> TokenBatch:
    """A batch from each token's being context, answer, first of a word."""
    is_context, is_answer, starts_word = np.array(tokens, bool).T
    return TokenBatch(
        input_ids=np.arange(10, 10 + len(tokens), dtype=np.int32),
        is_context=is_context,
        is_answer=is_context & is_answer,
        starts_word=is_context & starts_word,
        mask_id=3,
    )


def words_of(batch: TokenBatch) -> list[list[int]]:
    """Context tokens by word."""
    words = np.cumsum(batch.starts_word)
    tokens = np.flatnonzero(batch.is_context)
    return [tokens[words[tokens] == word].tolist() for word in np.unique(words[tokens])]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(FLAGS, min_size=1, max_size=60),
    st.floats(0, 0.5),
    st.booleans(),
    st.booleans(),
    st.integers(0, 99),
)
def test_cutout_hides_context_only(
    tokens: list[tuple[bool, bool, bool]], share: float, spare: bool, whole: bool, seed: int
) -> None:
    batch = batch_of(tokens)
    before = batch.input_ids.copy()
    hide = Cutout(CutoutOptions(share=share, spare_answer=spare, whole_words=whole)).mask
    masked_ids = hide(batch, np.random.default_rng(seed))
    assert masked_ids.dtype == np.int32
    np.testing.assert_array_equal(batch.input_ids, before)
    changed = masked_ids != batch.input_ids
    assert (masked_ids[changed] == 3).all()
    assert not (changed & ~batch.is_context).any()
    assert not (spare and (changed & batch.is_answer).any())
    if whole:
        for word in words_of(batch):
            assert len(set(changed[word].tolist())) == 1
            assert not (spare and changed[word].any() and batch.is_answer[word].any())
    np.testing.assert_array_equal(hide(batch, np.random.default_rng(seed)), masked_ids)


@pytest.mark.parametrize("whole", [False, True])
def test_cutout_hides_the_asked_share_and_may_hide_answers(whole: bool) -> None:
    count = 100_000
    starts = np.random.default_rng(0).random(count) < 0.4
    everything = np.ones(count, bool)
    ids = np.full(count, 7, np.int32)
    batch = TokenBatch(
        input_ids=ids, is_context=everything, is_answer=everything, starts_word=starts, mask_id=3
    )
    hide = Cutout(CutoutOptions(share=0.1, whole_words=whole)).mask
    assert 0.095 < (hide(batch, np.random.default_rng(1)) == 3).mean() < 0.105
    nothing = Cutout(CutoutOptions(share=0, whole_words=whole)).mask
    np.testing.assert_array_equal(nothing(batch, np.random.default_rng(1)), ids)


# -- real tokenizers -----------------------------------------------------------------------------

TEXTS = (
    "The Normans were the people who, in the 10th and 11th centuries, gave their name to Normandy; "
    "Rollo agreed to swear fealty (911).",
    "महात्मा गांधी का जन्म 2 अक्टूबर 1869 को पोरबंदर में हुआ था। उनके पिता, करमचंद, दीवान थे।",
    "தமிழ்நாடு இந்தியாவின் தென்முனையில் அமைந்துள்ள மாநிலம்; அதன் தலைநகர் சென்னை ஆகும்.",
)


@pytest.fixture(scope="module", params=["minilm", "e5"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> QATokenizer:
    if request.param == "minilm":
        return QATokenizer.from_folder(minilm_folder())
    return QATokenizer.from_folder(write_e5_tokenizer(tmp_path_factory.mktemp("e5")))


@settings(max_examples=60, deadline=None)
@given(st.data(), JITTERS, st.booleans(), st.integers(0, 99))
def test_gold_answers_decode_after_crop_and_cutout(
    real: QATokenizer, data: st.DataObject, jitter: RandomCropOptions, spare: bool, seed: int
) -> None:
    context = " ".join(data.draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3)))
    spoken = [match.span() for match in re.finditer(r"\S+", context)]
    first = data.draw(st.integers(0, len(spoken) - 1))
    last = data.draw(st.integers(first, min(first + 4, len(spoken) - 1)))
    start, end = spoken[first][0], spoken[last][1]
    example = Example("q", "Who?", context, (Answer(context[start:end], start),), "en", "d")
    rng = np.random.default_rng(seed)
    encoded = encode(real, [example])
    windows = cut(encoded, 48, 12, plan=RandomCrop(jitter).plan, rng=rng)
    positions = np.arange(len(windows.input_ids)) - np.repeat(windows.bounds[:-1], windows.lengths)
    begins, ends = (np.repeat(edge, windows.lengths) for edge in windows.context.T)
    is_context = (positions >= begins) & (positions < ends)
    first_answer, last_answer = (np.repeat(edge, windows.lengths) for edge in windows.label.T)
    labelled = np.repeat(windows.answerable, windows.lengths)
    is_answer = labelled & (positions >= first_answer) & (positions <= last_answer)
    batch = TokenBatch(
        input_ids=windows.input_ids,
        is_context=is_context,
        is_answer=is_answer,
        starts_word=windows.starts_word,
        mask_id=real.mask_id,
    )
    options = CutoutOptions(share=0.5, spare_answer=spare, whole_words=True)
    masked_ids = Cutout(options).mask(batch, rng)
    hidden = masked_ids != windows.input_ids
    assert not (hidden & ~is_context).any()
    assert not (spare and (hidden & is_answer).any())
    for tokens in words_of(batch):
        assert len(set((masked_ids[tokens] == real.mask_id).tolist())) == 1
        # All of it is one word of the text.
        low, high = windows.offsets[tokens[0], 0], windows.offsets[tokens[-1], 1]
        assert len(context[low:high].split()) == 1
    for window in np.flatnonzero(windows.answerable):
        # One of the tokenizers drops accents; those at the end of an answer have no token.
        decoded = text_of(windows, window, context).strip()
        missing = context[start:end].removeprefix(decoded)
        assert decoded
        assert decoded + missing == context[start:end]
        assert all(unicodedata.category(sign) == "Mn" for sign in missing)
