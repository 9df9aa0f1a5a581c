"""How fast a Parquet file with SQuAD's columns becomes examples, and in how much memory.

``source_rows`` is ``datasets`` iterated row by row to the same examples, from a cache that it has
prepared before, against ``examples_from(read_rows(...))``, which looks at every offset besides; CPU
time, in turns. Memory is that of a fresh process each. ``SOURCE_ROWS`` says how many rows; a
million is what the results tell of.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .harness import Comparison, compare, record
from .source_table import by_autoqa, by_datasets, write_table

ROWS = int(os.environ.get("SOURCE_ROWS", "200000"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "train.parquet"
    write_table(path, ROWS)
    return path


def test_source_rows(table: Path) -> None:
    compare(
        "source_rows",
        lambda: by_datasets(table, table.parent / "prepared"),
        lambda: by_autoqa(table),
        rounds=3,
        unit="rows/s",
        equal=lambda theirs, ours: theirs == ours,
        amount=len,
        clock=time.process_time,
    )


def test_source_rows_memory(table: Path) -> None:
    peaks = {}
    for which in ("datasets", "autoqa"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.source_table", which, str(table)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks[which] = json.loads(done.stdout.splitlines()[-1])["peak"]
    a, b = peaks["datasets"], peaks["autoqa"]
    print(f"\nsource_rows_memory, {ROWS:,} rows: datasets {a:,.0f} MiB, autoqa {b:,.0f} MiB")
    record(
        Comparison(
            name="source_rows_memory", ratio=round(a / b, 2), a=a, b=b, unit="MiB", equal=True,
            rounds=1,
        )
    )  # fmt: skip
