"""Tables that are read by columns: the same rows as those that are read as objects."""

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.reading.formats import read_rows, rows_from
from autoqa.reading.plain_table import is_plain_table

ANSWERS = pa.struct({"text": pa.list_(pa.string()), "answer_start": pa.list_(pa.int32())})
SQUAD = {
    "id": pa.string(),
    "title": pa.string(),
    "context": pa.string(),
    "question": pa.string(),
    "answers": ANSWERS,
}

TEXT = st.none() | st.sampled_from(["", " ", "a", "Palani", "पलानी", "1"])
STARTS = st.none() | st.integers(-1, 9)
LISTS = st.lists(st.tuples(TEXT, STARTS), max_size=3)
REFERENCES = st.none() | st.builds(
    lambda pairs, short: {
        "text": [text for text, _ in pairs],
        "answer_start": None if short else [start for _, start in pairs],
    },
    LISTS,
    st.booleans(),
)
ROW = st.fixed_dictionaries(
    {"id": TEXT, "title": TEXT, "context": TEXT, "question": TEXT, "answers": REFERENCES}
)


def write(path: Path, rows: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(schema)), path)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=6))
def test_rows_are_those_of_objects(rows: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        write(path, rows, SQUAD)
        assert is_plain_table(path)
        assert list(read_rows(path)) == list(rows_from(rows, str(path)))


@pytest.mark.parametrize(
    "change",
    [
        {"extra": pa.string()},
        {"document": pa.string()},
        {"id": pa.int64()},
        {"answers": pa.list_(pa.string())},
        {"answers": pa.struct({"text": pa.string(), "answer_start": pa.int32()})},
    ],
    ids=str,
)
def test_what_is_no_plain_table(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "rows.parquet"
    write(path, [], SQUAD | change)
    assert not is_plain_table(path)


def test_a_file_cut_short_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    write(path, [{"id": "1"}], SQUAD)
    path.write_bytes(path.read_bytes()[:-20])
    assert not is_plain_table(path)
    assert not is_plain_table(tmp_path)
    assert not is_plain_table(tmp_path / "absent")
