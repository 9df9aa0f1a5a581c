"""Averages of weights as candidates, from a real search of a toy model to its bundle."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import autoqa
from autoqa.config import load_study
from autoqa.features.files import load_windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.searching.setup import fingerprint
from autoqa.store.candidate_record import soup_id
from autoqa.store.checksums import checksum
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS, drop, dropped
from tests.conftest import Run
from tests.store.damage import without_sums
from tests.toy_study import copied_run, records, search_study, write_study

SNAPSHOTS = ["t0000-050", "t0000-100", "t0001-050", "t0001-100"]
ALL = soup_id("toy", SNAPSHOTS)
RUN = soup_id("toy", SNAPSHOTS[:2])


def searched(folder: Path, tail: str) -> Path:
    """A folder with a study of two trials, searched."""
    study = write_study(folder, f"trials = 2\nworkers = 1\ncheckpoints = 0\n{tail}")
    return search_study(study)


@pytest.fixture(scope="module")
def without_soups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return searched(tmp_path_factory.mktemp("plain"), "")


@pytest.fixture(scope="module")
def with_soups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return searched(tmp_path_factory.mktemp("soups"), "soups = true\n")


@pytest.fixture
def plain(without_soups: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder without soups, for one test."""
    return copied_run(without_soups, home, monkeypatch)


