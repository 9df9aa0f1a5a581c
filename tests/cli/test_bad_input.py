"""Damaged bundles and bad rows, from the outside: sentence, exit code, what is answered."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import bundle_kit
from tests.bundle.test_manifest import signed
from tests.conftest import Run


def _tampered(bundle: Path) -> None:
    weights = next(bundle.glob("members/*/model.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


def _without_member(bundle: Path) -> None:
    shutil.rmtree(next(bundle.glob("members/*")))


def _next_version(bundle: Path) -> None:
    manifest = bundle / "manifest.json"
    manifest.write_bytes(signed(json.loads(manifest.read_bytes()) | {"format": "3.0"}))


def _escaping(bundle: Path) -> None:
    manifest = bundle / "manifest.json"
    content = json.loads(manifest.read_bytes())
    content["files"]["../outside.json"] = content["files"]["README.md"]
    manifest.write_bytes(signed(content))


@pytest.mark.parametrize(
    "damage, expected",
    [
        (_tampered, "model.safetensors was changed after the bundle was written"),
        (_without_member, "is missing from the bundle: copy the bundle again"),
        (_next_version, "has format 3.0, but this autoqa reads 1.x and 2.x: install an autoqa"),
        (_escaping, "path '../outside.json' must be relative, below the bundle"),
    ],
)
@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_damaged_bundle_answers_nothing(
    bundle: Path,
    tmp_path: Path,
    run: Run,
    damage: Callable[[Path], None],
    expected: str,
    command: str,
) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "copy"))
    damage(copy)
    rows = bundle_kit.write_squad(tmp_path / "rows.json", bundle_kit.examples(2))
    code, out, err = run(command, copy, rows)
    assert (code, out) == (1, "")
    assert expected in err
    assert str(copy) in err
    assert "Traceback" not in err


GOOD = {"id": "good", "question": "Where does Ada live ?", "context": "Ada lives in Rome ."}
SECOND = {"id": "second", "question": "Where ?", "context": "Ada lives in Oslo ."}

BAD = [
    ({"id": "x", "question": "q"}, "context is missing; the row has id, question"),
    ({"id": "good", "question": "q", "context": "c"}, "the id 'good' was already used in "),
    ({"id": "x", "question": "", "context": "c"}, "question is empty"),
    (
        b'{"id": "x", "question": "q", "context": "\xc3("}',
        "context holds the byte 0xc3, which is not UTF-8",
    ),
]


@pytest.mark.parametrize("bad, expected", BAD)
def test_a_bad_row_is_named_and_the_good_ones_answered_on_request(
    bundle: Path, tmp_path: Path, run: Run, bad: bytes | dict[str, str], expected: str
) -> None:
    line = bad if isinstance(bad, bytes) else json.dumps(bad).encode()
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(b"\n".join([json.dumps(GOOD).encode(), line, json.dumps(SECOND).encode()]))
    code, out, err = run("predict", bundle, rows)
    assert (code, out) == (2, "")
    assert f"{rows}:2: {expected}" in err
    code, out, err = run("predict", bundle, rows, "--skip-bad", "--format", "jsonl", "--quiet")
    assert code == 1
    answers = {row["id"]: row["answer"] for row in map(json.loads, out.splitlines())}
    between = ["x"] if b'"x"' in line else []
    assert list(answers) == ["good", *between, "second"]
    assert answers.get("x", "") == ""
    assert f"{rows}:2: {expected}" in err
    assert len(err.splitlines()) == 1


def test_a_context_of_a_megabyte_is_answered(bundle: Path, tmp_path: Path, run: Run) -> None:
    context = ("Rome" * 50 + " ") * 5_000
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"question": "Where ?", "context": context}))
    code, out, err = run("predict", bundle, rows, "--format", "json")
    assert code == 0
    (found,) = json.loads(out)
    assert found["answer"]
    assert found["answer"] in context[found["start"] : found["end"]]
    assert err.splitlines()[-1].startswith("1 question, ")


def test_where_all_rows_are_bad_nothing_is_answered(bundle: Path, tmp_path: Path, run: Run) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("question,context\n,c\n")
    code, out, err = run("predict", bundle, rows, "--skip-bad")
    assert (code, out) == (1, "id,answer\n1,\n")
    assert err == f"Error: {rows}:2: question is empty.\n"
