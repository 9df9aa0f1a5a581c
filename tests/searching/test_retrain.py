"""Weights that a real search dropped come back the same."""

from pathlib import Path

import pytest

from autoqa.errors import ConfigError
from autoqa.recipes import AugmentationUse, Method, Portion, Recipe, Stage, TrainingRun
from autoqa.searching.retrain import retrain
from autoqa.store.checksums import checksum
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, dropped
from autoqa.supervision.display import QuietDisplay
from tests.conftest import Run
from tests.store.damage import without_sums
from tests.toy_study import copied_run, search_study, write_study

RECIPE = Recipe(
    (
        Stage((Portion("a", ("hi", "ta"), 2.0, 0.3), Portion("b")), 256, 64),
        Stage(
            (Portion("b"),), 384, 128, (AugmentationUse("cutout", (("rate", 0.1), ("x", (1, 2)))),)
        ),
    ),
    Method(schedule="wsd", dropout_samples=3),
)


def test_recipes_come_back_from_json() -> None:
    import json
    from dataclasses import asdict

    again = Recipe.from_dict(json.loads(json.dumps(asdict(RECIPE))))
    assert again == RECIPE
    assert again.hash == RECIPE.hash


def test_equal_runs_have_equal_keys() -> None:
    run = TrainingRun(RECIPE, 3e-5, 7)
    assert run.key == f"{RECIPE.hash}/3e-05/7"
    assert TrainingRun(RECIPE, 3e-5 * (1 + 1e-9), 7).key == run.key
    others = [TrainingRun(RECIPE, 3.1e-5, 7), TrainingRun(RECIPE, 3e-5, 8)]
    assert run.key not in {other.key for other in others}


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of two trials, searched with room for next to no weights."""
    folder = tmp_path_factory.mktemp("study")
    study = write_study(folder, "trials = 2\nworkers = 1\ncheckpoints = 0\nweights = 0\n")
    return search_study(study)


@pytest.fixture
def folder(searched: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder of its own for each test."""
    return copied_run(searched, home, monkeypatch)


def gone(folder: RunFolder) -> list[str]:
    return [name for name in folder.candidate_ids() if dropped(folder, name) is not None]


def test_dropped_weights_come_back_to_the_last_bit(folder: RunFolder, run: Run) -> None:
    names = gone(folder)
    assert len(folder.candidate_ids()) == 4
    assert len(names) == 3, "all but the best"
    kinds = {name[-3:] for name in names}
    assert kinds == {"050", "100"}, "points inside a run as well as ends"
    sums = {name: dropped(folder, name) for name in names}
    code, out, err = run("retrain", "toy", *names)
    assert code == 0, err
    assert out.count("trained again, public Jaccard") == 3
    for name, then in sums.items():
        assert then is not None
        assert checksum(folder.model(name) / WEIGHTS) == then.sha256
    assert gone(folder) == []
    assert not (folder.path / "retrained").exists()
    code, out, _ = run("retrain", "toy", *names)
    assert (code, out) == (0, f"the weights of {', '.join(names)} are there\n")


def test_export_names_the_command_that_brings_them_back(
    folder: RunFolder, run: Run, tmp_path: Path
) -> None:
    name = gone(folder)[0]
    code, _, err = run("export", "toy", "--candidate", name, "--to", str(tmp_path / "bundle"))
    assert code == 4
    assert f"`autoqa retrain toy {name}` makes them again" in " ".join(err.split())
    assert not (tmp_path / "bundle").exists()


def test_weights_that_come_out_different_are_not_taken(folder: RunFolder, run: Run) -> None:
    name = gone(folder)[0]
    note = folder.candidate(name) / "dropped.json"
    without_sums(folder.candidate(name))
    note.write_text(note.read_text().replace('"sha256": "', '"sha256": "0')[:-1])
    code, _, err = run("retrain", "toy", name, "--quiet")
    assert code == 2
    assert f"candidate {name} came out different" in err
    assert gone(folder).count(name) == 1
    assert not (folder.path / "retrained").exists()


def test_an_unknown_candidate_and_a_changed_study(folder: RunFolder, run: Run) -> None:
    code, _, err = run("retrain", "toy", "t0000-051")
    assert code == 2
    assert "the study has no such candidate; did you mean 't0000-050'?" in " ".join(err.split())
    text = folder.study_file.read_text()
    folder.study_file.write_text(text.replace("public = 0.5", "public = 0.4"))
    with Store(folder.store_url(), "toy") as store, pytest.raises(ConfigError, match="resolves to"):
        retrain(folder, store, gone(folder)[:1], QuietDisplay())


def test_a_changed_validation_set_is_refused_and_the_frozen_one_stays(
    folder: RunFolder, run: Run, searched: Path
) -> None:
    frozen = folder.examples_path("public").read_bytes()
    exam = searched / "exam.json"
    text = exam.read_text()
    try:
        exam.write_text(text.replace("exam-q", "exam-x"))
        code, _, err = run("retrain", "toy", gone(folder)[0], "--quiet")
    finally:
        exam.write_text(text)
    assert code == 2
    assert "the validation set is not the one that study 'toy' began with" in err
    assert folder.examples_path("public").read_bytes() == frozen
