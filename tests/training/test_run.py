import json
import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from autoqa.errors import ConfigError, OutOfTimeError, TrainingError
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage, TrainingRun
from autoqa.scores.registry import all_metrics
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.training import engine
from autoqa.training import trainer as trainer_module
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, Note, Progress, SnapshotTaken, TrialFinished
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from tests.scores.toy_metric import registered

RECIPE = Recipe(
    (
        Stage((Portion("train", share=0.5),), 24, 4),
        Stage((Portion("train"),), 32, 8, (AugmentationUse("cutout", (("share", 0.2),)),)),
    )
)
Bench = Callable[[str], Workbench]


def job(bench: Workbench, **changes: object) -> TrialJob:
    """A job with changed fields of its own or of its run."""
    of_run = {key: changes.pop(key) for key in ("recipe", "learning_rate", "seed") & changes.keys()}
    run = replace(TrainingRun(RECIPE, 5e-3, 11), **of_run)  # type: ignore[arg-type]
    plain = TrialJob(3, "toy", run, bench.run_folder)
    return replace(plain, **changes)  # type: ignore[arg-type]


def run(bench: Workbench, **changes: object) -> list[Message]:
    messages: list[Message] = []
    run_trial(job(bench, **changes), bench, messages.append)
    return messages


def candidates(messages: list[Message]) -> list[SnapshotTaken]:
    return [message for message in messages if isinstance(message, SnapshotTaken)]


def test_a_run_leaves_a_candidate_at_every_snapshot(make_bench: Bench) -> None:
    bench = make_bench("one")
    messages = run(bench)
    taken = [message.candidate for message in candidates(messages)]
    assert [record.id for record in taken] == ["t0003-050", "t0003-100"]
    assert isinstance(messages[-1], TrialFinished)
    assert RunFolder(bench.run_folder).candidate_ids() == ["t0003-050", "t0003-100"]
    assert RunFolder(bench.run_folder).read_record("t0003-100").score == taken[1].score
    steps = [m for m in messages if isinstance(m, Progress) and m.phase == "training"]
    assert steps[-1].step == steps[-1].steps
    assert math.isfinite(steps[-1].loss)


def test_a_snapshot_is_scored_by_every_metric(make_bench: Bench) -> None:
    bench = make_bench("one")
    with registered():
        metrics = all_metrics()
        messages = run(bench)
    folder = RunFolder(bench.run_folder)
    for record in (message.candidate for message in candidates(messages)):
        assert list(record.scores) == [metric.name for metric in metrics]
        content = json.loads((folder.candidate(record.id) / "candidate.json").read_text("utf-8"))
        assert content["scores"] == folder.read_record(record.id).scores == record.scores


def test_a_candidate_is_ranked_by_the_studys_metric(make_bench: Bench) -> None:
    bench = make_bench("one")
    study = bench.bound.study
    validation = study.validation.model_copy(update={"metric": "character-f1"})
    bench.bound = replace(bench.bound, study=study.model_copy(update={"validation": validation}))
    record = candidates(run(bench))[-1].candidate
    assert record.score == record.scores["character-f1"]
    content = json.loads(record.as_text())
    assert content["metric"] == "character-f1"
    assert content["character-f1_half_width"] == record.half_width
    languages = content["character-f1_by_language"]
    assert languages == record.by_language
    kept = RunFolder(bench.run_folder).read_record(record.id)
    assert (kept.score, kept.half_width, kept.by_language) == (
        record.score,
        record.half_width,
        record.by_language,
    )


def test_stored_predictions_are_those_of_the_stored_model(make_bench: Bench) -> None:
    bench = make_bench("one")
    run(bench)
    folder = RunFolder(bench.run_folder)
    stored = load_logits(folder, "t0003-100", "public")
    model = load_for_inference(folder.model("t0003-100"))
    again = predict(model, bench.backbone("toy").public, precision="fp32")
    kept = load_file(folder.logits_path("t0003-100", "public"))["start"].dtype
    np.testing.assert_array_equal(stored[0], again[0].astype(kept).astype(np.float32))
    np.testing.assert_array_equal(stored[1], again[1].astype(kept).astype(np.float32))


