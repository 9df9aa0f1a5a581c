"""An ensemble's pupil, from a real search of toy models to its bundle."""

import csv
import json
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

import autoqa
from autoqa.analysis.finished_run import open_run
from autoqa.analysis.selection import teaching_selection
from autoqa.ensemble.choosing.selection import Seat
from autoqa.errors import ConfigError, MissingAssetError, NothingFeasibleError
from autoqa.recipes import Method
from autoqa.searching.distil import distil
from autoqa.searching.distil_plan import RATE_OF_PUPIL, announced, plan_distillation
from autoqa.searching.soup_plan import families, soup_of
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.checksums import checksum
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, drop
from autoqa.supervision.display import QuietDisplay
from autoqa.supervision.interrupts import SearchInterruptedError
from tests import bundle_kit
from tests.conftest import Run
from tests.toy_study import records, search_study, write_study

SNAPSHOTS = ["t0000-050", "t0000-100", "t0001-050", "t0001-100"]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of two trials, one of each backbone, searched."""
    folder = tmp_path_factory.mktemp("distil")
    tokenizer = folder / "lower-tokenizer"
    bundle_kit.write_tokenizer(tokenizer, lower=True)
    study = write_study(folder, "trials = 2\nworkers = 1\ncheckpoints = 0\n")
    bundle_kit.write_model(folder / "lower", tokenizer, seed=5)
    text = study.read_text()
    table = text[text.index("[backbones.toy]") : text.index("[recipe]")]
    other = table.replace("backbones.toy", "backbones.lower").replace("/backbone", "/lower")
    study.write_text(f"{text}\n{other.replace('length = 32', 'length = 40')}")
    return search_study(study)


@pytest.fixture(scope="module")
def pupil(searched: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs with a pupil, made once."""
    home = tmp_path_factory.mktemp("pupil") / "runs"
    shutil.copytree(searched / "runs", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(home))
        patch.setenv("AUTOQA_CACHE", str(searched / "cache"))
        with autoqa.open_run("toy") as run:
            record = run.distil("toy")
            assert record in run.candidates()
    return home


def copied(origin: Path, searched: Path, home: Path, patch: pytest.MonkeyPatch) -> RunFolder:
    shutil.copytree(origin, home)
    patch.setenv("AUTOQA_CACHE", str(searched / "cache"))
    return RunFolder(home / "toy")


