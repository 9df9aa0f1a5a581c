"""Members trained again with the rows that validated them: from a real toy search to a bundle."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import autoqa
from autoqa.bundle.verify import verify
from autoqa.config import load_study
from autoqa.errors import ConfigError, DataError
from autoqa.registry import open_study
from autoqa.searching.refit import refitting
from autoqa.store.candidate_record import CandidateRecord, soup_id
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, drop
from autoqa.supervision.display import QuietDisplay
from autoqa.training.refit_plan import drawn, expected_seconds, offer, plan_refit
from tests.conftest import Run
from tests.store.damage import without_sums
from tests.toy_study import copied_run, search_study, write_study

POINTS = ["t0000-050", "t0000-100"]
SOUP = soup_id("toy", POINTS)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of one trial and the soup of its points, searched."""
    folder = tmp_path_factory.mktemp("study")
    tail = "trials = 1\nworkers = 1\nsoups = true\n"
    study = write_study(folder, tail, share=0.5)
    return search_study(study)


@pytest.fixture
def folder(searched: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder of its own for each test."""
    return copied_run(searched, home, monkeypatch)


def openings(folder: RunFolder) -> list[str]:
    with Store(folder.store_url(), "toy") as store:
        return [row.purpose for row in store.openings()]


def mean(parts: list[Path]) -> dict[str, np.ndarray]:
    weights = [load_file(part / WEIGHTS) for part in parts]
    return {
        name: (sum(each[name].astype(np.float32) for each in weights) / len(parts)).astype(
            np.float16
        )
        for name in weights[0]
    }


def test_a_soup_is_trained_again_with_all_rows_and_averaged_over_seeds(
    folder: RunFolder, run: Run, tmp_path: Path
) -> None:
    drop(folder, SOUP)  # what is made anew need not be there
    export = ("export", "toy", "--candidate", SOUP, "--refit", "--seeds", 2, "--to")
    code, out, err = run(*export, tmp_path / "bundle")
    assert code == 0, err
    assert "refit: 1 run × 2 seeds with 30 rows more of exam, about " in err
    assert "trial 0, seed 1:   exam: 32 rows, " in err
    assert "refit: trained again with 30 validation rows of exam (24 public, 6 private)" in out
    manifest = verify(tmp_path / "bundle")
    assert manifest.refit is not None
    assert (manifest.refit.public, manifest.refit.private) == (24, 6)
    assert manifest.refit.seeds == {SOUP: (0, 1)}
    assert manifest.public.score == pytest.approx(folder.read_record(SOUP).score)
    card = (tmp_path / "bundle" / "README.md").read_text()
    assert "These are the scores of the models before their refit." in card
    assert f"{SOUP} with the seeds 0, 1. Nothing is left that could score them" in card

    models = sorted(folder.refits.glob("*/*/model"))
    assert [path.parent.name for path in models] == POINTS * 2
    exported = load_file(tmp_path / "bundle" / "members" / SOUP / WEIGHTS)
    for name, tensor in mean(models).items():
        np.testing.assert_allclose(exported[name], tensor, rtol=2e-3, atol=1e-6)
    example = folder.load_examples("public")[0]
    ensemble = autoqa.load(tmp_path / "bundle")
    assert ensemble(question=example.question, context=example.context).answer in example.context

    made = {path: path.stat().st_mtime_ns for path in models}
    code, _, err = run(*export, tmp_path / "again")
    assert code == 0, err
    assert "30 rows more of exam, trained before" in err
    assert "refitting" not in err
    assert {path: path.stat().st_mtime_ns for path in models} == made
    again = load_file(tmp_path / "again" / "members" / SOUP / WEIGHTS)
    assert all(np.array_equal(again[name], exported[name]) for name in exported)
    assert openings(folder) == ["export"]


def test_what_a_refit_brings_is_measured_once(folder: RunFolder, run: Run, searched: Path) -> None:
    check = ("export", "toy", "--refit-check", "--folds", 2, "--candidate", "t0000-100")
    code, out, err = run(*check)
    assert code == 0, err
    assert "refit: 1 run × 2 folds with the rows of the others, about " in err
    first, second, whole, how = out.splitlines()
    assert first.startswith("fold 1: 20 questions about 10 documents, 10 rows added: Jaccard 0.")
    assert second.startswith("fold 2: 10 questions about 5 documents, 20 rows added: Jaccard 0.")
    assert "95 % interval" in whole
    assert "by 2 folds of 1 run, in 0." in how
    assert "The private part was opened for it; that was opening 1 of this study." in err
    assert openings(folder) == ["refit check"]
    assert not list(folder.refits.glob("*/models")), "models of folds are of no other use"
    assert not list(folder.refits.glob("*/*/model"))
    (kept,) = folder.refits.glob("check-*.json")

    code, again, err = run(*check)
    assert (code, again) == (0, out)
    assert "nothing was trained and nothing opened" in err
    assert openings(folder) == ["refit check"]

    kept.unlink()  # the folds' answers are still there
    code, again, err = run(*check)
    assert (code, again.splitlines()[:3]) == (0, [first, second, whole])
    assert "with the rows of the others, trained before" in err
    assert openings(folder) == ["refit check"] * 2


def test_a_fold_without_models_of_its_own_compares_with_the_stored_answers(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If each fold's answers were those of the members, a refit would bring nothing at all."""
    from autoqa.analysis.finished_run import open_run
    from autoqa.analysis.selection import candidate_seat
    from autoqa.export.refit import RefitOptions
    from autoqa.export.refit_check import refit_check
    from autoqa.features.files import load_windows
    from autoqa.features.select import about
    from autoqa.searching.refit import Refitter
    from autoqa.store.predictions import load_logits, write_logits

    def unchanged(refitter: Refitter, held: tuple[str, ...]) -> dict[str, Path]:
        place = refitter.folder.refits / "same" / "-".join(held)
        group = refitter.folder.read_record("t0000-100").group
        with Store(folder.store_url(), "toy") as store:
            opening = store.log_opening("the test needs it")
        for part, examples in (
            ("public", refitter.data.public),
            ("private", refitter.data.private),
        ):
            windows = load_windows(folder.windows_path(group, part))
            tokens = np.repeat(about(windows, examples, held), windows.lengths)
            start, end = load_logits(folder, "t0000-100", part, opening)
            write_logits(place, part, start[tokens], end[tokens])
        return {"t0000-100": place}

    monkeypatch.setattr(Refitter, "answers", unchanged)
    study = open_run("toy")
    with study.store:
        seat = candidate_seat(study, "t0000-100")
        effect, opened = refit_check(study, (seat,), seat.group, 3, RefitOptions())
    assert opened
    assert (effect.gain, effect.low, effect.high, effect.ratio) == (0, 0, 0, 1)
    assert [fold.before for fold in effect.folds] == [fold.after for fold in effect.folds]
    assert sum(fold.questions for fold in effect.folds) == 30
    assert all(fold.questions + fold.rows == 30 for fold in effect.folds)


def test_python_does_the_same(folder: RunFolder, tmp_path: Path) -> None:
    with autoqa.open_run("toy") as study:
        manifest = study.export(tmp_path / "bundle", candidate="t0000-100", refit=True)
        assert manifest.refit is not None
        assert manifest.refit.seeds == {"t0000-100": (0,)}
        with pytest.raises(ConfigError, match="seeds = 0"):
            study.export(tmp_path / "bundle", refit=True, seeds=0)
        with pytest.raises(ConfigError, match="folds = 90: the 30 held-out rows are about"):
            study.refit_check(folds=90)


def test_a_failed_run_costs_a_sentence(folder: RunFolder, run: Run, tmp_path: Path) -> None:
    without_sums(folder.candidate("t0000-100"))
    text = (folder.candidate("t0000-100") / "candidate.json").read_text()
    content = json.loads(text)
    content["recipe"]["stages"][0]["length"] = 10_000
    (folder.candidate("t0000-100") / "candidate.json").write_text(json.dumps(content))
    export = ("export", "toy", "--candidate", "t0000-100", "--refit", "--to", tmp_path / "bundle")
    code, out, err = run(*export)
    assert (code, out) == (1, "")
    assert "trial 0, seed 0: the recipe's last stage: length 10000 is beyond" in " ".join(
        err.split()
    )
    assert not (tmp_path / "bundle").exists()
    assert openings(folder) == [], "what fails must not cost an opening"

    content["recipe"]["method"]["from_the_future"] = True
    (folder.candidate("t0000-100") / "candidate.json").write_text(json.dumps(content))
    code, _, err = run(*export)
    assert code == 2
    assert "candidate t0000-100: its recipe is of another version of autoqa" in " ".join(
        err.split()
    )


def test_rows_that_nobody_draws_are_a_sentence(folder: RunFolder, run: Run, tmp_path: Path) -> None:
    path = folder.candidate("t0000-100") / "candidate.json"
    without_sums(path.parent)
    content = json.loads(path.read_text())
    exam, _ = content["recipe"]["stages"][0]["portions"]
    export = ("export", "toy", "--candidate", "t0000-100", "--refit", "--to", tmp_path / "bundle")
    for change, sentence in (
        ({"languages": ["ta"]}, "draws rows in the languages of the held-out rows of 'exam'"),
        ({"source": "train"}, "no recipe of t0000-100 has a portion of it"),
    ):
        exam |= change
        path.write_text(json.dumps(content))
        code, _, err = run(*export)
        assert code == 2
        shown = " ".join(err.split())
        assert "refit without rows to add" in shown
        assert sentence in shown


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--to", "x", "--refit", "--weights", "onnx"], "refit and weights 'onnx' exclude each"),
        (["--to", "x", "--refit-check"], "writes no bundle: leave out --to"),
        (["--refit", "--refit-check", "--kaggle"], "leave out --refit, --kaggle"),
        (["--to", "x", "--seeds", "2"], "--seeds 2 needs --refit or --refit-check"),
        (["--to", "x", "--refit", "--folds", "3"], "--folds 3 needs --refit-check"),
        (["--refit"], "Missing option '--to'"),
        (["--refit-check", "--folds", "16"], "ask for 2 folds or more, and at most"),
    ],
)
def test_options_that_contradict_each_other(
    folder: RunFolder, run: Run, options: list[str], sentence: str
) -> None:
    code, out, err = run("export", "toy", *options)
    assert (code, out) == (2, "")
    assert sentence in " ".join(err.split())
    assert openings(folder) == []


