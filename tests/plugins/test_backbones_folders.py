"""Prepared folders are whole or absent, however many processes ask."""

import json
import multiprocessing
import time
from pathlib import Path

import pytest
from autoqa_backbones.folders import SMALL_FILES, WEIGHTS, is_complete, published, weight_files


def fill(folder: Path) -> None:
    for name in (*SMALL_FILES, WEIGHTS):
        (folder / name).write_text("{}")


def slow_fill(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    time.sleep(0.3)
    fill(folder)
    with (folder.parent / "made.log").open("a") as log:
        log.write("made\n")


def publish_slowly(cache: Path) -> Path:
    return published(cache, "model", slow_fill)


def visible(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "backbones").iterdir() if path.is_dir())


def test_made_once(tmp_path: Path) -> None:
    first = published(tmp_path, "model", slow_fill)
    again = published(tmp_path, "model", slow_fill)
    assert first == again == tmp_path / "backbones" / "model"
    assert is_complete(first)
    assert (tmp_path / "backbones" / "made.log").read_text() == "made\n"


def test_processes_that_ask_together_share_one_result(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        folders = pool.map(publish_slowly, [tmp_path] * 3, chunksize=1)
    assert set(folders) == {tmp_path / "backbones" / "model"}
    assert (tmp_path / "backbones" / "made.log").read_text() == "made\n"
    assert visible(tmp_path) == ["model"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    parent = tmp_path / "backbones"
    for leftover in (parent / ".model.abc.partial", parent / "model"):
        leftover.mkdir(parents=True)
        (leftover / "config.json").write_text("half")
    neighbour = parent / ".model-2.abc.partial"
    neighbour.mkdir()
    folder = published(tmp_path, "model", fill)
    assert is_complete(folder)
    assert (folder / "config.json").read_text() == "{}"
    assert visible(tmp_path) == [neighbour.name, "model"]


def test_a_failure_leaves_nothing_and_the_next_call_works(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        published(tmp_path, "model", fail)
    assert visible(tmp_path) == []
    assert is_complete(published(tmp_path, "model", fill))


def test_a_shared_cache_can_be_read_by_others(tmp_path: Path) -> None:
    folder = published(tmp_path, "model", fill)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / WEIGHTS).stat().st_mode & 0o777 == 0o644


def test_split_weights_count_when_all_parts_are_there(tmp_path: Path) -> None:
    parts = ["model-1-of-2.safetensors", "model-2-of-2.safetensors"]
    index = {"weight_map": dict(zip("ab", parts, strict=True))}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / parts[0]).write_text("")
    assert weight_files(tmp_path) == ()
    (tmp_path / parts[1]).write_text("")
    assert weight_files(tmp_path) == ("model.safetensors.index.json", *parts)