@pytest.fixture
def plain(searched: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder without a pupil, for one test."""
    return copied(searched / "runs", searched, home, monkeypatch)


@pytest.fixture
def taught(pupil: Path, searched: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder with a pupil, for one test."""
    return copied(pupil, searched, home, monkeypatch)


def the_pupil(folder: RunFolder) -> CandidateRecord:
    (found,) = (record for record in records(folder).values() if record.teachers)
    return found


def test_a_pupil_is_a_candidate_like_any_other(taught: RunFolder, run: Run) -> None:
    made = the_pupil(taught)
    assert made == taught.read_record(made.id)
    assert sorted(records(taught)) == taught.candidate_ids()
    assert set(made.teachers) <= set(SNAPSHOTS)
    assert made.fraction == 1.0
    code, out, err = run("leaderboard", "toy")
    assert code == 0, err
    assert f"taught by {len(set(made.teachers))}" in out
    rows = {
        row["id"]: row for row in json.loads(run("leaderboard", "toy", "--json")[1])["candidates"]
    }
    assert tuple(rows[made.id]["teachers"]) == made.teachers
    assert "teachers" not in rows["t0000-050"]
    code, _, err = run("select", "toy")
    assert code == 0, err
    assert made.id in json.loads(taught.selection.read_text())["considered"]
    assert not list(taught.lessons.iterdir())


def test_it_is_exported_beside_its_ensemble_and_not_made_twice(
    taught: RunFolder, run: Run, tmp_path: Path
) -> None:
    made = the_pupil(taught)
    weights = taught.model(made.id) / WEIGHTS
    before = weights.stat().st_mtime
    bundle = tmp_path / "bundle"
    code, out, err = run("export", "toy", "--distil", "toy", "--to", bundle)
    assert code == 0, err
    assert f"{made.id} is there: the same ensemble taught it before" in " ".join(err.split())
    assert weights.stat().st_mtime == before
    assert sorted(records(taught)) == sorted([*SNAPSHOTS, made.id])
    for word in ("ensemble", made.id, "private", "s/1,000 questions", "MB"):
        assert word in out
    assert "of the ensemble's private score and takes" in out
    manifest = json.loads((bundle / "manifest.json").read_text())
    (member,) = manifest["members"]
    assert (member["id"], tuple(member["teachers"])) == (made.id, made.teachers)
    card = (bundle / "README.md").read_text()
    assert f"distilled from {len(set(made.teachers))} models" in card
    assert f"distilled from: {made.teachers[0]}" in card
    with Store(taught.store_url(), "toy") as store:
        opened = len(store.openings())
    assert opened == 2
    assert "opened once more, to score the ensemble" in err
    ensemble = autoqa.load(bundle)
    example = taught.load_examples("public")[0]
    assert ensemble(question=example.question, context=example.context).answer in example.context
    run("select", "toy")
    assert run("export", "toy", "--distil", "toy", "--to", bundle, "--force")[0] == 0
    assert sorted(records(taught)) == sorted([*SNAPSHOTS, made.id]), "pupils do not teach"
    with Store(taught.store_url(), "toy") as store:
        assert len(store.openings()) == opened


def test_a_pupil_is_no_ingredient(taught: RunFolder) -> None:
    found = records(taught)
    assert [[each.id for each in family] for family in families(found.values())] == [
        SNAPSHOTS[:2],
        SNAPSHOTS[2:],
    ]
    with pytest.raises(ConfigError, match="was distilled: name points of runs"):
        soup_of(found, ["t0000-050", the_pupil(taught).id], "toy")


@pytest.mark.slow
def test_a_dropped_pupil_is_taught_again(taught: RunFolder, run: Run) -> None:
    made = the_pupil(taught)
    then = checksum(taught.model(made.id) / WEIGHTS)
    first = made.teachers[0]
    for name in (made.id, first):
        drop(taught, name)
    code, _, err = run("retrain", "toy", made.id)
    assert code == 4
    assert f"`autoqa retrain toy {first} {made.id}` makes all of them again" in " ".join(
        err.split()
    )
    code, out, err = run("retrain", "toy", made.id, first, "--quiet")
    assert code == 0, err
    assert [line.split(":")[0] for line in out.splitlines()] == [made.id, first]
    assert checksum(taught.model(made.id) / WEIGHTS) == then


def unlabelled(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("question", "context"), *rows])
    return path


def test_it_learns_from_a_users_questions_too(plain: RunFolder, run: Run, tmp_path: Path) -> None:
    rows = [
        (each.question, each.context.replace("old station", f"quiet lake {n}"))
        for n, each in enumerate(bundle_kit.examples(5, 100))
    ]
    path = unlabelled(tmp_path / "own.csv", rows)
    code, _, err = run(
        "export", "toy", "--distil", "toy", "--unlabelled", path, "--to", tmp_path / "bundle"
    )
    assert code == 0, err
    spoken = " ".join(err.split())
    assert "toy is taught by t000" in spoken
    assert "expected time: " in spoken
    assert "unlabelled:" in spoken
    made = the_pupil(plain)
    *_, last = made.recipe["stages"][-1]["portions"]
    assert last["source"].startswith("unlabelled:")
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text())
    assert manifest["data"][last["source"]] == "unknown"
    (kept,) = plain.unlabelled.iterdir()
    assert len(kept.read_text().splitlines()) == 5


