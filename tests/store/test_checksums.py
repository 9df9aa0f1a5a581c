"""Files that are not what was written are told from those that are."""

import json
import os
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from autoqa.errors import DataError
from autoqa.store import checksums
from autoqa.store.checksums import SUMS, DamagedError, checked_json, damage, read_checked
from autoqa.store.predictions import check_predictions, left_out, load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.store.weight_quota import (
    WEIGHTS,
    drop,
    dropped,
    original,
    restore,
    restore_damaged,
    whole_model,
)
from tests.store.damage import flip, without_sums, zero_half
from tests.store.test_run_folder import fill
from tests.store.test_study_tables import RECORD

NAME = "t0003-100"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run folder with one candidate: record, predictions, and a model folder."""
    made = RunFolder(tmp_path / "small")
    made.create()
    fill(made)
    model = made.model(NAME)
    model.mkdir()
    (model / WEIGHTS).write_bytes(bytes(range(256)) * 40)
    (model / "config.json").write_text("{}")
    checksums.write_checksums(made.candidate(NAME))
    return made


def test_every_file_of_a_candidate_has_a_sum(folder: RunFolder) -> None:
    sums = json.loads((folder.candidate(NAME) / SUMS).read_text())["content"]
    assert list(sums) == [
        "candidate.json",
        "model/config.json",
        "model/model.safetensors",
        "public.safetensors",
        "sealed/private.safetensors",
    ]
    assert all(damage(folder.candidate(NAME), name) is None for name in sums)
    assert checksums.is_whole(folder.candidate(NAME))


def test_each_kind_of_damage_is_said(folder: RunFolder) -> None:
    candidate, path = folder.candidate(NAME), folder.model(NAME) / WEIGHTS
    size = path.stat().st_size
    flip(path)
    assert damage(candidate, f"model/{WEIGHTS}") == "its checksum differs"
    os.truncate(path, 100)
    assert damage(candidate, f"model/{WEIGHTS}") == f"100 bytes of {size:,}"
    path.unlink()
    assert damage(candidate, f"model/{WEIGHTS}") == "No such file or directory"
    assert not checksums.is_whole(candidate)
    flip(candidate / SUMS, at=120)
    with pytest.raises(DamagedError, match=r"checksums\.json is damaged"):
        damage(candidate, "candidate.json")


def test_half_zeroed_predictions_are_not_read(folder: RunFolder) -> None:
    zero_half(folder.logits_path(NAME, "public"))
    with pytest.raises(DamagedError, match=r"public\.safetensors is damaged \(its checksum"):
        load_logits(folder, NAME, "public")
    said = left_out(folder, NAME)
    assert said is not None
    assert said.startswith(f"candidate {NAME} is left out: ")
    assert said.endswith(f"; `autoqa retrain small {NAME}` makes it again")


def test_sealed_predictions_are_looked_at_without_an_opening(folder: RunFolder) -> None:
    check_predictions(folder, NAME)
    flip(folder.logits_path(NAME, "private"))
    with pytest.raises(DamagedError, match=r"private\.safetensors is damaged"):
        check_predictions(folder, NAME)


def test_what_was_written_without_sums_is_used_as_it_was(folder: RunFolder) -> None:
    without_sums(folder.candidate(NAME))
    flip(folder.model(NAME) / WEIGHTS)
    assert dropped(folder, NAME) is None
    assert whole_model(folder, NAME) == folder.model(NAME)
    assert left_out(folder, NAME) is None
    assert folder.read_record(NAME) == RECORD
    folder.logits_path(NAME, "private").write_bytes(b"torn")
    said = left_out(folder, NAME)
    assert said is not None, "a torn file shows all the same"
    assert "private.safetensors is damaged" in said


def test_damaged_weights_are_set_aside_and_count_as_dropped(folder: RunFolder) -> None:
    weights = folder.model(NAME) / WEIGHTS
    whole, good = weights.read_bytes(), checksums.checksum(weights)
    weights.write_bytes(bytes(len(whole)))
    gone = dropped(folder, NAME)
    assert gone is not None
    assert (gone.sha256, gone.size, gone.damaged) == (good, len(whole), True)
    assert sorted(path.name for path in folder.model(NAME).iterdir()) == [
        "config.json",
        "model.safetensors.damaged",
    ]
    assert dropped(folder, NAME) == gone
    assert original(folder, NAME) == good
    with pytest.raises(
        DamagedError, match=f"of {NAME} are damaged or lost: `autoqa retrain small {NAME}`"
    ):
        whole_model(folder, NAME)
    again = folder.path / "again"
    again.write_bytes(whole)
    restore(folder, NAME, again)
    assert dropped(folder, NAME) is None
    assert sorted(path.name for path in folder.candidate(NAME).rglob("*.safetensors*")) == [
        "model.safetensors",
        "private.safetensors",
        "public.safetensors",
    ]


def test_lost_weights_are_known_by_their_sum(folder: RunFolder) -> None:
    good = checksums.checksum(folder.model(NAME) / WEIGHTS)
    (folder.model(NAME) / WEIGHTS).unlink()
    gone = dropped(folder, NAME)
    assert gone is not None
    assert (gone.sha256, gone.damaged) == (good, True)


def test_damaged_weights_that_are_dropped_are_known_by_what_they_were(folder: RunFolder) -> None:
    good = checksums.checksum(folder.model(NAME) / WEIGHTS)
    flip(folder.model(NAME) / WEIGHTS)
    drop(folder, NAME)
    gone = dropped(folder, NAME)
    assert gone is not None
    assert (gone.sha256, gone.damaged) == (good, False)


def test_only_equal_files_take_the_place_of_damaged_ones(folder: RunFolder, tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    good = folder.logits_path(NAME, "public").read_bytes()
    flip(folder.logits_path(NAME, "public"))
    (made / "public.safetensors").write_bytes(good[:-1] + b"!")
    restore_damaged(folder, NAME, made)
    assert left_out(folder, NAME) is not None
    (made / "public.safetensors").write_bytes(good)
    restore_damaged(folder, NAME, made)
    assert left_out(folder, NAME) is None
    assert folder.logits_path(NAME, "public").read_bytes() == good


def test_nothing_finished_is_replaced_by_another_run(folder: RunFolder) -> None:
    other = replace(RECORD, seed=RECORD.seed + 1)
    with (
        pytest.raises(DataError, match=r"t0003-100 is of another run .* is not replaced"),
        folder.writing_candidate(NAME) as partial,
    ):
        (partial / "candidate.json").write_text(json.dumps(asdict(other)))
    assert folder.read_record(NAME) == RECORD
    assert folder.logits_path(NAME, "public").is_file()
    fill(folder)  # the same run may be written once more
    assert folder.read_record(NAME) == RECORD


def test_a_candidate_that_cannot_be_read_makes_way_and_is_kept(folder: RunFolder) -> None:
    zero_half(folder.candidate(NAME) / "candidate.json")
    fill(folder)
    assert folder.read_record(NAME) == RECORD
    (aside,) = folder.damaged.iterdir()
    assert aside.name.startswith(f"{NAME}.")
    assert (aside / "model" / WEIGHTS).is_file()


def test_a_value_with_its_own_digest(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    path.write_text(checked_json({"a": [1, 2.5], "b": float("inf")}))
    assert read_checked(path) == {"a": [1, 2.5], "b": float("inf")}
    path.write_text(path.read_text().replace("2.5", "2.6"))
    with pytest.raises(DamagedError, match=r"value\.json is damaged \(its checksum differs\)"):
        read_checked(path)


def test_a_sum_beside_a_file_is_one_of_coreutils(tmp_path: Path) -> None:
    path = tmp_path / "rows.npy"
    np.save(path, np.arange(5))
    checksums.write_sum_beside(path)
    assert checksums.damage_beside(path) is None
    command = ["sha256sum", "-c", "rows.npy.sha256"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0
    flip(path)
    assert checksums.damage_beside(path) == "its checksum differs"
    checksums.forget_sum_beside(path)
    assert checksums.damage_beside(path) is None
