"""Runs that go on from checkpoints end exactly where undisturbed ones do."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from autoqa import errors
from autoqa.features.windows import Windows
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage, TrainingRun
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.training import trainer as trainer_module
from autoqa.training.engine import Engine, StepLoss
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import (
    Message,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFinished,
)
from autoqa.training.run import run_trial
from autoqa.training.stop_request import StopRequest
from autoqa.training.workbench import Workbench
from tests.store.damage import flip

Bench = Callable[[str], Workbench]
CUTOUT = (AugmentationUse("cutout", (("share", 0.2),)),)
FIRST = Stage((Portion("train"),), 24, 4, CUTOUT)
SECOND = Stage((Portion("train", share=0.5),), 32, 8, CUTOUT)
OTHER = Stage((Portion("train", share=0.4, negatives=0.0),), 32, 8)


class StoppedError(Exception):
    """What an interruption looks like from inside."""


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> dict[int, float]:
    """The loss of every step that any run does."""
    seen: dict[int, float] = {}

    def train(engine: Engine, windows: Windows) -> StepLoss:
        lost = plain(engine, windows)
        seen[engine.step] = lost.loss
        return lost

    plain = Engine.train
    monkeypatch.setattr(Engine, "train", train)
    return seen


def run(
    bench: Workbench, recipe: Recipe, *, stop_at: int | None = None, trial: int = 3
) -> list[Message]:
    messages: list[Message] = []

    def emit(message: Message) -> None:
        messages.append(message)
        training = isinstance(message, Progress) and message.phase == "training"
        if training and stop_at is not None and message.step >= stop_at:
            raise StoppedError

    job = TrialJob(trial, "toy", TrainingRun(recipe, 5e-3, 11), bench.run_folder)
    run_trial(job, bench, emit)
    return messages


def last_logits(bench: Workbench, trial: int = 3) -> np.ndarray:
    return load_logits(RunFolder(bench.run_folder), f"t{trial:04d}-100", "public")[0]


def finished(messages: list[Message]) -> TrialFinished:
    (found,) = (m for m in messages if isinstance(m, TrialFinished))
    return found


@pytest.mark.parametrize(
    "method",
    [
        Method(),
        Method(schedule="wsd", averaging="ema"),
        Method(schedule="cosine", restart=True, averaging="swa"),
        Method(head="conditional", loss="jaccard", dropout_samples=2),
        Method(adversary="awp", averaging="ema", rdrop=0.5),
        Method(adversary="fgm", reinit_layers=1),
        Method(mlm_epochs=0.5, averaging="ema"),
    ],
)
def test_an_interrupted_run_goes_on_with_the_same_losses(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch, losses: dict[int, float], method: Method
) -> None:
    recipe = Recipe((FIRST, SECOND), method)
    undisturbed = make_bench("undisturbed")
    run(undisturbed, recipe)
    wanted = dict(losses)
    losses.clear()

    bench = make_bench("interrupted")
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(trainer_module.Pace, "due", lambda _: True)
    stop = len(wanted) * 2 // 3
    with pytest.raises(StoppedError):
        run(bench, recipe, stop_at=stop)
    again = run(bench, recipe, trial=4)
    assert losses == wanted
    np.testing.assert_array_equal(last_logits(bench, 4), last_logits(undisturbed))
    # The last step before the interruption had no time to be saved.
    assert finished(again).reused_steps == stop - 1
    assert finished(again).trained_steps == len(wanted) - stop + 1
    said = [m.text for m in again if isinstance(m, Note)]
    assert said == [
        f"goes on from where it was interrupted: {stop - 1} of {len(wanted)} steps are done"
    ]
    assert not list(bench.checkpoints.glob("run-*")), "a finished run needs no checkpoint"


@pytest.mark.parametrize(
    "method, phase, share",
    [
        (Method(mlm_epochs=0.5), "adapting", 0.0),
        (Method(mlm_epochs=0.5), "training", 0.7),
        (Method(averaging="ema"), "training", 0.2),
        (Method(averaging="ema"), "evaluating", 0.5),
        (Method(averaging="swa"), "evaluating", 1.0),
    ],
)
def test_a_run_that_is_asked_to_stop_loses_no_step(
    make_bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    losses: dict[int, float],
    method: Method,
    phase: str,
    share: float,
) -> None:
    recipe = Recipe((FIRST, SECOND), method)
    undisturbed = make_bench("undisturbed")
    run(undisturbed, recipe)
    steps = len(losses)
    monkeypatch.setattr(trainer_module.Pace, "due", lambda _: True)
    bench, trained = make_bench("asked"), 0
    bench.stop = StopRequest()
    job = TrialJob(3, "toy", TrainingRun(recipe, 5e-3, 11), bench.run_folder)

    def emit(message: Message) -> None:
        nonlocal trained
        if isinstance(message, Progress) and message.phase == "training":
            trained = message.step
        if isinstance(message, Progress) and message.phase == phase and trained >= share * steps:
            assert bench.stop.ask()

    with pytest.raises(errors.StoppedError):
        run_trial(job, bench, emit)
    assert not bench.stop.ask(), "nobody heeds it any more"
    bench.stop = StopRequest()
    messages: list[Message] = []
    run_trial(job, bench, messages.append)
    assert finished(messages).reused_steps == trained
    taken = [m.candidate.id for m in messages if isinstance(m, SnapshotTaken)]
    kept = [] if trained < steps / 2 or (phase, share) == ("evaluating", 0.5) else ["t0003-050"]
    assert sorted([*kept, *taken]) == ["t0003-050", "t0003-100"]
    for name in ("t0003-050", "t0003-100"):
        np.testing.assert_array_equal(
            load_logits(RunFolder(bench.run_folder), name, "public")[0],
            load_logits(RunFolder(undisturbed.run_folder), name, "public")[0],
        )
    said = [m.text for m in messages if isinstance(m, Note)]
    assert any(f"{trained} of {steps} steps are done" in text for text in said) or not trained
    assert not list(bench.checkpoints.glob("run-*"))


@pytest.mark.parametrize(
    "method",
    [Method(schedule="wsd"), Method(schedule="wsd", averaging="ema"), Method(restart=True)],
)
def test_a_run_forks_bit_exactly_from_a_stage_trained_before(
    make_bench: Bench, method: Method
) -> None:
    alone = make_bench("alone")
    run(alone, Recipe((FIRST, OTHER), method))

    bench = make_bench("together")
    first = finished(run(bench, Recipe((FIRST, SECOND), method), trial=1))
    fork = run(bench, Recipe((FIRST, OTHER), method), trial=2)
    assert first.reused_steps == 0
    assert 0 < finished(fork).reused_steps < first.trained_steps
    np.testing.assert_array_equal(last_logits(bench, 2), last_logits(alone))
    (card,) = (m for m in fork if isinstance(m, RecipeCard))
    assert "shared: the first stage is trained once for all recipes that begin alike" in card.lines


def test_a_schedule_that_looks_ahead_shares_nothing_and_says_so(make_bench: Bench) -> None:
    bench = make_bench("linear")
    run(bench, Recipe((FIRST, SECOND)), trial=1)
    messages = run(bench, Recipe((FIRST, OTHER)), trial=2)
    assert finished(messages).reused_steps == 0
    (card,) = (m for m in messages if isinstance(m, RecipeCard))
    assert card.lines[-1] == (
        "not shared with recipes that begin alike: the linear schedule depends on the length of "
        "the whole recipe"
    )


def test_another_seed_rate_or_protocol_shares_nothing(make_bench: Bench) -> None:
    bench = make_bench("apart")
    recipe = Recipe((FIRST, SECOND), Method(schedule="wsd"))
    run(bench, recipe)
    for trial, changed in enumerate(
        (TrainingRun(recipe, 5e-3, 12), TrainingRun(recipe, 4e-3, 11)), 4
    ):
        messages: list[Message] = []
        run_trial(TrialJob(trial, "toy", changed, bench.run_folder), bench, messages.append)
        assert finished(messages).reused_steps == 0


def test_checkpoints_can_be_switched_off(make_bench: Bench) -> None:
    bench = make_bench("off")
    search = bench.bound.study.search.model_copy(update={"checkpoints": 0.0})
    study = bench.bound.study.model_copy(update={"search": search})
    bench = Workbench(replace(bench.bound, study=study), bench.run_folder)
    for trial in (1, 2):
        messages = run(bench, Recipe((FIRST, SECOND), Method(schedule="wsd")), trial=trial)
        assert finished(messages).reused_steps == 0
    assert not bench.checkpoints.exists()


def test_half_the_forward_pass_is_the_same_step(make_bench: Bench) -> None:
    """Without dropout only the order of summation differs."""
    bench = make_bench("micro")
    bound = bench.bound.backbones["toy"]
    still = replace(bound, protocol=bound.protocol.model_copy(update={"dropout": 0.0}))
    ends = []
    for name, scale in (("whole", 1.0), ("half", 0.004)):
        made = Workbench(
            replace(bench.bound, backbones={"toy": still}), bench.run_folder.with_name(name)
        )
        first = TrainingRun(Recipe((FIRST,)), 1e-3, 11)
        job = TrialJob(3, "toy", first, made.run_folder, micro_scale=scale)
        run_trial(job, made, lambda _: None)
        ends.append(last_logits(made))
    np.testing.assert_allclose(ends[0], ends[1], atol=2e-2)


def test_the_card_tells_what_goes_in_and_how_long_it_takes(make_bench: Bench) -> None:
    bench = make_bench("card")
    both = TrainingRun(Recipe((FIRST, SECOND)), 5e-3, 11)
    job = TrialJob(3, "toy", both, bench.run_folder)
    messages: list[Message] = []
    run_trial(replace(job, windows_per_second=2.0), bench, messages.append)
    (card,) = (m for m in messages if isinstance(m, RecipeCard))
    first_step = next(
        n for n, m in enumerate(messages) if isinstance(m, Progress) and m.phase == "training"
    )
    assert messages.index(card) < first_step
    assert card.lines[0].startswith("stage 1 of 2: windows of 24 that share 4, cutout: ")
    assert card.lines[1].startswith("  train: 40 rows, ")
    assert any("minutes at 2 windows/s" in line for line in card.lines)


def test_a_flipped_checkpoint_is_not_trained_on(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch, losses: dict[int, float]
) -> None:
    recipe = Recipe((FIRST,))
    undisturbed = make_bench("undisturbed")
    run(undisturbed, recipe)
    wanted = dict(losses)
    bench = make_bench("interrupted")
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(StoppedError):
        run(bench, recipe, stop_at=len(wanted) * 2 // 3)
    (checkpoint,) = bench.checkpoints.glob("run-*.safetensors")
    flip(checkpoint, at=checkpoint.stat().st_size // 2)
    losses.clear()
    again = run(bench, recipe, trial=4)
    assert losses == wanted
    assert finished(again).reused_steps == 0
    (said,) = (message.text for message in again if isinstance(message, Note))
    assert said == f"the checkpoint {checkpoint} is damaged (its checksum differs) and is not used"
    np.testing.assert_array_equal(last_logits(bench, 4), last_logits(undisturbed))
