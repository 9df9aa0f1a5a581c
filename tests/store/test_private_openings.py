"""Openings of the private part are written in two places, and either gives back the other's."""

from pathlib import Path

import pytest

from autoqa.errors import AutoqaError
from autoqa.store.study_tables import Store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "openings.jsonl"


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/study.db"


def open_twice(folder: Path, file: Path) -> None:
    with Store(url(folder), "small", openings=file) as store:
        assert store.log_opening("the first", purpose="export").number == 1
        assert store.log_opening("the second").number == 2


def reasons(store: Store) -> list[str]:
    return [row.reason for row in store.openings()]


def test_a_lost_database_forgets_no_opening(tmp_path: Path, file: Path) -> None:
    open_twice(tmp_path, file)
    for path in tmp_path.glob("study.db*"):
        path.unlink()
    with Store(url(tmp_path), "small", openings=file) as store:
        assert reasons(store) == ["the first", "the second"]
        assert store.openings()[0].purpose == "export"
        assert store.log_opening("the third").number == 3
    with Store(url(tmp_path), "small") as store:  # what was lost is written down again
        assert sorted(reasons(store)) == ["the first", "the second", "the third"]


def test_a_lost_file_forgets_no_opening(tmp_path: Path, file: Path) -> None:
    open_twice(tmp_path, file)
    file.unlink()
    with Store(url(tmp_path), "small", openings=file) as store:
        assert reasons(store) == ["the first", "the second"]
        assert store.log_opening("the third").number == 3
    assert len(file.read_text().splitlines()) == 3


def test_an_opening_that_each_place_lost_another_of(tmp_path: Path, file: Path) -> None:
    open_twice(tmp_path, file)
    for path in tmp_path.glob("study.db*"):
        path.unlink()
    second = file.read_text().splitlines(keepends=True)[1]
    with Store(url(tmp_path), "small", openings=tmp_path / "other.jsonl") as store:
        store.log_opening("elsewhere")
    file.write_text(second)
    with Store(url(tmp_path), "small", openings=file) as store:
        assert reasons(store) == ["the second", "elsewhere"]


def test_a_damaged_line_is_an_opening_all_the_same(tmp_path: Path, file: Path) -> None:
    open_twice(tmp_path, file)
    first, second = file.read_text().splitlines(keepends=True)
    file.write_text(first[:20] + "?" + first[21:] + second[:-10])
    with Store(url(tmp_path), "small", openings=file) as store:
        assert reasons(store) == ["the first", "the second"], "the database has both"
    for path in tmp_path.glob("study.db*"):
        path.unlink()
    with Store(url(tmp_path), "small", openings=file) as store:
        assert reasons(store) == ["its line is damaged"] * 2
        assert store.log_opening("the third").number == 3
    assert file.read_text().splitlines()[1] == second[:-10], "a line that was cut off stays one"


def test_an_opening_that_cannot_be_written_down_is_none(tmp_path: Path) -> None:
    with Store(url(tmp_path), "small", openings=tmp_path / "no" / "openings.jsonl") as store:
        with pytest.raises(AutoqaError, match=r"cannot be written down .* so it is not opened"):
            store.log_opening("a reason")
        assert store.openings() == []
