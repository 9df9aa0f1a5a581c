"""Augmentations that change rows, from the draw to the windows, the card and the keys."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from autoqa import recipes
from autoqa.api import Augmentation, AugmentationSpec, Options, TrainingRows
from autoqa.data.study_data import StudyData
from autoqa.errors import ConfigError, PluginError
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, StageSize, TrainingRun
from autoqa.registry import BoundAugmentation
from autoqa.training.augmentation_keys import AugmentationKeys
from autoqa.training.batches import PreparedStage, prepare_stage
from autoqa.training.jobs import TrialJob
from autoqa.training.prepared_stages import prepared_stages
from autoqa.training.schedule import LearningRate
from autoqa.training.state_key import state_key
from autoqa.training.workbench import Workbench
from autoqa.types import Answer, Example
from tests.features.practice import assert_same

Bench = Callable[[str], Workbench]
PLAIN = Stage((Portion("train"),), 32, 8)
RNG = np.random.Generator


class Rows(Augmentation):
    """What a function makes of rows."""

    def __init__(self, function: Callable[[TrainingRows, RNG], Any]) -> None:
        self.function = function

    def rows(self, rows: TrainingRows, rng: RNG) -> Sequence[Example]:
        return self.function(rows, rng)


def lengthened(example: Example, word: str = "So") -> Example:
    """The same with a word in front of its context."""
    answers = tuple(Answer(a.text, a.start + len(word) + 1) for a in example.answers)
    return replace(example, context=f"{word} {example.context}", answers=answers)


def half(rows: TrainingRows, rng: RNG) -> list[Example]:
    return [lengthened(e) if rng.random() < 0.5 else e for e in rows.examples]


@pytest.fixture
def bench(make_bench: Bench) -> Workbench:
    return make_bench("rows")


def prepared(
    bench: Workbench,
    *functions: Callable[[TrainingRows, RNG], Any],
    stage: Stage = PLAIN,
    data: StudyData | None = None,
    epochs: float = 1.0,
    **changes: Any,
) -> PreparedStage:
    return prepare_stage(
        stage,
        [Rows(function) for function in functions],
        bench.data if data is None else data,
        partial(bench.encoded, "toy"),
        bench.backbone("toy").tokenizer,
        epochs=epochs,
        seed=(0, 0),
        **changes,
    )


def test_rows_that_stay_are_trained_on_as_without(bench: Workbench) -> None:
    same = prepared(bench, lambda rows, _: rows.examples, epochs=1.5)
    assert_same(same.windows, prepared(bench, epochs=1.5).windows)
    assert same.made == ()
    assert not same.never_again


def test_windows_of_changed_rows_hold_their_answers(bench: Workbench) -> None:
    stage = Stage((Portion("train", share=0.5), Portion("train", share=1.5)), 32, 8)
    made = prepared(bench, half, stage=stage, epochs=2.0)
    assert made.never_again
    train = bench.data.train["train"]
    examples, windows = [*train, *train, *made.made], made.windows
    assert len(made.made) > 40
    seen = set()
    for w, row in enumerate(windows.example.tolist()):
        first, last = windows.label[w].tolist()
        if last:
            low = windows.offsets[int(windows.bounds[w]) + first, 0]
            high = windows.offsets[int(windows.bounds[w]) + last, 1]
            assert examples[row].context[low:high] == examples[row].answers[0].text
            seen.add(row >= 2 * len(train))
    assert seen == {False, True}
    assert_same(windows, prepared(bench, half, stage=stage, epochs=2.0).windows)


def test_augmentations_follow_one_another_and_draw_apart(bench: Workbench) -> None:
    both = prepared(bench, half, lambda rows, _: [lengthened(e, "And") for e in rows.examples])
    alone = prepared(bench, half)
    assert {e.context.split()[0] for e in both.made} == {"And"}
    inner = [e for e in both.made if e.context.startswith("And So ")]
    assert sorted(e.id for e in inner) == sorted(e.id for e in alone.made)


def test_the_card_says_what_was_dropped_and_made(bench: Workbench) -> None:
    count = len(bench.data.train["train"])
    made = prepared(bench, lambda rows, _: [*map(lengthened, rows.examples[:3]), rows.examples[3]])
    (size,) = made.portions
    assert (size.rows, size.unchanged, size.made, size.windows) == (count, 1, 3, len(made.windows))
    run = TrainingRun(Recipe((PLAIN,)), 1e-3, 0)
    card = "\n".join(recipes.full(run, [StageSize(made.portions, 1)], None))
    assert f"{count} rows (1 left as they are, 3 made by augmentations), " in card
    idle = prepared(bench, lambda rows, _: rows.examples)
    text = "\n".join(recipes.full(run, [StageSize(idle.portions, 1)], None))
    assert f"{count} rows (augmentations changed none), " in text
    plain = "\n".join(recipes.full(run, [StageSize(prepared(bench).portions, 1)], None))
    assert f"{count} rows, " in plain


def test_all_answers_of_changed_rows_are_labels(bench: Workbench) -> None:
    def twice(rows: TrainingRows, _: RNG) -> list[Example]:
        """The first word is a second answer."""
        word = rows.examples[0].context.split()[0]
        return [replace(rows.examples[0], answers=(*rows.examples[0].answers, Answer(word, 0)))]

    labelling = bench.labelling("toy", "each")
    assert labelling is not None
    made = prepared(bench, twice, labelling=labelling)
    windows = made.windows
    begins = windows.bounds[:-1][windows.answerable] + windows.label[windows.answerable, 0]
    starts = set(windows.offsets[begins, 0].tolist())
    assert starts == {answer.start for answer in made.made[0].answers}
    assert len(starts) == 2


@pytest.mark.parametrize(
    "function, sentence",
    [
        (lambda rows, _: None, "Rows made NoneType of rows of train, not a list of examples"),
        (lambda rows, _: ["who?"], "Rows made str, not Example, as number 0 of the rows of train"),
        (
            lambda rows, _: [replace(rows.examples[0], context="x " + rows.examples[0].context)],
            "expected the answer .* at character .* of the context, found",
        ),
        (lambda rows, _: [replace(rows.examples[0], question=" ")], "question is empty"),
        (
            lambda rows, _: [rows.examples[0], *rows.examples],
            "train 2 times, though no row was drawn more than 1 times",
        ),
        (
            lambda rows, _: [lengthened(rows.examples[0])] * 2,
            "train 2 times, though no row was drawn more than 1 times",
        ),
    ],
)
def test_what_cannot_be_trained_on_names_the_augmentation(
    bench: Workbench, function: Callable[[TrainingRows, RNG], Any], sentence: str
) -> None:
    with pytest.raises(PluginError, match=sentence) as caught:
        prepared(bench, function)
    assert str(caught.value).startswith("Rows ")
    assert str(caught.value).endswith("or take it out of the recipe.")


def test_repeated_rows_may_come_as_often_as_they_are_drawn(bench: Workbench) -> None:
    stage = Stage((Portion("train", share=2.0),), 32, 8)
    made = prepared(bench, lambda rows, _: [*map(lengthened, rows.examples)], stage=stage)
    assert len(made.made) == 2 * len(bench.data.train["train"])


def test_only_training_rows_can_be_asked_for(bench: Workbench) -> None:
    seen: list[Example] = []

    def look(rows: TrainingRows, _: RNG) -> Sequence[Example]:
        seen.extend(rows.source("train"))
        return rows.examples

    prepared(bench, look)
    assert tuple(seen) == bench.data.train["train"]
    with pytest.raises(ConfigError, match="source 'exam', which the recipe does not train on"):
        prepared(bench, lambda rows, _: rows.source("exam"))


def key(bench: Workbench, *uses: AugmentationUse) -> str:
    run = TrainingRun(Recipe((replace(PLAIN, augmentations=uses),)), 1e-3, 0)
    job = TrialJob(0, "toy", run, bench.run_folder)
    return state_key(job, bench, LearningRate(run.recipe.method, (4,), 0.1), 0, None)


def test_keys_know_what_decides_an_augmentations_work(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"key": ""}

    def spec(augmentation: Augmentation) -> AugmentationSpec:
        return AugmentationSpec(
            name="own",
            summary="",
            options=Options,
            build=lambda _: augmentation,
            key=lambda _: said["key"],
        )

    masks, rows = spec(Augmentation()), spec(Rows(half))
    monkeypatch.setattr(type(bench.bound.catalogue), "augmentation", lambda *_: masks)
    before = key(bench, AugmentationUse("own"))
    said["key"] = "a table's digest"
    bench.changes = AugmentationKeys(bench.bound)
    assert key(bench, AugmentationUse("own")) != before
    said["key"] = ""
    bench.changes = AugmentationKeys(bench.bound)
    assert key(bench, AugmentationUse("own")) == before
    bench.changes = AugmentationKeys(bench.bound)
    monkeypatch.setattr(type(bench.bound.catalogue), "augmentation", lambda *_: rows)
    one = key(bench, AugmentationUse("own"))
    # Ids are no part of what rows without augmentations are named by.
    bench.data = replace(
        bench.data,
        train={"train": tuple(replace(e, id=f"x{e.id}") for e in bench.data.train["train"])},
    )
    assert len({before, one, key(bench, AugmentationUse("own"))}) == 3


def test_a_run_that_goes_on_trains_on_the_same_rows(bench: Workbench) -> None:
    """The same plugins, options, seed and data: what is prepared again is what it was."""
    use = AugmentationUse("sentence-shuffle", (("share", 0.6),))
    stage = replace(PLAIN, augmentations=(use, AugmentationUse("cutout")))
    job = TrialJob(0, "toy", TrainingRun(Recipe((stage,)), 5e-3, 3), bench.run_folder)
    once, again = (
        prepared_stages(job, bench, lambda _: None, similar_lengths=True)[0] for _ in range(2)
    )
    assert once.made
    for one, other in zip(once.batches(4), again.batches(4), strict=True):
        assert_same(one, other)
    rest = list(again.batches(4, 2))
    assert_same(rest[0], list(once.batches(4))[2])


def test_what_augmentations_lack_is_missing(bench: Workbench) -> None:
    spec = AugmentationSpec(
        name="own",
        summary="",
        options=Options,
        build=lambda _: Augmentation(),
        missing=lambda _: "its table is not here",
    )
    change = BoundAugmentation("recipe.augmentations[0]", spec, Options())
    lacking = replace(bench.bound, changes=(change,))
    assert lacking.missing() == ["recipe.augmentations[0]: its table is not here"]