def test_another_study_file_and_other_data_are_refused(
    folder: RunFolder, run: Run, searched: Path, tmp_path: Path
) -> None:
    export = ("export", "toy", "--candidate", "t0000-100", "--refit", "--to", tmp_path / "bundle")
    exam, text = searched / "exam.json", (searched / "exam.json").read_text()
    try:
        exam.write_text(text.replace("exam-q", "exam-x"))
        code, _, err = run(*export)
    finally:
        exam.write_text(text)
    assert code == 2
    assert "the validation set is not the one that study 'toy' began with" in err
    study = folder.study_file.read_text()
    folder.study_file.write_text(study.replace("public = 0.5", "public = 0.4"))
    code, _, err = run(*export)
    assert code == 2
    assert "resolves to" in err


def test_other_rows_and_seeds_have_other_places(folder: RunFolder, searched: Path) -> None:
    keys = set()
    train, text = searched / "train.json", (searched / "train.json").read_text()
    with Store(folder.store_url(), "toy") as store:
        for content in (text, text.replace("Where does", "Where did")):
            train.write_text(content)
            try:
                with refitting(folder, store, ["t0000-100"], QuietDisplay()) as refitter:
                    held = refitter.data.public[0].document
                    keys |= {refitter.key((), 0), refitter.key((), 1), refitter.key((held,), 0)}
            finally:
                train.write_text(text)
    assert len(keys) == 6


