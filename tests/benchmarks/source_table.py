"""A Parquet file with SQuAD's columns and texts of realistic lengths, and what is made of it.

``python -m tests.benchmarks.source_table autoqa FILE`` reads one in a process of its own and prints
JSON: rows, seconds of the processor, and the most MiB that were resident; ``datasets`` in place of
``autoqa`` does the same by the usual practice.
"""

import json
import random
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from autoqa.api import Answer, Example, RowOptions, examples_from, read_rows

from .memory_status import status

QUESTIONS = 5
"""About each context, as in SQuAD."""

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "title": pa.string(),
        "context": pa.string(),
        "question": pa.string(),
        "answers": pa.struct({"text": pa.list_(pa.string()), "answer_start": pa.list_(pa.int32())}),
    }
)


def write_table(path: Path, rows: int) -> None:
    """Writes contexts of about 600 characters, with five questions each."""
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(5000)]
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for begin in range(0, rows, 10_000):
            batch = []
            for number in range(begin, min(begin + 10_000, rows)):
                if number % QUESTIONS == 0:
                    context = " ".join(rng.choices(words, k=92))
                start = context.index(" ", rng.randint(0, len(context) - 60)) + 1
                answer = context[start : start + rng.randint(4, 25)].strip()
                batch.append(
                    {
                        "id": f"{number:08x}",
                        "title": f"Article {number // 200}",
                        "context": context,
                        "question": " ".join(rng.choices(words, k=9)) + "?",
                        "answers": {"text": [answer], "answer_start": [start]},
                    }
                )
            writer.write_table(pa.Table.from_pylist(batch, SCHEMA))


def by_autoqa(path: Path) -> list[Example]:
    return examples_from(read_rows(path), RowOptions(language="en"), path.name)


def by_datasets(path: Path, cache: Path) -> list[Example]:
    """Row by row, from a cache that ``datasets`` has prepared; nothing is checked."""
    import datasets

    datasets.disable_progress_bars()
    table = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(cache)
    )
    examples = []
    for row in table:
        answers = zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
        placed = tuple(Answer(text, start) for text, start in answers)
        examples.append(
            Example(row["id"], row["question"], row["context"], placed, "en", row["title"])
        )
    return examples


def main() -> None:
    path = Path(sys.argv[2])
    begin = time.process_time()
    if sys.argv[1] == "autoqa":
        examples = by_autoqa(path)
    else:
        examples = by_datasets(path, path.parent / "prepared")
    seconds = time.process_time() - begin
    print(json.dumps({"rows": len(examples), "seconds": seconds, "peak": status("VmHWM")}))


if __name__ == "__main__":
    main()
