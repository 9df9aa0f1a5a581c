"""The validation set is frozen at the first search and compared at every later one."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.errors import DataError
from autoqa.store.run_folder import Part, RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import check_validation, fingerprint, keep_validation
from autoqa.types import Answer, Example
from tests.store.damage import zero_half

ROWS = [
    Example(f"q{n}", "कौन?", f"राम {n} ने", (Answer("राम", 0),), "hi", f"d{n}", "chaii")
    for n in range(10)
]
PUBLIC, PRIVATE = ROWS[:4], ROWS[4:]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "small")
    made.create()
    return made


@pytest.fixture
def store(folder: RunFolder):
    with Store(folder.store_url(), "small") as store:
        store.save_study('name = "small"')
        yield store


def test_is_the_same_on_every_machine() -> None:
    assert fingerprint(PUBLIC, PRIVATE) == "85fb0e0dc212"


@given(st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    public, private = list(PUBLIC), list(PRIVATE)
    random.Random(seed).shuffle(public)
    random.Random(seed).shuffle(private)
    assert fingerprint(public, private) == fingerprint(PUBLIC, PRIVATE)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "other"},
        {"question": "क्या?"},
        {"context": "राम 0 ने कहा"},
        {"answers": ()},
        {"answers": (Answer("राम", 0), Answer("0", 4))},
        {"language": "mr"},
        {"document": "d9"},
    ],
)
def test_every_change_of_a_row_matters(changes) -> None:
    changed = [replace(PUBLIC[0], **changes), *PUBLIC[1:]]
    assert fingerprint(changed, PRIVATE) != fingerprint(PUBLIC, PRIVATE)


def test_parts_matter_and_the_name_of_the_source_does_not() -> None:
    mark = fingerprint(PUBLIC, PRIVATE)
    assert fingerprint(PRIVATE, PUBLIC) != mark
    assert fingerprint(PUBLIC[1:], [*PRIVATE, PUBLIC[0]]) != mark
    assert fingerprint([replace(row, source="other") for row in PUBLIC], PRIVATE) == mark


def test_the_first_search_freezes_and_later_ones_compare(folder: RunFolder, store: Store) -> None:
    check_validation(folder, store, PUBLIC, PRIVATE)
    keep_validation(folder, store, PUBLIC, PRIVATE)
    assert store.validation_fingerprint() == fingerprint(PUBLIC, PRIVATE)
    assert folder.load_examples("public") == PUBLIC
    check_validation(folder, store, PUBLIC[::-1], PRIVATE)
    keep_validation(folder, store, PUBLIC[::-1], PRIVATE)
    assert folder.load_examples("public") == PUBLIC
    changed = [replace(PUBLIC[0], answers=()), PUBLIC[1], replace(PUBLIC[2], id="new")]
    with pytest.raises(DataError) as caught:
        check_validation(folder, store, changed, PRIVATE)
    assert (
        "not the one that study 'small' began with (public: of 4 questions 2 gone, 1 changed, "
        "1 new; private: of 6 questions 0 gone, 0 changed, 0 new), so scores could not be compared"
    ) in str(caught.value)
    assert folder.load_examples("public") == PUBLIC


def test_a_machine_without_the_files_knows_it_by_the_database(
    folder: RunFolder, store: Store, tmp_path: Path
) -> None:
    keep_validation(folder, store, PUBLIC, PRIVATE)
    elsewhere = RunFolder(tmp_path / "elsewhere")
    elsewhere.create()
    with pytest.raises(DataError, match="began with, so scores"):
        check_validation(elsewhere, store, PUBLIC[1:], PRIVATE)
    check_validation(elsewhere, store, PUBLIC, PRIVATE)
    keep_validation(elsewhere, store, PUBLIC, PRIVATE)
    assert elsewhere.load_examples("public") == PUBLIC


def test_a_search_that_died_between_the_files_and_the_database(
    folder: RunFolder, store: Store
) -> None:
    folder.save_examples("public", PUBLIC)
    check_validation(folder, store, PUBLIC[1:], PRIVATE)  # half a set is none
    folder.save_examples("private", PRIVATE)
    with pytest.raises(DataError, match="of 4 questions 1 gone"):
        check_validation(folder, store, PUBLIC[1:], PRIVATE)
    keep_validation(folder, store, PUBLIC, PRIVATE)
    assert store.validation_fingerprint() == fingerprint(PUBLIC, PRIVATE)


@pytest.mark.parametrize("part", ["public", "private"])
@pytest.mark.parametrize("lost", [False, True])
def test_damaged_files_are_written_again(
    folder: RunFolder, store: Store, part: Part, lost: bool
) -> None:
    keep_validation(folder, store, PUBLIC, PRIVATE)
    path = folder.examples_path(part)
    whole = path.read_bytes()
    zero_half(path)
    with pytest.raises(DataError, match=rf"{part}\.jsonl is damaged .*: `autoqa search "):
        folder.example_digests(part)
    if lost:  # the database, too: then the checksum beside the file is all there is
        with Store("sqlite://", "small") as store:
            store.save_study('name = "small"')
            with pytest.raises(DataError, match="damaged, and the data are not those"):
                check_validation(folder, store, PUBLIC[1:], PRIVATE[1:])
            check_validation(folder, store, PUBLIC, PRIVATE)
            keep_validation(folder, store, PUBLIC, PRIVATE)
    else:
        with pytest.raises(DataError, match="not the one that study 'small' began with"):
            check_validation(folder, store, PUBLIC[1:], PRIVATE)
        check_validation(folder, store, PUBLIC, PRIVATE)
        keep_validation(folder, store, PUBLIC, PRIVATE)
    assert path.read_bytes() == whole


def test_files_without_checksums_are_used_as_they_were(folder: RunFolder, store: Store) -> None:
    keep_validation(folder, store, PUBLIC, PRIVATE)
    for path in folder.validation.rglob("*.sha256"):
        path.unlink()
    check_validation(folder, store, PUBLIC, PRIVATE)
    assert folder.load_examples("public") == PUBLIC
