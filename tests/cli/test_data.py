"""``autoqa data``: audit and leaks, from a study file on disk."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autoqa.cli.data import DATA, data
from autoqa.errors import ConfigError, DataError

STUDY = """
name = "towns"
[sources.exam]
type = "file"
path = "{folder}/exam.jsonl"
language = "ar"
[sources.more]
type = "file"
path = "{folder}/more.jsonl"
language = "en"
[backbones.e5]
type = "e5-small"
[recipe]
portions = [{{ source = "more" }}]
[validation]
source = "exam"
"""


def line(number: int, context: str, start: int = 0, answer: str = "") -> str:
    answers: dict[str, Any] = {"text": [answer], "answer_start": [start]}
    row = {"id": f"r{number}", "question": f"<b>Which {number}?</b>", "context": context}
    return json.dumps(row | {"answers": answers}, ensure_ascii=False) + "\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    exam = [line(n, f"تقع المدينة رقم {n} على النهر الكبير", 4, "المدينة") for n in range(9)]
    more = [line(100 + n, f"Town {n} lies far from any river.", 0, "Town") for n in range(9)]
    more.append(line(3, "تقع المدينة رقم 3 على النهر الكبير", 4, "المدينة"))
    (tmp_path / "exam.jsonl").write_text("".join(exam), encoding="utf-8")
    (tmp_path / "more.jsonl").write_text("".join(more), encoding="utf-8")
    path = tmp_path / "towns.toml"
    path.write_text(STUDY.format(folder=tmp_path), encoding="utf-8")
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(data, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_every_command_that_is_listed_exists() -> None:
    for name, (_, short) in DATA.items():
        assert short in run("--help")
        assert "STUDY" in run(name, "--help")


def test_leaks_name_both_rows(study: Path) -> None:
    shown = json.loads(run("leaks", study, "--json"))
    (leak,) = shown["removed"]
    assert (leak["source"], leak["id"]) == ("more", "r3")
    assert (leak["held_source"], leak["held"], leak["reason"]) == ("exam", "r3", "context")
    lines = run("leaks", study).splitlines()
    assert lines[0].startswith("left out of training")
    assert any(each.split()[:4] == ["1", "more", "r3", "context"] for each in lines)
    assert "kept, but another training source holds: nothing" in lines


def test_audit_as_table_json_and_page(study: Path, tmp_path: Path) -> None:
    with (tmp_path / "more.jsonl").open("a", encoding="utf-8") as file:
        file.write(line(900, "Nothing <i>here</i>.", 3, "Town"))
    page = tmp_path / "audit.html"
    table = run("audit", study, "--html", page)
    assert "more shares rows with exam: 1 by context" in table
    assert "study towns: sources 2, rows 20" in table
    assert table.splitlines()[-1] == f"{page}: a page with examples"
    found = json.loads(
        run("audit", study, "--json", "--source", "more", "--html", tmp_path / "more.html")
    )
    assert found["sources"][0]["findings"] == {"absent": 1, "offset": 1, "context_script": 1}
    html = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;Which 900?&lt;/b&gt;" in html
    assert "<b>Which" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert 'dir="auto"' in html


def test_audit_of_a_study_with_a_damaged_source(study: Path, tmp_path: Path) -> None:
    (tmp_path / "exam.jsonl").write_bytes(b"")
    result = CliRunner().invoke(data, ["audit", str(study), "--json"])
    assert result.exit_code == DataError.exit_code
    exam, more = json.loads(result.stdout)["sources"]
    assert exam["unreadable"] in result.stderr.replace("\n", " ")
    assert (more["rows"], more["unreadable"]) == (10, "")
    result = CliRunner().invoke(data, ["audit", str(study)])
    assert result.exit_code == DataError.exit_code
    assert "study towns: sources 2 (1 cannot be read), rows 10" in result.stdout


def test_bad_arguments(study: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--source 'exma': .* did you mean 'exam'"):
        run("audit", study, "--source", "exma")
    absent = tmp_path / "no" / "page.html"
    with pytest.raises(DataError, match=r"--html '.*page\.html' cannot be written: No such"):
        run("audit", study, "--html", absent)