@pytest.fixture
def souped(with_soups: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder with soups, for one test."""
    return copied_run(with_soups, home, monkeypatch)


def test_a_search_ends_with_soups_which_are_candidates(souped: RunFolder, run: Run) -> None:
    found = records(souped)
    assert sorted(found) == souped.candidate_ids()
    soups = {name: record for name, record in found.items() if record.ingredients}
    assert len(soups) in (8, 9), "a greedy choice may be one of the others"
    whole = soups[ALL]
    assert whole == souped.read_record(ALL)
    assert (whole.trial, whole.fraction, whole.ingredients) == (1, 1.0, tuple(SNAPSHOTS))
    assert whole.seconds == found["t0000-100"].seconds + found["t0001-100"].seconds
    assert len({record.recipe_hash for record in found.values()}) == 1 + len(soups)
    code, out, err = run("leaderboard", "toy")
    assert code == 0, err
    assert ALL in out
    assert "mean of 4" in out
    rows = json.loads(run("leaderboard", "toy", "--json")[1])
    shown = {row["id"]: row.get("ingredients") for row in rows["candidates"]}
    assert shown[ALL] == SNAPSHOTS
    assert shown["t0000-050"] is None
    assert rows["public_reads"]["candidates"] == len(found)


def test_selection_weighs_them_like_any_other(souped: RunFolder, run: Run) -> None:
    code, _, err = run("select", "toy", "--explain")
    assert code == 0, err
    chosen = json.loads(souped.selection.read_text())
    assert set(chosen["considered"]) == set(records(souped))
    assert run("leaderboard", "toy", "--compare", ALL, "t0000-100")[0] == 0
    code, out, err = run("reveal", "toy", "--reason", "test")
    assert code == 0, err
    assert ALL in out


def test_a_soup_of_one_run_is_the_mean_of_its_snapshots(souped: RunFolder) -> None:
    made = load_file(souped.model(RUN) / WEIGHTS)
    parts = [load_file(souped.model(name) / WEIGHTS) for name in SNAPSHOTS[:2]]
    assert made.keys() == parts[0].keys()
    for name, tensor in made.items():
        total = parts[0][name].astype(np.float32) + parts[1][name].astype(np.float32)
        np.testing.assert_array_equal(tensor, (total / 2).astype(np.float16))


def test_the_exported_weights_predict_what_is_stored(
    souped: RunFolder, run: Run, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    code, _, err = run("export", "toy", "--candidate", ALL, "--to", bundle)
    assert code == 0, err
    model = load_for_inference(bundle / "members" / ALL, "cpu")
    windows = load_windows(souped.windows_path(records(souped)[ALL].group, "public"))
    logits = predict(model, windows, precision="fp32")
    for side, stored in zip(logits, load_logits(souped, ALL, "public"), strict=True):
        np.testing.assert_allclose(side, stored, rtol=1e-3, atol=1e-3)
    (member,) = json.loads((bundle / "manifest.json").read_text())["members"]
    assert member["ingredients"] == SNAPSHOTS
    card = (bundle / "README.md").read_text()
    assert f"{ALL} (an average of 4 models):" in card
    assert f"mean of the weights of: {', '.join(SNAPSHOTS)}" in card
    assert "t0000-050, t0000-100:\n" in card
    assert card.count("learning rate ") == 2, "each run's recipe once"
    assert "| data of train |" in card
    ensemble = autoqa.load(bundle)
    example = souped.load_examples("public")[0]
    assert ensemble(question=example.question, context=example.context).answer in example.context


def test_no_average_is_made_twice(souped: RunFolder, run: Run) -> None:
    before = {name: (souped.model(name) / WEIGHTS).stat().st_mtime for name in records(souped)}
    with Store(souped.store_url(), "toy") as store:
        reads = store.public_reads()
    code, out, err = run("soup", "toy", "--quiet")
    assert (code, out) == (0, "no soup is new\n"), err
    code, out, _ = run("soup", "toy", *reversed(SNAPSHOTS))
    assert (code, out) == (0, "these soups are there\n")
    after = {name: (souped.model(name) / WEIGHTS).stat().st_mtime for name in records(souped)}
    assert after == before
    with Store(souped.store_url(), "toy") as store:
        assert store.public_reads() == reads


def test_what_the_greedy_choice_tried_counts_as_reads(souped: RunFolder) -> None:
    tried = json.loads(souped.tried_soups.read_text()) if souped.tried_soups.exists() else {}
    with Store(souped.store_url(), "toy") as store:
        assert store.public_reads().get("soups", 0) == len(tried)
    assert not any(path.name.startswith(".") for path in souped.candidates.iterdir())


def test_the_command_makes_the_soup_of_two_that_are_named(plain: RunFolder, run: Run) -> None:
    code, out, err = run("soup", "toy", "t0000-100", "t0000-050")
    assert code == 0, err
    assert out.startswith(f"{RUN}: mean of 2 candidates' weights, public Jaccard 0.")
    assert out.count("\n") == 1
    assert sorted(records(plain)) == [RUN, *SNAPSHOTS]
    assert f"soup {RUN} jaccard" in err
    assert "mean of the weights of what was named (t0000-050, t0000-100)" in err


def test_a_finished_study_may_turn_soups_on(
    plain: RunFolder, without_soups: Path, run: Run, tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    study.write_text((without_soups / "study.toml").read_text() + "soups = true\n")
    before = fingerprint(load_study(plain.study_file))
    code, _, err = run("search", study)
    assert code == 0, err
    assert f"soup {ALL} jaccard" in err
    assert fingerprint(load_study(plain.study_file)) == before
    assert set(SNAPSHOTS) < set(records(plain))


@pytest.mark.slow
def test_a_damaged_ingredient_costs_the_soups_that_need_it(plain: RunFolder, run: Run) -> None:
    weights = plain.model("t0001-050") / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    code, _, err = run("soup", "toy")
    assert code == 0, err
    made = [record for record in records(plain).values() if record.ingredients]
    assert {record.ingredients for record in made} >= {
        ("t0000-050", "t0000-100"),
        ("t0000-100", "t0001-100"),
        ("t0000-050", "t0000-100", "t0001-100"),
    }
    assert not any("t0001-050" in record.ingredients for record in made)
    assert (
        f"{ALL}, all candidates, is not made: the weights of t0001-050 are damaged or lost: "
        "`autoqa retrain toy t0001-050` makes them again"
    ) in " ".join(err.split())
    assert sorted(plain.candidate_ids()) == sorted(records(plain))


@pytest.mark.parametrize(
    "names, code, sentence",
    [
        (["t0000-100", "t0001-101"], 2, "no such candidate; did you mean"),
        (["t0000-100"], 2, "an average needs two different candidates or more"),
        (["t0000-100", "t0000-050"], 4, "`autoqa retrain toy t0000-050` makes dropped ones again"),
    ],
)
def test_what_cannot_be_averaged_is_a_sentence(
    plain: RunFolder, run: Run, names: list[str], code: int, sentence: str
) -> None:
    drop(plain, "t0000-050")
    ended, out, err = run("soup", "toy", *names)
    assert (ended, out) == (code, "")
    assert sentence in " ".join(err.split())


def test_a_study_without_two_models_has_nothing_to_average(plain: RunFolder, run: Run) -> None:
    for name in SNAPSHOTS[1:]:
        drop(plain, name)
    code, _, err = run("soup", "toy")
    assert code == 5
    assert "there is nothing to average" in " ".join(err.split())


def test_a_dropped_soup_is_made_again_with_its_ingredients_beside(
    souped: RunFolder, run: Run
) -> None:
    for name in (ALL, *SNAPSHOTS[1:]):
        drop(souped, name)
    then = dropped(souped, ALL)
    assert then is not None
    code, out, err = run("retrain", "toy", ALL, "t0001-100", "--quiet")
    assert code == 0, err
    assert f"{ALL}: averaged again, public Jaccard" in out
    assert "t0001-100: trained again, public Jaccard" in out
    assert checksum(souped.model(ALL) / WEIGHTS) == then.sha256
    still = [name for name in SNAPSHOTS if dropped(souped, name) is not None]
    assert still == ["t0000-100", "t0001-050"], "nobody asked for them"
    assert not (souped.path / "retrained").exists()


def test_a_soup_that_comes_out_different_is_not_taken(souped: RunFolder, run: Run) -> None:
    drop(souped, ALL)
    without_sums(souped.candidate(ALL))
    note = souped.candidate(ALL) / "dropped.json"
    note.write_text(note.read_text().replace('"sha256": "', '"sha256": "0')[:-1])
    code, _, err = run("retrain", "toy", ALL, "--quiet")
    assert code == 2
    assert f"candidate {ALL} came out different" in err
    assert dropped(souped, ALL) is not None