def test_snapshots_do_not_change_what_is_trained(make_bench: Bench) -> None:
    bench = make_bench("with")
    run(bench)
    search = bench.bound.study.search.model_copy(update={"snapshots": (1.0,)})
    study = bench.bound.study.model_copy(update={"search": search})
    other = Workbench(replace(bench.bound, study=study), bench.run_folder.with_name("without"))
    run(other)
    ends = [load_logits(RunFolder(b.run_folder), "t0003-100", "public") for b in (bench, other)]
    np.testing.assert_array_equal(ends[0][0], ends[1][0])


def test_the_seed_decides_everything(make_bench: Bench) -> None:
    benches = [make_bench("first"), make_bench("second"), make_bench("third")]
    for bench, seed in zip(benches, (11, 11, 12), strict=True):
        run(bench, seed=seed)
    first, second, third = (
        load_logits(RunFolder(bench.run_folder), "t0003-100", "public")[0] for bench in benches
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_a_run_that_is_cut_early_goes_on_later(make_bench: Bench) -> None:
    bench = make_bench("late")
    with pytest.raises(OutOfTimeError, match="the time was over after 2% of the run"):
        run(bench, deadline=time.time() - 1)
    assert RunFolder(bench.run_folder).candidate_ids() == []
    messages = run(bench)
    said = [message.text for message in messages if isinstance(message, Note)]
    assert any("goes on from where it was interrupted" in text for text in said)
    assert len(candidates(messages)) == 2


def test_a_run_that_is_cut_near_its_end_leaves_a_snapshot(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "MIN_SHARE_DONE", 0.0)
    (taken,) = candidates(run(make_bench("late"), deadline=time.time() - 1))
    assert 0 < taken.candidate.fraction < 0.5


def test_a_run_that_would_not_end_in_time_is_made_smaller(make_bench: Bench) -> None:
    whole = run(make_bench("whole"))
    messages = run(make_bench("smaller"), deadline=time.time() + 3600, windows_per_second=20 / 3600)
    assert any("to end before the time limit" in m.text for m in messages if isinstance(m, Note))
    last, before = candidates(messages)[-1].candidate, candidates(whole)[-1].candidate
    assert last.fraction == 1.0
    assert 0 < last.recipe["stages"][0]["portions"][0]["share"] < 1
    assert last.recipe_hash == Recipe.from_dict(last.recipe).hash != before.recipe_hash
    again = run(make_bench("again"), recipe=Recipe.from_dict(last.recipe))
    assert candidates(again)[-1].candidate.score == last.score


def test_a_loss_that_is_no_number_ends_the_run(
    make_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(model: SpanModel, batch: Batch, method: Method) -> torch.Tensor:
        return training_loss(model, batch, method) * float("nan")

    monkeypatch.setattr(engine, "training_loss", broken)
    bench = make_bench("nan")
    with pytest.raises(
        TrainingError, match=r"became nan at step 1 of \d+ with learning rate 0.005"
    ):
        run(bench)
    assert RunFolder(bench.run_folder).candidate_ids() == []


def test_a_stage_without_room_says_so(make_bench: Bench) -> None:
    bench = make_bench("none")
    short = Recipe((Stage((Portion("train"),), 7, 6),))
    with pytest.raises(ConfigError, match=r"length 7 leaves windows no room .* to 11 or more"):
        run(bench, recipe=short)


def test_windows_beyond_the_model_s_positions_are_refused(make_bench: Bench) -> None:
    bench = make_bench("long")
    with pytest.raises(ConfigError, match=r"last stage: length 10000 is beyond the \d+ positions"):
        run(bench, recipe=Recipe((Stage((Portion("train"),), 10000, 8),)))
    bound = bench.bound.backbones["toy"]
    protocol = bound.protocol.model_copy(update={"length": 10000})
    wide = {"toy": replace(bound, protocol=protocol)}
    other = Workbench(replace(bench.bound, backbones=wide), bench.run_folder)
    with pytest.raises(ConfigError, match=r"backbones\.toy\.protocol: length 10000 is beyond"):
        run(other)
