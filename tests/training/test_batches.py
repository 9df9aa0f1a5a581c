from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from autoqa.api import Augmentation, TokenBatch
from autoqa.data.study_data import StudyData
from autoqa.errors import ConfigError, DataError, PluginError
from autoqa.features.encode import encode
from autoqa.features.windows import Windows
from autoqa.recipes import AugmentationUse, Portion, Stage
from autoqa.training.batches import (
    PreparedStage,
    answer_tokens,
    long_questions,
    prepare_stage,
)
from autoqa.training.workbench import Workbench
from tests.features.practice import assert_same

Bench = Callable[[str], Workbench]
PLAIN = Stage((Portion("train"),), 32, 8)
CUTOUT = AugmentationUse("cutout", (("share", 0.3), ("whole_words", True)))
CROP = AugmentationUse("random-crop")


@pytest.fixture
def bench(make_bench: Bench) -> Workbench:
    return make_bench("feed")


def prepared(bench: Workbench, stage: Stage, seed: int = 0, **changes: Any) -> PreparedStage:
    options: dict[str, Any] = {"epochs": 1.0, **changes}
    return prepare_stage(
        stage,
        options.pop("augmentations", None) or bench.bound.augmentations(stage),
        bench.data,
        partial(bench.encoded, "toy"),
        bench.backbone("toy").tokenizer,
        seed=(seed, 0),
        **options,
    )


def windows(bench: Workbench, stage: Stage, seed: int = 0, **changes: Any) -> Windows:
    return prepared(bench, stage, seed, **changes).windows


def test_stages_are_drawn_anew_by_seed_and_repeated_by_epochs(bench: Workbench) -> None:
    once = windows(bench, PLAIN)
    assert_same(once, windows(bench, PLAIN))
    assert not np.array_equal(once.input_ids, windows(bench, PLAIN, seed=1).input_ids)
    assert len(windows(bench, PLAIN, epochs=2.0)) == 2 * len(once)


def test_negatives_are_thinned_out_per_portion(bench: Workbench) -> None:
    all_of = windows(bench, Stage((Portion("train"),), 24, 4))
    none_of = windows(bench, Stage((Portion("train", negatives=0.0),), 24, 4))
    assert 0 < all_of.answerable.sum() < len(all_of)
    assert none_of.answerable.all()
    assert len(none_of) == all_of.answerable.sum()


def test_portions_are_counted(bench: Workbench) -> None:
    stage = Stage((Portion("train", share=0.5), Portion("train", negatives=0.0)), 24, 4)
    made = prepared(bench, stage, epochs=1.5)
    first, second = made.portions
    assert (first.source, first.rows, second.rows) == ("train", 30, 60)
    assert first.windows + second.windows == len(made.windows)
    assert second.answered == second.windows
    assert first.answered + second.answered == made.windows.answerable.sum()
    assert first.tokens + second.tokens == len(made.windows.input_ids)


def test_windows_know_the_example_that_they_were_cut_from(bench: Workbench) -> None:
    """Rows count through the portions' sources, one behind another, whatever was drawn."""
    portions = (Portion("train", share=0.3), Portion("train", share=1.5, negatives=0.5))
    made = windows(bench, Stage(portions, 32, 8, (CROP,)))
    examples = [*bench.data.train["train"], *bench.data.train["train"]]
    assert made.example.max() >= len(examples) // 2 > made.example.min()
    for w, row in enumerate(made.example.tolist()):
        begin = int(made.bounds[w])
        first, last = made.label[w].tolist()
        if last:
            low, high = made.offsets[begin + first, 0], made.offsets[begin + last, 1]
            assert examples[row].context[low:high] == examples[row].answers[0].text


