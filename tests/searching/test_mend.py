"""A real study whose files are damaged: what is damaged is not used, and comes back."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.features.files import keep_windows, load_windows
from autoqa.store.checksums import SUMS
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import WEIGHTS
from tests.conftest import Run
from tests.store.damage import flip, zero_half
from tests.toy_study import copied_run, search_study, write_study

NAME = "t0001-100"
TAIL = "trials = 2\nworkers = 1\ncheckpoints = 0\nsoups = true\n"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of two trials and their soups."""
    return search_study(write_study(tmp_path_factory.mktemp("study"), TAIL))


@pytest.fixture
def folder(searched: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """A run folder of its own for each test."""
    return copied_run(searched, home, monkeypatch)


@pytest.fixture
def study(searched: Path) -> Path:
    """The study file."""
    return searched / "study.toml"


def words(text: str) -> str:
    """Without the breaks of lines."""
    return " ".join(text.split())


def content(folder: RunFolder) -> dict[str, bytes]:
    """Content of every candidate's files."""
    paths = [path for path in folder.candidates.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder.candidates)): path.read_bytes() for path in paths}


def considered(folder: RunFolder) -> list[str]:
    return sorted(json.loads(folder.selection.read_text())["considered"])


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize("damage", [cut_short, zero, flip])
def test_damaged_weights(
    folder: RunFolder, run: Run, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    before = content(folder)
    damage(folder.model(NAME) / WEIGHTS)
    code, _, err = run("select", "toy")
    assert code == 0, err
    assert NAME in considered(folder), "its predictions are whole"
    target = tmp_path / "bundle"
    code, _, err = run("export", "toy", "--candidate", NAME, "--to", target)
    assert code == 4
    assert (
        f"the weights of {NAME} are damaged or lost: `autoqa retrain toy {NAME}` makes them again"
        in words(err)
    )
    assert not target.exists()
    assert run("export", "toy", "--candidate", "t0000-100", "--to", tmp_path / "other")[0] == 0
    code, out, err = run("retrain", "toy", NAME, "--quiet")
    assert code == 0, err
    assert f"{NAME}: trained again" in out
    assert content(folder) == before
    assert run("export", "toy", "--candidate", NAME, "--to", target)[0] == 0


def test_a_damaged_configuration_of_a_model(folder: RunFolder, run: Run, tmp_path: Path) -> None:
    before = content(folder)
    zero_half(folder.model(NAME) / "config.json")
    code, _, err = run("export", "toy", "--candidate", NAME, "--to", tmp_path / "bundle")
    assert code == 4
    assert f"`autoqa retrain toy {NAME}` makes them again" in words(err)
    assert run("retrain", "toy", NAME, "--quiet")[0] == 0
    assert content(folder) == before


@pytest.mark.parametrize("part", ["public", "private"])
def test_half_zeroed_predictions(
    folder: RunFolder,
    run: Run,
    study: Path,
    part: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before, everyone = content(folder), folder.candidate_ids()
    path = folder.logits_path(NAME, "private" if part == "private" else "public")
    zero_half(path)
    sentence = (
        f"candidate {NAME} is left out: {path} is damaged (its checksum differs); "
        f"`autoqa retrain toy {NAME}` makes it again"
    )
    code, out, err = run("select", "toy")
    assert code == 0, err
    assert caplog.messages.count(sentence) == 1
    assert considered(folder) == [name for name in everyone if name != NAME]
    code, out, err = run("leaderboard", "toy")
    assert code == 0, err
    assert "not compared: 1." in words(out)
    code, _, err = run("search", study)
    assert code == 0, err
    assert sentence in words(err)
    without = set(folder.candidate_ids()) - set(everyone)
    assert not any(NAME in folder.read_record(soup).ingredients for soup in without)
    code, out, err = run("retrain", "toy", NAME, "--quiet")
    assert code == 0, err
    assert content(folder).items() >= before.items()
    assert run("select", "toy")[0] == 0
    assert considered(folder) == folder.candidate_ids()


def test_half_zeroed_predictions_of_a_soup(folder: RunFolder, run: Run) -> None:
    everyone = folder.candidate_ids()
    name = next(each for each in everyone if each.startswith("soup-"))
    logits = folder.logits_path(name, "public").read_bytes()
    zero_half(folder.logits_path(name, "public"))
    assert run("select", "toy")[0] == 0
    assert considered(folder) == [each for each in everyone if each != name]
    code, _, err = run("soup", "toy")
    assert code == 0, err
    assert f"candidate {name} is left out: " in words(err)
    assert f"after it was set aside as {folder.damaged}" in words(err)
    assert folder.candidate_ids() == everyone
    assert folder.logits_path(name, "public").read_bytes() == logits
    with Store(folder.store_url(), "toy") as store:
        assert sorted(record.id for record in store.candidates()) == everyone


def test_a_damaged_record_is_written_again_from_the_database(
    folder: RunFolder, run: Run, study: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = content(folder)
    zero_half(folder.candidate(NAME) / "candidate.json")
    assert run("select", "toy")[0] == 0
    assert NAME not in considered(folder)
    (sentence,) = caplog.messages
    assert sentence.endswith(f"`autoqa search {folder.study_file}` mends it or sets it aside")
    assert run("search", study)[0] == 0
    after = content(folder)
    assert {name: after[name] for name in before} == before


def test_a_record_that_nothing_knows_any_more_is_set_aside(
    folder: RunFolder, run: Run, study: Path
) -> None:
    zero_half(folder.candidate(NAME) / "candidate.json")
    with Store(folder.store_url(), "toy") as store:
        store.remove_candidate(NAME)
    code, _, err = run("search", study)
    assert code == 0, err
    (aside,) = folder.damaged.iterdir()
    assert f"candidate {NAME} is set aside as {aside}: " in words(err)
    assert (aside / "model" / WEIGHTS).is_file()
    assert NAME not in folder.candidate_ids()
    assert run("leaderboard", "toy")[0] == 0


def test_damaged_checksums_cost_a_candidate_that_is_made_again_as_a_whole(
    folder: RunFolder, run: Run, study: Path
) -> None:
    before, everyone = content(folder), folder.candidate_ids()
    soups = [name for name in everyone if name.startswith("soup-")]
    for name in (NAME, *soups):
        flip(folder.candidate(name) / SUMS)
    assert run("select", "toy")[0] == 0
    assert not {NAME, *soups} & set(considered(folder))
    code, _, err = run("search", study)
    assert code == 0, err
    assert f"`autoqa retrain toy {NAME}` makes it again" in words(err)
    assert len(list(folder.damaged.iterdir())) == 1 + len(soups)
    assert NAME not in folder.candidate_ids()
    code, out, err = run("retrain", "toy", NAME, "--quiet")
    assert code == 0, err
    assert f"{NAME}: trained again" in out
    kept = {f"{NAME}/{name}" for name in ("candidate.json", "public.safetensors")}
    kept |= {f"{NAME}/model/{WEIGHTS}", f"{NAME}/sealed/private.safetensors"}
    after = content(folder)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert run("select", "toy")[0] == 0
    assert NAME in considered(folder)
    for path in folder.path.glob("study.db*"):
        path.unlink()
    assert run("search", study)[0] == 0
    with Store(folder.store_url(), "toy") as store:
        assert NAME in [record.id for record in store.candidates()]


@pytest.mark.parametrize("sealed", [False, True])
def test_damaged_windows_and_questions(
    folder: RunFolder, run: Run, study: Path, sealed: bool
) -> None:
    names = ("*/sealed/private.safetensors", "sealed/private.jsonl")
    paths = [next(folder.validation.glob(name)) for name in names]
    if not sealed:
        paths = [next(folder.validation.glob(n)) for n in ("*/public.safetensors", "public.jsonl")]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        flip(path, at=len(path.read_bytes()) // 2)
        code, _, err = run("reveal", "toy", "--reason", "a test")
        assert code == 2, path
        assert f"{path} is damaged (its checksum differs): `autoqa search" in words(err)
    code, _, err = run("search", study)
    assert code == 0, err
    assert [path.read_bytes() for path in paths] == before
    assert run("reveal", "toy", "--reason", "a test")[0] == 0


def test_windows_come_back_with_their_limit_on_answers(
    folder: RunFolder, run: Run, study: Path
) -> None:
    paths = [
        next(folder.validation.glob(name))
        for name in ("*/public.safetensors", "*/sealed/private.safetensors")
    ]
    for path in paths:
        keep_windows(path, replace(load_windows(path), max_answer_tokens=13))
    before = [path.read_bytes() for path in paths]
    flip(paths[0], at=len(before[0]) // 2)
    code, _, err = run("search", study)
    assert code == 0, err
    assert "is written again" in words(err)
    assert [path.read_bytes() for path in paths] == before


def test_a_lost_database(folder: RunFolder, run: Run, study: Path, tmp_path: Path) -> None:
    assert run("reveal", "toy", "--reason", "before")[0] == 0
    board = json.loads(run("leaderboard", "toy", "--json")[1])
    for path in folder.path.glob("study.db*"):
        path.unlink()
    code, _, err = run("search", study)
    assert code == 0, err
    assert f"the database had no row of 2 trials (0, 1) and {len(folder.candidate_ids())}" in (
        words(err)
    )
    again = json.loads(run("leaderboard", "toy", "--json")[1])
    assert again["candidates"] == board["candidates"]
    assert again["private_openings"] == board["private_openings"] == 1
    assert run("export", "toy", "--to", tmp_path / "bundle")[0] == 0


def test_a_damaged_database_names_the_way_out(folder: RunFolder, run: Run, study: Path) -> None:
    zero_half(folder.database)
    code, _, err = run("search", study)
    assert code == 0, err
    assert f"the database {folder.database} is damaged (" in words(err)
    assert "which were adopted from" in words(err)
    assert run("leaderboard", "toy")[0] == 0
