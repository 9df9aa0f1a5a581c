"""docs/own-data.md: exactly its commands, in a fresh folder, from three files to a bundle."""

import csv
import json
import tomllib
from pathlib import Path

import pytest

from tests.docs_kit import PAGES, blocks_of, commands, run, walk
from tests.own_files import write_files

PAGE = "docs/own-data.md"
MOST_COMMANDS = 12


def shown() -> list[str]:
    found = [block for block in blocks_of(PAGE) if block.when == "in order"]
    assert all(block.language == "console" and not block.file for block in found)
    return [command for block in found for command, _ in commands(block)]


def test_twelve_commands_are_enough() -> None:
    assert all(command.startswith("autoqa ") for command in shown())
    assert len(shown()) <= MOST_COMMANDS


def test_the_study_file_is_shown_as_it_is_written(tmp_path: Path) -> None:
    write_files(tmp_path)
    done = run(shown()[0], tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "towns.toml").read_text(encoding="utf-8")
    block = PAGES[PAGE].partition("```toml\n")[2].partition("```")[0]
    assert tomllib.loads(block) == tomllib.loads(written)
    assert block == written


@pytest.mark.slow
def test_three_files_become_a_bundle_and_a_report(tmp_path: Path) -> None:
    write_files(tmp_path)
    taken = walk(PAGE, tmp_path)
    print(*(f"\n{seconds:6.1f} s  {command}" for command, seconds in taken))
    print(f"{sum(seconds for _, seconds in taken):6.1f} s  all {len(taken)}")
    assert "<html" in (tmp_path / "report.html").read_text(encoding="utf-8")

    column = "--column id=No --column question=Asked --column context=Article"
    done = run(f"autoqa predict bundle test.csv {column} --format jsonl", tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    answers = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
    with (tmp_path / "test.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert list(answers) == [row["No"] for row in rows]
    for row in rows:
        found = answers[row["No"]]
        assert found["answer"]
        assert row["Article"][found["start"] : found["end"]] == found["answer"]
    right = sum(row["Reply"] == answers[row["No"]]["answer"] for row in rows)
    assert right, "none of the answers is right: nothing was learned"
