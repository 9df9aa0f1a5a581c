"""Which weights stay within a quota."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.errors import DataError
from autoqa.store.candidate_record import CandidateRecord, group_alone
from autoqa.store.run_folder import RunFolder
from autoqa.store.weight_quota import (
    WEIGHTS,
    by_need,
    checksum,
    drop,
    dropped,
    keep_within,
    restore,
    superseded,
)
from tests.store.test_study_tables import with_jaccard


def record(number: int, jaccard: float, group: str = "a") -> CandidateRecord:
    return with_jaccard(jaccard, id=f"t{number:04d}-100", group=group)


def write(folder: RunFolder, records: list[CandidateRecord], size: int = 100) -> None:
    for each in records:
        path = folder.model(each.id)
        path.mkdir(parents=True)
        (path / WEIGHTS).write_bytes(each.id.encode().ljust(size, b"."))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


def test_groups_take_turns_and_kept_ones_come_first() -> None:
    records = [record(0, 0.9), record(1, 0.8), record(2, 0.7), record(3, 0.1, "b")]
    names = by_need(records, {"t0002-100"})
    assert names == ["t0002-100", "t0000-100", "t0003-100", "t0001-100"]


def test_those_that_vote_alone_take_turns_as_one_kind() -> None:
    alone = [record(n, 0.9 - n / 10, group_alone("a", f"t{n:04d}-100")) for n in range(2)]
    assert by_need([*alone, record(3, 0.1, "b")]) == ["t0000-100", "t0003-100", "t0001-100"]


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abc"), st.booleans()), max_size=12),
)
def test_order_holds_everyone_once_and_is_sorted_within_a_group(
    rows: list[tuple[float, str, bool]],
) -> None:
    records = [record(i, score, group) for i, (score, group, _) in enumerate(rows)]
    kept = {each.id for each, row in zip(records, rows, strict=True) if row[2]}
    names = by_need(records, kept)
    assert sorted(names) == sorted(each.id for each in records)
    assert set(names[: len(kept)]) == kept
    scores = {each.id: each for each in records}
    for group in "abc":
        own = [scores[n].score for n in names if scores[n].group == group and n not in kept]
        assert own == sorted(own, reverse=True)


def test_the_least_needed_go_until_the_rest_fits(folder: RunFolder) -> None:
    records = [record(0, 0.9), record(1, 0.8), record(2, 0.7), record(3, 0.1, "b")]
    write(folder, records)
    before = checksum(folder.model("t0001-100") / WEIGHTS)
    assert keep_within(folder, records, 400) == []
    assert keep_within(folder, records, 250) == ["t0002-100", "t0001-100"]
    gone = dropped(folder, "t0001-100")
    assert gone is not None
    assert (gone.sha256, gone.size) == (before, 100)
    assert dropped(folder, "t0000-100") is None
    assert keep_within(folder, records, 250) == []


def test_neither_the_best_nor_kept_ones_go_however_small_the_quota(folder: RunFolder) -> None:
    records = [record(0, 0.9), record(1, 0.8), record(2, 0.7)]
    write(folder, records)
    assert keep_within(folder, records, 0, {"t0002-100"}) == ["t0001-100", "t0000-100"]
    assert dropped(folder, "t0002-100") is None


def test_restored_weights_count_as_there(folder: RunFolder) -> None:
    records = [record(0, 0.9), record(1, 0.8)]
    write(folder, records)
    keep_within(folder, records, 0)
    again = folder.path / "again"
    again.write_bytes(b"t0001-100".ljust(100, b"."))
    restore(folder, "t0001-100", again)
    assert dropped(folder, "t0001-100") is None


@pytest.mark.parametrize("content", [None, "{", json.dumps({"sha": 1})])
def test_weights_that_nobody_dropped_are_missing(folder: RunFolder, content: str | None) -> None:
    write(folder, [record(0, 0.9)])
    (folder.model("t0000-100") / WEIGHTS).unlink()
    if content is not None:
        (folder.candidate("t0000-100") / "dropped.json").write_text(content)
    with pytest.raises(DataError, match=r"model.safetensors is missing, .* restore the run folder"):
        dropped(folder, "t0000-100")


def soup(number: int, jaccard: float, *ingredients: int) -> CandidateRecord:
    names = tuple(f"t{each:04d}-100" for each in ingredients)
    return with_jaccard(jaccard, id=f"soup-e5-{number:06x}", group="a", ingredients=names)


def test_what_a_better_soup_is_made_of_is_spare(folder: RunFolder) -> None:
    records = [record(0, 0.9), record(1, 0.8), record(2, 0.7), soup(1, 0.85, 0, 1, 2)]
    assert superseded(records) == {"t0001-100", "t0002-100"}
    assert superseded(records[:3]) == set()
    write(folder, records)
    assert keep_within(folder, records, 200) == ["t0002-100", "t0001-100"]
    assert dropped(folder, "soup-e5-000001") is None
    assert keep_within(folder, records, 100) == ["soup-e5-000001"], "within the quota as others"


def test_a_soup_whose_weights_are_gone_supersedes_nothing(folder: RunFolder) -> None:
    records = [record(0, 0.9), record(1, 0.8), soup(1, 0.95, 0, 1), record(2, 0.1)]
    write(folder, records)
    drop(folder, "soup-e5-000001")
    assert keep_within(folder, records, 200) == ["t0002-100"]
