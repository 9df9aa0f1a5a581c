import logging
import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoqa.features.activations import ActivationRows, Activations
from autoqa.features.cache import FeatureCache

from .caching import keep

WIDTH = 6
KEY = "0123"


def rows(number: int) -> ActivationRows:
    """What window ``number`` gives; other windows have other lengths."""
    return np.random.default_rng(number).normal(size=(3 + number, WIDTH)).astype(np.float32)


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def some(*numbers: int) -> dict[bytes, ActivationRows]:
    return {key(number): rows(number) for number in numbers}


def opened(folder: Path, quota: int = 2**20) -> Activations:
    return FeatureCache(folder, quota).activations(KEY, WIDTH)


def assert_holds(store: Activations, *numbers: int) -> None:
    for number in numbers:
        found = store.get(key(number))
        assert found is not None, number
        np.testing.assert_array_equal(found, rows(number))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "features"


def test_what_one_adds_another_finds(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    assert first.get(key(0)) is None
    first.add(some(0, 1))
    assert_holds(second, 0, 1)
    second.add(some(1, 2))
    assert_holds(first, 2, 1, 0)
    assert first.get(key(3)) is None
    assert_holds(opened(folder), 0, 1, 2)
    entry = folder / f"activations-{KEY}"
    assert sum(len(rows(n)) for n in range(3)) * WIDTH * 4 == (entry / "rows").stat().st_size
    assert [path.name for path in folder.iterdir()] == [entry.name], "no lock is left"


@pytest.mark.parametrize("damage", ["flip", "cut", "no rows", "index cut", "index noise"])
def test_damage_counts_as_absent_and_is_repaired(folder: Path, caplog: Any, damage: str) -> None:
    opened(folder).add(some(0, 1, 2))
    entry = folder / f"activations-{KEY}"
    data, index = entry / "rows", entry / "index"
    content, records = bytearray(data.read_bytes()), bytearray(index.read_bytes())
    if damage == "flip":
        content[-1] ^= 1
        data.write_bytes(content)
    elif damage == "cut":
        data.write_bytes(content[:-3])
    elif damage == "no rows":
        data.unlink()
    elif damage == "index cut":
        index.write_bytes(records[:-5])
    else:
        records[-16:] = b"\x7f" * 16  # a place far behind the file's end
        index.write_bytes(records)
    store = opened(folder)
    with caplog.at_level(logging.WARNING):
        assert store.get(key(2)) is None
    assert ("are damaged and made again" in caplog.text) is (
        damage in ("flip", "cut", "index noise")
    )
    for number in range(3):
        if store.get(key(number)) is None:
            store.add(some(number))
    assert_holds(store, 0, 1, 2)
    assert_holds(opened(folder), 0, 1, 2)


def test_rows_that_a_killed_writer_left_are_skipped(folder: Path) -> None:
    opened(folder).add(some(0))
    with (folder / f"activations-{KEY}" / "rows").open("ab") as file:
        file.write(b"half a row")
    opened(folder).add(some(1))
    assert_holds(opened(folder), 0, 1)


def test_an_entry_that_was_removed_is_begun_anew(folder: Path, caplog: Any) -> None:
    store, other = opened(folder), opened(folder)
    store.add(some(0, 1))
    assert_holds(other, 0)
    (folder / f"activations-{KEY}").rename(folder.parent / "gone")
    with caplog.at_level(logging.WARNING):
        assert store.get(key(0)) is None
        store.add(some(2, 1))
        assert other.get(key(0)) is None
        assert_holds(other, 2, 1)
    assert not caplog.text, "nothing is damaged"


def test_the_quota_ends_the_writing_and_removes_older_entries(folder: Path, caplog: Any) -> None:
    size = rows(0).nbytes + 32
    old = FeatureCache(folder, 2 * size).activations("old", WIDTH)
    old.add(some(0))
    os.utime(folder / "activations-old", (1, 1))
    store = opened(folder, 2 * size)
    store.add(some(0))
    assert (folder / "activations-old").exists()
    with caplog.at_level(logging.WARNING):
        store.add({key(9): rows(0)})
        assert not (folder / "activations-old").exists()
        assert not caplog.text
        for number in (1, 2):
            store.add(some(number))
    assert len(caplog.records) == 1, "told once"
    assert "AUTOQA_CACHE_GIB leaves no room" in caplog.text
    assert store.get(key(1)) is None
    assert_holds(store, 0)


def test_a_folder_that_cannot_be_used_stops_nobody(folder: Path, caplog: Any) -> None:
    folder.write_text("a file stands in the way")
    store = opened(folder)
    with caplog.at_level(logging.WARNING):
        assert store.get(key(0)) is None
        store.add(some(0))
        store.add(some(1))
    assert len(caplog.records) == 1
    assert "is not usable" in caplog.text


def test_several_workers_add_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    workers = [
        context.Process(target=keep, args=(folder, KEY, some(*range(n, n + 20)), ready, go))
        for n in (0, 10, 20)
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        assert ready.acquire(timeout=60)
    go.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert_holds(opened(folder), *range(40))
    rows_file = folder / f"activations-{KEY}" / "rows"
    assert rows_file.stat().st_size == sum(rows(n).nbytes for n in range(40)), "each window once"
