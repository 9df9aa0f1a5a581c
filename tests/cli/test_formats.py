"""Files of every format, through the commands that read them: the same rows, the same ids."""

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.reading.formats_kit import FORMATS
from tests.toy_study import write_study


def named(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study that trains on one source of each format."""
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path)
    tables, portions = "", ""
    for name, written in FORMATS.items():
        folder = tmp_path / named(name)
        folder.mkdir()
        offsets = "" if written.starts else 'offsets = "first"\n'
        tables += (
            f'[sources.{named(name)}]\ntype = "file"\npath = "{written.write(folder)}"\n'
            f'language = "en"\n{offsets}'
        )
        portions += f', {{ source = "{named(name)}" }}'
    text = study.read_text().replace("[backbones.toy]", f"{tables}[backbones.toy]")
    study.write_text(text.replace('{ source = "train" }', f'{{ source = "train" }}{portions}'))
    return study


def test_audit_and_search_read_every_format(study: Path, run: Run) -> None:
    code, out, err = run("data", "audit", study, "--json")
    assert code == 0, err
    audited = {source["name"]: source for source in json.loads(out)["sources"]}
    code, out, err = run("search", study, "--dry-run", "--json")
    assert code == 0, err
    planned = json.loads(out)["sources"]
    for name, written in FORMATS.items():
        source, expected = audited[named(name)], written.expected()
        assert (source["rows"], source["unreadable"]) == (len(expected), ""), name
        assert source["unanswerable"] == sum(not fact.answer for fact in expected), name
        languages = Counter(fact.language or "en" for fact in expected)
        assert planned[named(name)] == languages, name
    code, _, err = run("search", study, "--trials", "1", "--quiet")
    assert code == 0, err


@pytest.mark.parametrize("name", FORMATS)
def test_predict_and_evaluate_read_every_format(
    name: str, bundle: Path, tmp_path: Path, run: Run
) -> None:
    written = FORMATS[name]
    path, expected = written.write(tmp_path), written.expected()
    code, out, err = run("predict", bundle, path, "--quiet")
    assert code == 0, err
    assert [row["id"] for row in csv.DictReader(io.StringIO(out))] == [f.id for f in expected]
    code, out, err = run("evaluate", bundle, path, "--json", "--quiet")
    assert code == 0, err
    assert json.loads(out)["n"] == len(expected)
