"""Runs that train adapters leave what others leave, and go on as others do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.numpy import load_file

from autoqa.cli.search import search
from autoqa.recipes import Method, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.run_folder import RunFolder
from autoqa.training import trainer as trainer_module
from autoqa.training.jobs import SoupJob, TrialJob
from autoqa.training.messages import Message, Progress, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.soup import make_soup
from autoqa.training.workbench import Workbench
from tests.toy_study import write_study

STAGES = (Stage((Portion("train", share=0.5),), 24, 4), Stage((Portion("train"),), 32, 8))
SHARING = Method(schedule="wsd")
Bench = Callable[..., Workbench]


class StoppedError(Exception):
    """What an interruption looks like from inside."""


@pytest.fixture
def adapted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Makes a workbench by name, with adapters of a rank."""
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace("[recipe]\n", '[recipe]\ntarget = "train"\n'))

    def make(name: str, rank: int = 4, **protocol: object) -> Workbench:
        bound = open_study(study)
        toy = bound.backbones["toy"]
        changed = toy.protocol.model_copy(update={"adapter_rank": rank, **protocol})
        bound = replace(bound, backbones={"toy": replace(toy, protocol=changed)})
        return Workbench(bound, tmp_path / "runs" / name)

    return make


def run(bench: Workbench, method: Method = SHARING, stop_at: int | None = None) -> list[Message]:
    messages: list[Message] = []

    def emit(message: Message) -> None:
        messages.append(message)
        training = isinstance(message, Progress) and message.phase == "training"
        if training and stop_at is not None and message.step >= stop_at:
            raise StoppedError

    training = TrainingRun(Recipe(STAGES, method), 5e-4, 11)
    run_trial(TrialJob(3, "toy", training, bench.run_folder), bench, emit)
    return messages


def stored(bench: Workbench, candidate: str = "t0003-100") -> dict[str, np.ndarray]:
    return load_file(RunFolder(bench.run_folder).model(candidate) / "model.safetensors")


def test_a_run_goes_on_exactly_and_checkpoints_hold_only_what_learns(
    adapted: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    whole, broken = adapted("whole"), adapted("broken")
    run(whole)
    with pytest.raises(StoppedError):
        run(broken, stop_at=7)
    (path,) = broken.checkpoints.glob("run-*.safetensors")
    with safe_open(path, "np") as file:
        weights = {name for name in file.keys() if name.startswith("weight.")}  # noqa: SIM118
    assert all("lora_" in name or "qa_outputs" in name for name in weights)
    assert any("lora_B" in name for name in weights)
    run(broken)
    ours, theirs = stored(whole), stored(broken)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_candidates_are_ordinary_models_that_soups_average(adapted: Bench) -> None:
    with_adapters, plain = adapted("with"), adapted("plain", rank=0)
    messages = run(with_adapters)
    run(plain)
    assert stored(with_adapters).keys() == stored(plain).keys()
    records = tuple(m.candidate for m in messages if isinstance(m, SnapshotTaken))
    assert len(records) == 2
    sent: list[Message] = []
    make_soup(SoupJob(records, with_adapters.run_folder), with_adapters, sent.append)
    (soup,) = (m.candidate for m in sent if isinstance(m, SnapshotTaken))
    mean = stored(with_adapters, soup.id)
    parts = [stored(with_adapters, record.id) for record in records]
    name = next(each for each in mean if each.endswith("query.weight"))
    assert not np.array_equal(parts[0][name], parts[1][name])
    expected = (parts[0][name].astype(np.float32) + parts[1][name]) / 2
    np.testing.assert_allclose(mean[name], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    "method, protocol",
    [
        (Method(adversary="awp", averaging="swa"), {}),
        (Method(adversary="fgm", rdrop=0.5), {"adapter_dropout": 0.1}),
        (Method(mlm_epochs=0.5), {"precision": "bf16"}),
        (Method(head="conditional", dropout_samples=2), {"gradient_checkpointing": True}),
        (Method(), {"frozen_layers": 1, "freeze_embeddings": True, "cache_frozen": True}),
    ],
    ids=["awp", "fgm", "masked language", "head", "frozen"],
)
def test_ways_of_training_take_adapters(
    adapted: Bench, method: Method, protocol: dict[str, object]
) -> None:
    bench = adapted("run", dropout=0.0, **protocol)
    messages = run(bench, method)
    assert [m.candidate.fraction for m in messages if isinstance(m, SnapshotTaken)] == [0.5, 1.0]
    first, last = stored(bench, "t0003-050"), stored(bench)
    moved = [name for name in last if not np.array_equal(first[name], last[name])]
    assert any(name.endswith("query.weight") or "output.dense" in name for name in moved)
    assert not any("embeddings" in name for name in moved)
    assert all(np.isfinite(tensor).all() for tensor in last.values())


def test_keys_of_checkpoints_are_as_before_without_adapters(adapted: Bench) -> None:
    off, on = adapted("off", rank=0), adapted("on")
    assert not any(key.startswith("adapter_") for key in off.backbone_key("toy")["protocol"])
    assert on.backbone_key("toy")["protocol"]["adapter_rank"] == 4


def test_a_dry_run_names_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setattr("autoqa.registry.bound.find_spec", lambda name: None)
    study = write_study(tmp_path)
    study.write_text(study.read_text().replace("length = 32", "length = 32\nadapter_rank = 8"))
    result = CliRunner().invoke(search, [str(study), "--dry-run"])
    assert str(result.exception) == (
        "backbones.toy.protocol: adapter_rank = 8 needs the package peft: "
        "pip install 'autoqa[lora]'"
    )


def test_a_dry_run_refuses_fresh_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    study = write_study(tmp_path)
    text = study.read_text().replace("length = 32", "length = 32\nadapter_rank = 8")
    study.write_text(
        text.replace("[validation]", "method = { reinit_layers = [0, 1] }\n[validation]")
    )
    result = CliRunner().invoke(search, [str(study), "--dry-run"])
    assert "recipe.method.reinit_layers: draws layers anew" in str(result.exception)