@pytest.mark.parametrize(
    "options, code, sentence",
    [
        (("--distil", "toi"), 2, "distil 'toi': the study has no such backbone; did you mean"),
        (("--distil", "roberta"), 2, "the study has no such backbone; it has toy, lower"),
        (("--distil", "toy", "--candidate", "t0000-050"), 2, "--distil and --candidate exclude"),
        (("--unlabelled", "own.csv"), 2, "--unlabelled is for what --distil learns from"),
        (("--distil", "toy", "--unlabelled", "none.csv"), 4, "none.csv does not exist"),
        (("--distil", "toy", "--unlabelled", "bad.csv"), 2, "bad.csv:3: context is empty"),
        (("--distil", "toy", "--unlabelled", "head.csv"), 2, "column question is missing"),
        (("--distil", "toy", "--unlabelled", "empty.csv"), 2, "holds no rows"),
    ],
)
def test_what_cannot_be_distilled_is_a_sentence(
    plain: RunFolder,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    unlabelled(tmp_path / "bad.csv", [("Who ?", "Ada ."), ("Who ?", "")])
    (tmp_path / "head.csv").write_text("context\nAda .\n")
    unlabelled(tmp_path / "empty.csv", [])
    ended, out, err = run("export", "toy", *options, "--to", "bundle")
    assert (ended, out) == (code, "")
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err
    assert not Path("bundle").exists()


def test_teachers_without_weights_are_named(plain: RunFolder, run: Run, tmp_path: Path) -> None:
    for name in SNAPSHOTS:
        drop(plain, name)
    code, _, err = run("export", "toy", "--distil", "toy", "--to", tmp_path / "bundle")
    assert code == 4
    assert "which would teach, were dropped or are damaged: `autoqa retrain toy t0" in " ".join(
        err.split()
    )


def test_a_teacher_that_cannot_be_read_ends_it_with_a_sentence(
    plain: RunFolder, run: Run, tmp_path: Path
) -> None:
    for name in SNAPSHOTS:
        weights = plain.model(name) / WEIGHTS
        weights.write_bytes(weights.read_bytes()[:1000])
    code, _, err = run("export", "toy", "--distil", "toy", "--to", tmp_path / "bundle")
    assert code == 4
    assert "which would teach, were dropped or are damaged: `autoqa retrain toy" in (
        " ".join(err.split())
    )
    assert "Traceback" not in err
    assert sorted(records(plain)) == SNAPSHOTS


def test_a_backbone_without_a_run_takes_the_best_ones_recipe(plain: RunFolder) -> None:
    found = {name: each for name, each in records(plain).items() if each.backbone == "toy"}
    seats = [Seat(name, each.group, 2.0, "") for name, each in reversed(found.items())]
    own, foreign = (
        plan_distillation(plain, found, seats, backbone, "unlabelled:ab")
        for backbone in ("toy", "lower")
    )
    best = min(found.values(), key=by_score)
    assert own.run.begins_with == tuple(sorted(found))
    assert own.run.learning_rate == RATE_OF_PUPIL * best.learning_rate
    assert foreign.run.begins_with == ()
    assert (own.trial, own.run.seed, own.windows_per_second) == (
        best.trial,
        best.seed,
        best.windows_per_second,
    )
    assert own.taught_by == ("t0000-050", "t0000-050", "t0000-100", "t0000-100")
    (stage,) = foreign.run.recipe.stages
    assert (stage.length, stage.stride) == (40, 8)
    assert [portion.source for portion in stage.portions] == ["train", "unlabelled:ab"]
    assert foreign.windows_per_second is None
    assert "unknown: no run of this backbone" in announced(plain, foreign, found, 0)[-1]
    with pytest.raises(NothingFeasibleError, match="no recipe to train a pupil with"):
        plan_distillation(plain, {}, [], "toy", None)


def test_no_head_or_loss_that_needs_a_label_is_taken_over(plain: RunFolder) -> None:
    name, record = next(iter(records(plain).items()))
    method = {**record.recipe["method"], "head": "conditional", "loss": "jaccard"}
    changed = replace(record, recipe={**record.recipe, "method": method})
    seat = Seat(name, record.group, 1.0, "")
    job = plan_distillation(plain, {name: changed}, [seat], record.backbone, None)
    assert job.run.recipe.method == Method()


class Impatient(QuietDisplay):
    """Sends SIGINT when the pupil's recipe card is shown."""

    def event(self, text: str) -> None:
        if ": stage 1" in text:
            signal.raise_signal(signal.SIGINT)


def test_it_can_be_interrupted_and_goes_on(plain: RunFolder) -> None:
    run = open_run("toy")
    with run.store as store:
        seats = teaching_selection(run).members
        with pytest.raises(SearchInterruptedError, match="The same command goes on"):
            distil(run.folder, store, run.study, seats, "toy", Impatient())
        assert [each.name.partition("-")[0] for each in plain.lessons.iterdir()] == ["distil"]
        assert sorted(records(plain)) == SNAPSHOTS
        made = distil(run.folder, store, run.study, seats, "toy", QuietDisplay())
    assert records(plain)[made.id] == made
    assert not list(plain.lessons.iterdir())
    with pytest.raises(MissingAssetError, match="does not exist"), run.store as store:
        distil(
            run.folder, store, run.study, seats, "toy", QuietDisplay(), unlabelled=Path("none.csv")
        )
