"""A run in folds: every public question answered by a model that never saw its document."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from autoqa.api import Augmentation, TrainingRows
from autoqa.errors import OutOfTimeError
from autoqa.features.select import about, take
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.modeling.soup import average_weights
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.training import fold_runs
from autoqa.training.jobs import SoupJob, TrialJob
from autoqa.training.messages import Message, Note, RecipeCard, SnapshotTaken, TrialFinished
from autoqa.training.run import run_trial
from autoqa.training.soup import make_soup
from autoqa.training.workbench import Workbench
from autoqa.types import Answer, Example
from tests import bundle_kit
from tests.store.damage import zero_half
from tests.toy_study import write_study

FOLDS = 3
RECIPE = Recipe((Stage((Portion("train"), Portion("exam", share=2.0)), 32, 8),))


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Workbench]:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path, share=0.4)
    text = study.read_text()
    study.write_text(text.replace("share = 0.4", f"share = 0.4\nfolds = {FOLDS}"))
    bundle_kit.write_squad(tmp_path / "exam.json", [unlike_others(number) for number in range(30)])
    return lambda name: Workbench(open_study(study), tmp_path / "runs" / name)


def unlike_others(number: int) -> Example:
    """A row with a text of its own: folds have nothing in common."""
    words = [f"w{number}x{place}" for place in range(14)]
    context = f"Ada lives in {' '.join(words)} ."
    answer = Answer(words[3], context.index(words[3]))
    document = f"article {number // 2}"
    return Example(f"e{number}", f"Where is {words[0]} ?", context, (answer,), "en", document)


def job(bench: Workbench, trial: int = 0, **changes: object) -> TrialJob:
    run = TrainingRun(RECIPE, 5e-3 + 1e-3 * trial, 1)
    return TrialJob(trial, "toy", run, bench.run_folder, **changes)  # type: ignore[arg-type]


def trained(bench: Workbench, of: TrialJob) -> list[Message]:
    messages: list[Message] = []
    run_trial(of, bench, messages.append)
    return messages


@pytest.fixture
def keep_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_runs.shutil, "rmtree", lambda *_, **__: None)


@pytest.mark.usefixtures("keep_folds")
def test_each_question_is_answered_without_its_document_and_the_mean_is_kept(
    make_bench: Callable[[str], Workbench],
) -> None:
    bench = make_bench("one")
    messages = trained(bench, job(bench))
    assert len([m for m in messages if isinstance(m, RecipeCard)]) == 1
    taken = [m.candidate.id for m in messages if isinstance(m, SnapshotTaken)]
    assert taken == ["t0000-050", "t0000-100"]
    (end,) = [m for m in messages if isinstance(m, TrialFinished)]
    assert end is messages[-1]

    folder, ready, folds = RunFolder(bench.run_folder), bench.backbone("toy"), bench.data.folds
    assert folds is not None
    parts = sorted(folder.folds.glob("*/fold-*-100/model/model.safetensors"))
    assert len(parts) == FOLDS
    stored = load_logits(folder, "t0000-100", "public")
    for number, part in enumerate(parts):
        documents = {name for name, fold in folds.fold_of.items() if fold == number}
        mine = np.flatnonzero(about(ready.public, bench.public, documents))
        found = predict(load_for_inference(part.parent), take(ready.public, mine), precision="fp32")
        where = np.concatenate(
            [np.arange(ready.public.bounds[i], ready.public.bounds[i + 1]) for i in mine]
        )
        for side, expected in zip(stored, found, strict=True):
            np.testing.assert_allclose(side[where], expected, rtol=2e-3, atol=2e-3)
        seen = {example.document for example in bench.without_fold(number).data.train["exam"]}
        assert not seen & documents
    average_weights(parts, folder.path / "mean.safetensors")
    mean, kept = (
        load_file(path)
        for path in (
            folder.path / "mean.safetensors",
            folder.model("t0000-100") / "model.safetensors",
        )
    )
    assert all(np.array_equal(mean[name], kept[name]) for name in mean)
    records = [folder.read_record(name) for name in taken]
    assert all(np.isfinite(record.inference_seconds) for record in records)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_run_that_is_interrupted_in_a_later_fold_goes_on_with_it(
    make_bench: Callable[[str], Workbench], monkeypatch: pytest.MonkeyPatch, damaged: bool
) -> None:
    whole = make_bench("whole")
    trained(whole, job(whole))

    bench = make_bench("cut")
    real = fold_runs.Trainer.run
    runs: list[object] = []

    def second_fails(trainer: fold_runs.Trainer) -> None:
        runs.append(trainer)
        if len(runs) == 2:
            raise OutOfTimeError("the time was over after 10% of the run")
        real(trainer)

    monkeypatch.setattr(fold_runs.Trainer, "run", second_fails)
    with pytest.raises(OutOfTimeError, match=r"fold 2 of 3: the time was over after 10%"):
        trained(bench, job(bench))
    if damaged:
        (first,) = RunFolder(bench.run_folder).folds.glob("*/fold-0-100")
        zero_half(first / "logits.npy")
    assert RunFolder(bench.run_folder).candidate_ids() == []
    messages = trained(bench, job(bench, windows_per_second=30.0))
    assert len(runs) == 2 + FOLDS - 1 + damaged
    said = [each.text for each in messages if isinstance(each, Note)]
    assert any("is damaged; the fold is trained again" in text for text in said) == damaged
    assert not list(RunFolder(bench.run_folder).folds.iterdir())
    for part in ("public", "private"):
        first, again = (
            load_file(RunFolder(each.run_folder).logits_path("t0000-100", part))
            for each in (whole, bench)
        )
        assert all(np.array_equal(first[name], again[name]) for name in first)


def test_too_little_time_for_all_folds_makes_the_run_smaller(
    make_bench: Callable[[str], Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench("short")
    monkeypatch.setattr(fold_runs, "share_that_fits", lambda *_: 0.5)
    messages = trained(bench, job(bench, deadline=4e9, windows_per_second=1.0))
    record = next(m.candidate for m in messages if isinstance(m, SnapshotTaken))
    assert [p["share"] for p in record.recipe["stages"][0]["portions"]] == [1.0, 0.5]


def test_a_soup_is_scored_by_what_its_ingredients_said_out_of_fold(
    make_bench: Callable[[str], Workbench],
) -> None:
    bench = make_bench("soup")
    records = [
        message.candidate
        for trial in (0, 1)
        for message in trained(bench, job(bench, trial))
        if isinstance(message, SnapshotTaken)
    ]
    messages: list[Message] = []
    make_soup(SoupJob(tuple(records), bench.run_folder), bench, messages.append)
    folder = RunFolder(bench.run_folder)
    (soup,) = [m.candidate for m in messages if isinstance(m, SnapshotTaken)]
    sides = [load_logits(folder, record.id, "public") for record in records]
    for side, found in enumerate(load_logits(folder, soup.id, "public")):
        expected = np.mean([each[side] for each in sides], axis=0)
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)
    trial: list[Message] = []
    make_soup(SoupJob(tuple(records), bench.run_folder, kept=False), bench, trial.append)
    assert trial[-2].score == pytest.approx(soup.score)  # type: ignore[union-attr]


def test_augmentations_of_a_fold_see_none_of_its_rows(
    make_bench: Callable[[str], Workbench], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an augmentation may ask for is what the run of that fold trains on."""
    bench = make_bench("augmented")
    folds = bench.data.folds
    assert folds is not None
    asked: list[set[str]] = []

    class Look(Augmentation):
        def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
            asked.append({each.document for each in rows.source("exam")})
            return rows.examples

    monkeypatch.setattr(type(bench.bound), "augmentations", lambda *_: [Look()])
    recipe = Recipe((Stage((Portion("exam"),), 32, 8, (AugmentationUse("cutout"),)),))
    run = TrainingRun(recipe, 5e-3, 1)
    trained(bench, TrialJob(0, "toy", run, bench.run_folder))
    seen = [{folds.fold_of.get(document) for document in documents} for documents in asked]
    assert len(seen) == FOLDS
    assert [set(range(FOLDS)) - each for each in seen] == [{fold} for fold in range(FOLDS)]