def record(**changes: object) -> CandidateRecord:
    portions = [{"source": "train", "languages": None, "share": 1.0}]
    portions += [{"source": "exam", "languages": ["en"], "share": 1.0}]
    stage = {"portions": portions, "length": 32, "stride": 8, "augmentations": []}
    plain = CandidateRecord(
        id="t0000-100",
        trial=0,
        fraction=1.0,
        backbone="toy",
        group="g",
        recipe_hash="h",
        recipe={"stages": [stage], "method": {}},
        learning_rate=1e-3,
        seed=0,
        scores={"jaccard": 0.5},
        by_language={},
        windows_per_second=10.0,
        seconds=60.0,
        inference_seconds=1.0,
        licence="mit",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_one_training_gives_all_points_of_a_run(searched: Path) -> None:
    study = load_study(searched / "study.toml")
    half = record(id="t0000-050", fraction=0.5, seconds=30.0)
    soup = record(id="soup-toy-abcdef", ingredients=("t0000-050", "t0000-100"))
    other = record(id="t0001-100", trial=1, recipe={"stages": [], "method": {}})
    records = {each.id: each for each in (record(), half, soup, other)}
    plan = plan_refit(records, [soup.id, "t0000-050", "t0001-100"], study)
    assert plan.members == {soup.id: soup.ingredients, "t0000-050": ("t0000-050",)}
    assert [[point.id for point in points] for points in plan.runs] == [["t0000-050", "t0000-100"]]
    with pytest.raises(ConfigError, match="refit without rows to add: validation is of the source"):
        plan_refit(records, ["t0001-100"], study)
    broken = record(recipe={"stages": record().recipe["stages"], "method": {"new": 1}})
    with pytest.raises(DataError, match="its recipe is of another version"):
        plan_refit({"t0000-100": broken}, ["t0000-100"], study)


def test_time_grows_with_the_rows_and_is_shared_by_workers(searched: Path) -> None:
    from autoqa.data import prepare_data

    data = prepare_data(open_study(searched / "study.toml"))
    rows = (*data.public, *data.private)
    english = [row for row in rows if row.language == "en"]
    runs = [(record(),), (record(id="t0001-100", trial=1),)]
    recipes = [record().training_run.recipe]
    assert drawn(recipes, "exam", rows) == english
    before = len(data.train["train"]) + sum(e.language == "en" for e in data.train["exam"])
    each = 60 * (before + len(english)) / before
    added = data.refit("exam")
    assert expected_seconds(runs, data, added, workers=1) == pytest.approx(2 * each)
    assert expected_seconds(runs, data, added, workers=2) == pytest.approx(each)
    assert expected_seconds(runs, data, added, workers=3) == pytest.approx(each)
    study = load_study(searched / "study.toml")
    offered = offer(study, data, [record()], workers=1)
    assert offered is not None
    assert (offered.rows, offered.runs) == (len(english), 1)
    nothing = record(recipe={"stages": [], "method": {}})
    assert offer(study, data, [nothing], workers=1) is None
    assert offer(study, replace(data, train={}), [record()], workers=1) is None


def test_a_search_ends_with_the_offer(folder: RunFolder, run: Run, searched: Path) -> None:
    code, out, err = run("search", searched / "study.toml", "--quiet")
    assert code == 0, err
    text = " ".join(out.split())
    assert "Or train the members again with the 30 rows of exam held out for validation" in text
    assert "for the run; --refit-check measures what that brings:" in text
    assert out.splitlines()[-1] == "  autoqa export toy --to bundle --refit"
