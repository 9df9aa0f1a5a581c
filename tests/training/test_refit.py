from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from autoqa.features.select import about
from autoqa.features.windows import Windows
from autoqa.recipes import Method, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.predictions import load_logits, read_logits
from autoqa.store.refit_record import RefitRecord
from autoqa.store.run_folder import Part, RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS
from autoqa.training import trainer as trainer_module
from autoqa.training.jobs import AnswerJob, RefitJob, TrialJob
from autoqa.training.messages import Message, Note, Progress, SnapshotTaken, TrialFinished
from autoqa.training.refit import answer, refit
from autoqa.training.run import run_trial
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import Workbench
from autoqa.types import Example
from tests.toy_study import write_study

FIRST = Stage((Portion("train"),), 24, 4)
SECOND = Stage((Portion("exam"), Portion("train", share=0.5)), 32, 8)
RUN = TrainingRun(Recipe((FIRST, SECOND), Method(schedule="wsd")), 5e-3, 11)
POINTS = (("t0003-050", 0.5), ("t0003-100", 1.0))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """A workbench of a study that trains on the rest of the source that validates."""
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path, share=0.5)
    return Workbench(open_study(study), tmp_path / "runs" / "toy")


def held_out(bench: Workbench) -> tuple[str, ...]:
    examples = (*bench.data.public, *bench.data.private)
    return tuple(sorted({example.document for example in examples}))


def job(bench: Workbench, target: Path, **changes: object) -> RefitJob:
    like = TrialJob(3, "toy", RUN, bench.run_folder)
    return replace(RefitJob(like, POINTS, target), **changes)  # type: ignore[arg-type]


def weights(folder: Path, name: str) -> dict[str, np.ndarray]:
    return load_file(folder / name / "model" / WEIGHTS)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[n], other[n]) for n in one)


def test_the_rows_stand_behind_the_rest_and_nothing_is_taken_for_what_it_was(
    bench: Workbench,
) -> None:
    data, documents = bench.data, held_out(bench)
    more = bench.with_validation_rows(documents[:1])
    added = [e for e in (*data.public, *data.private) if e.document != documents[0]]
    assert more.data.train["exam"] == (*data.train["exam"], *added)
    assert more.data.train["train"] == data.train["train"]
    assert (more.data.public, more.data.private) == (data.public, data.private)
    assert len(more.encoded("toy", "exam")) == len(data.train["exam"]) + len(added)
    assert len(bench.encoded("toy", "exam")) == len(data.train["exam"])
    keys = {view.data_key("toy", "exam") for view in (bench, more, bench.with_validation_rows(()))}
    assert len(keys) == 3
    assert more.data_key("toy", "train") == bench.data_key("toy", "train")


def test_what_looks_like_the_target_is_judged_anew(bench: Workbench) -> None:
    rows = bench.data.train
    enough = {"train": rows["train"], "exam": rows["exam"] * 10}
    data = replace(bench.data, target="exam", train=enough)
    before = data.likeness("train")
    after = data.refit("exam").likeness("train")
    assert after is not before
    assert data.likeness("train") is before


def test_without_added_rows_it_makes_the_very_weights_again(
    bench: Workbench, tmp_path: Path
) -> None:
    run_trial(TrialJob(3, "toy", RUN, bench.run_folder), bench, lambda _: None)
    candidates = RunFolder(bench.run_folder).candidates
    messages: list[Message] = []
    refit(job(bench, tmp_path / "same", held=held_out(bench)), bench, messages.append)
    assert isinstance(messages[-1], TrialFinished)
    assert messages[-1].reused_steps == 0, "the stage before lies beyond the first point"
    for name, point in POINTS:
        assert same(weights(tmp_path / "same", name), weights(candidates, name))
        assert RefitRecord(name, "toy", RUN.key, point).is_in(tmp_path / "same" / name)
    steps = messages[-1].trained_steps

    messages.clear()
    refit(job(bench, tmp_path / "more", points=POINTS[1:]), bench, messages.append)
    ended = messages[-1]
    assert isinstance(ended, TrialFinished)
    assert ended.trained_steps + ended.reused_steps > steps, "steps grow with the rows"
    assert ended.reused_steps > 0, "its first stage saw none of the rows, and is shared"
    assert not same(weights(tmp_path / "more", "t0003-100"), weights(candidates, "t0003-100"))
    assert not any(isinstance(message, SnapshotTaken) for message in messages)
    assert sorted(path.name for path in (tmp_path / "more").iterdir()) == ["t0003-100"]
    assert not RefitRecord("t0003-100", "toy", RUN.key, 0.9).is_in(tmp_path / "more" / "t0003-100")


