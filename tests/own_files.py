"""Three small files of unlike formats, about invented towns: what docs/own-data.md begins with."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from autoqa.config.problems import parse
from autoqa.registry import discover
from autoqa.types import Example


def demo_rows(**options: Any) -> list[Example]:
    spec = discover().source("demo", "tests")
    bound, problems = parse(spec.options, options)
    assert not problems
    return list(spec.load(bound))


def write_files(folder: Path) -> None:
    """``faq.csv``, ``handbook.json`` and ``hindi.jsonl``; and ``test.csv``, put aside."""
    write_table(folder / "faq.csv", demo_rows(languages=["en"], documents=60, seed=5))
    write_articles(folder / "handbook.json", demo_rows(languages=["en"], documents=30, seed=6))
    write_lines(folder / "hindi.jsonl", demo_rows(languages=["hi"], documents=15, seed=7))
    write_table(folder / "test.csv", demo_rows(languages=["en"], documents=3, seed=8))


def write_table(path: Path, rows: list[Example]) -> None:
    """As a spreadsheet of Europe exports it: semicolons, a byte order mark, names of its own."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["No", "Asked", "Article", "Reply"])
        for number, row in enumerate(rows, start=1):
            writer.writerow([number, row.question, row.context, row.answers[0].text])


def write_articles(path: Path, rows: list[Example]) -> None:
    """As SQuAD 1.1."""
    documents = defaultdict(list)
    for row in rows:
        documents[row.document].append(row)
    articles = [
        {
            "title": title,
            "paragraphs": [{"context": below[0].context, "qas": [_squad(row) for row in below]}],
        }
        for title, below in documents.items()
    ]
    path.write_text(json.dumps({"version": "1.1", "data": articles}), encoding="utf-8")


def _squad(row: Example) -> dict[str, Any]:
    answers = [{"text": each.text, "answer_start": each.start} for each in row.answers]
    return {"id": row.id, "question": row.question, "answers": answers}


def write_lines(path: Path, rows: list[Example]) -> None:
    """As ``Dataset.to_json`` of the package datasets."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            answers = {
                "text": [each.text for each in row.answers],
                "answer_start": [each.start for each in row.answers],
            }
            line = {
                "id": row.id,
                "context": row.context,
                "question": row.question,
                "answers": answers,
                "language": row.language,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