@pytest.mark.parametrize("similar", [False, True])
@pytest.mark.parametrize("size", [1, 4, 7, 1000])
def test_a_run_that_goes_on_sees_the_same_batches(
    bench: Workbench, size: int, similar: bool
) -> None:
    stage = Stage((Portion("train"),), 24, 4, (CROP, CUTOUT))
    made = prepared(bench, stage, similar_lengths=similar)
    whole = list(made.batches(size))
    assert len(whole) == made.steps(size)
    assert sum(map(len, whole)) == len(made.windows)
    for begin in (1, len(whole) // 2, len(whole)):
        again = prepared(bench, stage, similar_lengths=similar)
        rest = list(again.batches(size, begin))
        assert len(rest) == len(whole[begin:])
        for one, other in zip(rest, whole[begin:], strict=True):
            assert_same(one, other)


def test_batches_are_masked_differently_and_only_in_the_context(bench: Workbench) -> None:
    stage = Stage((Portion("train"),), 32, 8, (CUTOUT,))
    made = prepared(bench, stage)
    plain = prepared(bench, PLAIN)
    masked = []
    for one, other in zip(made.batches(8), plain.batches(8), strict=True):
        changed = one.input_ids != other.input_ids
        assert (one.input_ids[changed] == made.tokenizer.mask_id).all()
        assert (one.offsets[changed, 1] > 0).all()
        masked.append(tuple(np.flatnonzero(changed)[:5].tolist()))
    assert len(set(masked)) > 1


def test_similar_lengths_stand_together(bench: Workbench) -> None:
    made = prepared(bench, PLAIN, similar_lengths=True)
    mixed = prepared(bench, PLAIN)
    assert_same(made.windows, mixed.windows)

    def padding(stage: PreparedStage) -> int:
        return sum(int((b.lengths.max() - b.lengths).sum()) for b in stage.batches(4))

    assert padding(made) < 0.5 * padding(mixed)
    seen = sorted(tuple(b.label.ravel().tolist()) for b in made.batches(1))
    assert seen == sorted(tuple(b.label.ravel().tolist()) for b in mixed.batches(1))
    lengths = [int(b.lengths.max()) for b in made.batches(4)]
    assert lengths != sorted(lengths)


def test_masks_are_told_what_is_what_and_chain(bench: Workbench) -> None:
    told: list[TokenBatch] = []

    class Look(Augmentation):
        def mask(self, batch: TokenBatch, rng: np.random.Generator) -> np.ndarray:
            told.append(batch)
            return batch.input_ids + 1

    made = prepared(bench, PLAIN, augmentations=[Look(), Look()])
    (batch,) = made.batches(1000)
    first, second = told
    np.testing.assert_array_equal(second.input_ids, first.input_ids + 1)
    np.testing.assert_array_equal(batch.input_ids, first.input_ids + 2)
    np.testing.assert_array_equal(first.is_answer, answer_tokens(made.windows))
    assert (first.is_context & first.is_answer).sum() == first.is_answer.sum() > 0
    assert not (first.starts_word & ~first.is_context).any()


def test_a_mask_of_another_size_is_the_plugins_fault(bench: Workbench) -> None:
    class Short(Augmentation):
        def mask(self, batch: TokenBatch, rng: np.random.Generator) -> np.ndarray:
            return batch.input_ids[1:]

    made = prepared(bench, PLAIN, augmentations=[Short()])
    with pytest.raises(PluginError, match="Short made"):
        next(made.batches(4))


def test_long_questions_are_trained_on_and_counted(bench: Workbench) -> None:
    stage = Stage((Portion("train"),), 9, 2)
    made = prepared(bench, stage, epochs=2.0)
    encoded = bench.encoded("toy", "train")
    long = encoded.question_tokens + 2 >= 9 - encoded.template.specials
    assert 0 < made.shortened == long.sum()
    assert set(made.windows.example.tolist()) == set(range(len(encoded)))
    assert made.windows.lengths.max() <= 9
    wide = prepared(bench, PLAIN)
    assert wide.shortened == 0
    assert long_questions([PLAIN, stage], [wide, made], (1, 16)) == [
        f"stage 2: {made.shortened} questions too long for windows of 9 tokens, cut to the "
        "beginning",
        "validation: 1 question too long for windows of 16 tokens, cut to the beginning",
    ]


def test_a_stage_without_windows_says_why(bench: Workbench) -> None:
    with pytest.raises(ConfigError, match=r"length 7 leaves windows no room .* 11 or more"):
        prepared(bench, Stage((Portion("train"),), 7, 6))
    tokenizer = bench.backbone("toy").tokenizer
    data = StudyData({"train": (replace(bench.data.train["train"][0], answers=()),)}, (), ())
    stage = Stage((Portion("train", negatives=0.0),), 32, 8)
    with pytest.raises(DataError, match=r"train at 32 tokens .*; raise a share, keep more"):
        prepare_stage(
            stage,
            [],
            data,
            lambda source: encode(tokenizer, data.train[source]),
            tokenizer,
            epochs=1.0,
            seed=(0, 0),
        )


def test_two_cuts_are_refused(bench: Workbench) -> None:
    stage = Stage((Portion("train"),), 24, 4, (CROP, CROP))
    with pytest.raises(PluginError, match="RandomCrop and RandomCrop both cut"):
        prepared(bench, stage)
