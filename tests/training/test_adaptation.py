"""The masked-language stage as a part of a run."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from autoqa.errors import DataError, OutOfTimeError, TrainingError
from autoqa.recipes import Method, Portion, Recipe, Stage, TrainingRun
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.training import prepared_stages
from autoqa.training import trainer as trainer_module
from autoqa.training.batches import PreparedStage
from autoqa.training.engine import Engine, StepLoss
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, Note, Progress, RecipeCard
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench

Bench = Callable[[str], Workbench]
STAGE = Stage((Portion("train", share=0.3),), 32, 8)
MLM = Method(mlm_epochs=1.5)


def job(bench: Workbench, method: Method = MLM, trial: int = 3, rate: float = 5e-3) -> TrialJob:
    return TrialJob(trial, "toy", TrainingRun(Recipe((STAGE,), method), rate, 11), bench.run_folder)


def run(bench: Workbench, some: TrialJob, *, stop_at: int | None = None) -> list[Message]:
    """Runs a job; with ``stop_at`` until so many steps of the masked-language stage are done."""
    messages: list[Message] = []

    def emit(message: Message) -> None:
        messages.append(message)
        adapting = isinstance(message, Progress) and message.phase == "adapting"
        if adapting and stop_at is not None and message.step >= stop_at:
            raise KeyboardInterrupt

    run_trial(some, bench, emit)
    return messages


def notes(messages: list[Message]) -> list[str]:
    return [message.text for message in messages if isinstance(message, Note)]


def adapted(messages: list[Message]) -> list[Progress]:
    return [m for m in messages if isinstance(m, Progress) and m.phase == "adapting"]


def logits(bench: Workbench, trial: int = 3) -> np.ndarray:
    return load_logits(RunFolder(bench.run_folder), f"t{trial:04d}-100", "public")[0]


def test_recipes_share_one_stage(make_bench: Bench) -> None:
    """Another learning rate and loss, the same texts: trained once, and as if trained anew."""
    alone = make_bench("alone")
    other = Method(mlm_epochs=1.5, loss="jaccard", averaging="ema")
    *_, last = adapted(run(alone, job(alone, other, 4, rate=1e-3)))
    assert last.step == last.steps > 1

    bench = make_bench("together")
    first = run(bench, job(bench))
    assert adapted(first)
    (card,) = (m for m in first if isinstance(m, RecipeCard))
    # Each text stands there for all questions about it: forty contexts, and twenty of them again.
    (sentence,) = (line for line in card.lines if line.startswith("before stage 1: "))
    assert "masked-language training on texts of train: " in sentence
    assert sentence.endswith(f"{last.steps} steps, learning rate 0.0025")
    second = run(bench, job(bench, other, 4, rate=1e-3))
    assert not adapted(second)
    assert notes(second) == ["goes on from a masked-language stage trained before"]
    np.testing.assert_array_equal(logits(bench, 4), logits(alone, 4))


def test_runs_of_other_seeds_share_it_where_they_share_the_head(make_bench: Bench) -> None:
    """Means of weights need runs that begin alike."""
    bench = make_bench("seeds")
    run(bench, job(bench))
    other = replace(job(bench, trial=4), run=replace(job(bench).run, seed=12))
    assert adapted(run(bench, other)), "another head, another stage"
    alike = replace(other, trial=5, head_seed=11)
    assert not adapted(run(bench, alike))
    assert not np.array_equal(logits(bench, 4), logits(bench, 5))
    again = replace(other, trial=6, run=replace(other.run, seed=13), head_seed=12)
    assert not adapted(run(bench, again)), "the stage of trial 4"


@pytest.mark.parametrize(
    "method", [Method(mlm_epochs=1.0), Method(mlm_epochs=1.5, mlm_whole_words=True), Method()]
)
def test_another_stage_is_trained_anew_and_gives_other_weights(
    make_bench: Bench, method: Method
) -> None:
    bench = make_bench("bench")
    run(bench, job(bench))
    messages = run(bench, job(bench, method, 4))
    assert bool(adapted(messages)) == bool(method.mlm_epochs)
    assert not np.array_equal(logits(bench, 3), logits(bench, 4))


def test_an_interrupted_stage_goes_on_to_the_same_weights(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = make_bench("undisturbed")
    *_, last = adapted(run(undisturbed, job(undisturbed)))

    bench = make_bench("interrupted")
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(trainer_module.Pace, "due", lambda _: True)
    stop = last.steps // 2
    with pytest.raises(KeyboardInterrupt):
        run(bench, job(bench), stop_at=stop)
    again = run(bench, job(bench))
    assert notes(again) == [
        f"goes on with its masked-language stage: {stop - 1} of {last.steps} steps are done"
    ]
    assert [message.step for message in adapted(again)] == list(range(stop, last.steps + 1))
    np.testing.assert_array_equal(logits(bench), logits(undisturbed))
    assert not list(bench.checkpoints.glob("run-*"))


def test_without_checkpoints_it_is_trained_each_time_to_the_same_weights(
    make_bench: Bench,
) -> None:
    bench = make_bench("off")
    run(bench, job(bench))
    search = bench.bound.study.search.model_copy(update={"checkpoints": 0.0})
    study = bench.bound.study.model_copy(update={"search": search})
    off = Workbench(replace(bench.bound, study=study), bench.run_folder.with_name("none"))
    assert adapted(run(off, job(off)))
    np.testing.assert_array_equal(logits(off), logits(bench))
    assert not off.checkpoints.exists()


def test_the_end_of_the_time_keeps_what_was_done(make_bench: Bench) -> None:
    bench = make_bench("late")
    late = replace(job(bench), deadline=time.time() - 1)
    with pytest.raises(OutOfTimeError, match="The time was over in the masked-language stage"):
        run(bench, late)
    assert notes(run(bench, job(bench)))[0].startswith("goes on with its masked-language stage: 1 ")


def test_a_loss_that_is_no_number_ends_the_run(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench("diverged")
    monkeypatch.setattr(Engine, "train", lambda *_: StepLoss(float("nan"), 1.0))
    with pytest.raises(TrainingError, match="masked-language stage became nan at step 0 of"):
        run(bench, job(bench))


def test_questions_that_fill_the_window_are_cut(make_bench: Bench) -> None:
    bench = make_bench("narrow")
    toy = bench.bound.backbones["toy"]
    narrow = replace(toy, protocol=toy.protocol.model_copy(update={"length": 12, "stride": 0}))
    bench = Workbench(replace(bench.bound, backbones={"toy": narrow}), bench.run_folder)
    encoded = bench.encoded("toy", "train")
    full = np.stack([encoded.question[:, 0], encoded.question[:, 0] + 12], axis=1)
    bench._encoded["toy", "train"] = replace(encoded, question=full)
    assert adapted(run(bench, job(bench)))


def test_a_source_without_rows_has_no_text(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench("bare")
    plain = prepared_stages.prepare_stage

    def prepare(*arguments: Any, **options: Any) -> PreparedStage:
        stage = plain(*arguments, **options)
        bench._encoded["toy", "train"] = bench.encoded("toy", "train").take([])
        return stage

    monkeypatch.setattr(prepared_stages, "prepare_stage", prepare)
    with pytest.raises(DataError, match=r"mlm_epochs = 1\.5: train has no text to train on; set"):
        run(bench, job(bench))


def test_frozen_weights_stay_frozen(make_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = make_bench("frozen")
    toy = bench.bound.backbones["toy"]
    frozen = replace(toy, protocol=toy.protocol.model_copy(update={"freeze_embeddings": True}))
    bench = Workbench(replace(bench.bound, backbones={"toy": frozen}), bench.run_folder)
    engines: list[Engine] = []
    plain = Engine.train

    def train(engine: Engine, windows: object) -> StepLoss:
        engines.append(engine)
        return plain(engine, windows)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "train", train)
    run(bench, job(bench))
    first, last = engines[0], engines[-1]
    assert first is not last
    assert first.model is last.model
    pretrained = load_file(bench.backbone("toy").folder / "model.safetensors")
    table = next(name for name in pretrained if name.endswith("word_embeddings.weight"))
    after = last.model.inner.get_input_embeddings().weight
    assert torch.equal(after, pretrained[table].float())