def test_seeds_begin_with_one_head_and_share_no_checkpoint(bench: Workbench) -> None:
    def trainer(seed: int, head_seed: int | None) -> Trainer:
        method = Method(schedule="wsd", head="conditional")
        run = TrainingRun(Recipe((FIRST, SECOND), method), 5e-3, seed)
        like = TrialJob(3, "toy", run, bench.run_folder, head_seed=head_seed)
        return Trainer(like, bench, lambda _: None, [1.0], lambda *_: None, every=True)

    first, other, alike = trainer(11, None), trainer(12, None), trainer(12, 11)
    heads = [
        torch.cat([part.flatten() for part in each.engine.model.head.parameters()])
        for each in (first, other, alike)
        if each.engine.model.head is not None
    ]
    assert heads[0].equal(heads[2])
    assert not heads[0].equal(heads[1])
    assert len({each.key(stage) for each in (first, other, alike) for stage in (0, 1)}) == 6
    assert trainer(11, 11).key(1) == first.key(1)


class StoppedError(Exception):
    """What an interruption looks like from inside."""


def test_an_interrupted_refit_goes_on_to_the_same_weights(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refit(job(bench, tmp_path / "whole"), bench, lambda _: None)
    for path in bench.checkpoints.glob("*.safetensors"):
        path.unlink()
    monkeypatch.setattr(trainer_module, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(trainer_module.Pace, "due", lambda _: True)

    def stop(message: Message) -> None:
        training = isinstance(message, Progress) and message.phase == "training"
        if training and message.step > message.steps * 0.8:
            raise StoppedError

    with pytest.raises(StoppedError):
        refit(job(bench, tmp_path / "parts"), bench, stop)
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["t0003-050"]
    messages: list[Message] = []
    refit(job(bench, tmp_path / "parts", points=POINTS[1:]), bench, messages.append)
    assert any(
        isinstance(message, Note) and "where it was interrupted" in message.text
        for message in messages
    )
    for name, _ in POINTS:
        assert same(weights(tmp_path / "parts", name), weights(tmp_path / "whole", name))


def test_a_point_before_a_shared_stage_is_reached_although_a_checkpoint_lies_beyond(
    bench: Workbench,
) -> None:
    trial = TrialJob(3, "toy", RUN, bench.run_folder)
    run_trial(trial, bench, lambda _: None)
    messages: list[Message] = []
    run_trial(replace(trial, trial=4, only=0.1), bench, messages.append)
    (taken,) = (message for message in messages if isinstance(message, SnapshotTaken))
    assert taken.candidate.id == "t0004-010"


def test_answers_are_those_of_the_documents_windows(bench: Workbench, tmp_path: Path) -> None:
    run_trial(TrialJob(3, "toy", RUN, bench.run_folder, only=1.0), bench, lambda _: None)
    folder, documents = RunFolder(bench.run_folder), held_out(bench)[::2]
    messages: list[Message] = []
    target = tmp_path / "answers" / "t0003-100"
    asked = AnswerJob(3, "toy", folder.model("t0003-100"), documents, target)
    answer(asked, bench, messages.append)
    assert isinstance(messages[-1], TrialFinished)
    ready = bench.backbone("toy")
    with Store(folder.store_url(), "toy") as store:
        opening = store.log_opening("the test compares")
    parts: dict[Part, tuple[Windows, tuple[Example, ...]]] = {
        "public": (ready.public, bench.data.public),
        "private": (ready.private, bench.data.private),
    }
    for part, (windows, examples) in parts.items():
        tokens = np.repeat(about(windows, examples, documents), windows.lengths)
        stored = load_logits(folder, "t0003-100", part, opening)
        for side, whole in zip(read_logits(target, part, opening), stored, strict=True):
            np.testing.assert_allclose(side, whole[tokens], rtol=1e-2, atol=1e-2)
    assert (target / "sealed" / "private.safetensors").is_file()
