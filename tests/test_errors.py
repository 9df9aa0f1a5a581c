"""What counts as a fault of the disk, as libraries tell it."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from autoqa.errors import DataError, disk_fault

FULL = Path("/dev/full")


def by_numpy() -> None:
    with FULL.open("wb") as file:
        np.save(file, np.zeros(100_000))


def by_python() -> None:
    with FULL.open("w") as file:
        file.write("text\n" * 10_000)


def wrapped() -> None:
    try:
        by_python()
    except OSError as error:
        raise DataError("the windows could not be kept") from error


@pytest.mark.parametrize(
    "write",
    [
        by_numpy,
        by_python,
        wrapped,
        lambda: torch.save(torch.zeros(100_000), FULL),
    ],
)
def test_a_full_disk_is_known_in_all_its_words(write) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library raises its own
        write()
    assert disk_fault(caught.value)


def test_sqlite_without_room(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "study.db")
    base.execute("create table t (x)")
    base.execute("pragma max_page_count = 3")
    with pytest.raises(sqlite3.OperationalError) as caught:
        base.executemany("insert into t values (?)", [("x" * 4000,)] * 9)
    base.close()
    assert disk_fault(caught.value)


def test_the_words_of_safetensors() -> None:
    said = "Error while serializing: I/O error: No space left on device (os error 28)"
    assert disk_fault(SafetensorError(said))


def test_other_errors_are_no_faults_of_a_disk() -> None:
    def mended() -> None:
        try:
            by_python()
        except OSError:
            raise ValueError("length 12 leaves no room") from None

    with pytest.raises(ValueError, match="no room") as caught:
        mended()
    assert not disk_fault(caught.value)
    assert not disk_fault(FileNotFoundError(2, "No such file or directory"))
