"""A study and a bundle that autoqa 0.1.0 wrote still open, and say what they said then.

Only the command line and ``autoqa.load`` are used, on a copy; ``golden/README.md`` says what is
compared with what, and what may differ.
"""

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import autoqa
from tests.conftest import Run

GOLDEN = Path(__file__).parent / "golden"
EXPECTED = GOLDEN / "expected"
TOLERANCE = 1e-6
"""Of scores that come out of a forward pass, which processors round differently."""


def text(name: str) -> str:
    return (EXPECTED / name).read_text(encoding="utf-8")


def processor() -> str:
    """What decides how sums are rounded: PyTorch's version, and which instructions it uses."""
    return f"torch {torch.__version__.partition('+')[0]}, {torch.backends.cpu.get_cpu_capability()}"


def settled(manifest: bytes) -> str:
    """A manifest's text without moment, versions, and the digest over them."""
    content = manifest.decode()
    for key in ("digest", "created", "autoqa"):
        content, count = re.subn(rf'(\n  "{key}": )"[^"]*"', r'\1"*"', content)
        assert count == 1, key
    for key in ("versions", "README.md"):  # the card has columns of metrics that came later
        content, count = re.subn(rf'(\n +"{key}": )\{{[^}}]*\}}', r"\1{}", content)
        assert count == 1, key
    return content


LATER = ("metric", "squad2", "mlqa", "character-f1", "anls")
"""Keys of scores that 0.1.0 did not have."""


def without_later(output: str) -> str:
    """What a command printed, or a manifest, without scores by metrics that came later."""

    def strip(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: strip(each) for key, each in value.items() if key not in LATER}
        return [strip(each) for each in value] if isinstance(value, list) else value

    return json.dumps(strip(json.loads(output)), ensure_ascii=False, indent=2) + "\n"


def printed(result: tuple[int, str, str]) -> tuple[int, str, str]:
    code, out, err = result
    return code, without_later(out), err


def card_without_later(card: str) -> str:
    """A model card without columns of metrics that came later."""
    lines = []
    for line in card.split("\n"):
        if line.startswith(("| part |", "|---|---|---|---|---|---|", "| public (", "| private (")):
            line = "|".join(line.split("|")[:6]) + "|"
        lines.append(re.sub(r"(, exact match, F1), F1 of .*\.$", r"\1.", line))
    return "\n".join(lines)


def close_to(rows: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    """Whether answers and places are equal, and scores nearly."""
    assert [row.pop("score") for row in rows] == pytest.approx(
        [row.pop("score") for row in expected], abs=TOLERANCE
    )
    return rows == expected


def test_the_leaderboard(golden: Path, run: Run) -> None:
    assert printed(run("leaderboard", "golden", "--json")) == (0, text("leaderboard.json"), "")
    code, out, _ = run("leaderboard", "golden")
    assert (code, out) == (0, text("leaderboard.txt"))
    comparison = run("leaderboard", "golden", "--compare", "t0000-100", "t0001-100", "--json")
    assert comparison == (0, text("comparison.json"), "")
    reads = json.loads(run("leaderboard", "golden", "--json")[1])["public_reads"]
    assert reads == json.loads(text("leaderboard.json"))["public_reads"]  # it was made then, too


def test_select_writes_the_same_selection(golden: Path, run: Run) -> None:
    path = golden / "searched" / "golden" / "selection.json"
    then = path.read_bytes()
    path.unlink()
    code, out, _ = run("select", "golden", "--json")
    assert (code, out.encode()) == (0, then)
    assert path.read_bytes() == then


def test_select_explains_the_same(golden: Path, run: Run) -> None:
    code, out, _ = run("select", "golden", "--explain", "--json")
    assert (code, out) == (0, text("explanation.json"))


def test_rules_come_out_the_same(golden: Path, run: Run) -> None:
    path = golden / "searched" / "golden" / "postprocess.json"
    then = path.read_bytes()
    path.unlink()
    code, out, _ = run("postprocess", "test", "golden", "--json")
    assert (code, out) == (0, text("rules.json"))
    assert path.read_bytes() == then
    assert json.loads(out)["rules"], "a rule is on, so that the bundle has one"


def test_export_writes_the_same_bundle(golden: Path, run: Run) -> None:
    code, _, err = run("export", "golden", "--to", "again")
    assert code == 0, err
    assert "Selecting" not in err, "the stored selection is taken"
    assert "nothing was opened" in err, "the stored private score is found"
    written = {path.relative_to("again") for path in Path("again").rglob("*") if path.is_file()}
    then = {path.relative_to("exported") for path in Path("exported").rglob("*") if path.is_file()}
    assert written == then
    manifest = Path("manifest.json")
    card = Path("README.md")
    made_card = (Path("again") / card).read_text(encoding="utf-8")
    assert card_without_later(made_card) == (Path("exported") / card).read_text(encoding="utf-8")
    for path in sorted(then - {manifest, card}):
        assert (Path("again") / path).read_bytes() == (Path("exported") / path).read_bytes(), path
    made = (Path("again") / manifest).read_bytes()
    rewritten = without_later(made.decode()).encode()
    assert settled(rewritten) == settled((Path("exported") / manifest).read_bytes())
    digest = json.loads(made)["digest"]
    blank = made.replace(digest.encode(), b"0" * 64, 1)
    assert hashlib.sha256(blank).hexdigest() == digest


def test_reveal_shows_the_same(golden: Path, run: Run) -> None:
    code, out, err = run("reveal", "golden", "--reason", "test", "--json")
    assert (code, without_later(out)) == (0, text("revealed.json"))
    assert "This is opening 2" in err
    code, out, _ = run("leaderboard", "golden", "--json")
    assert json.loads(out)["private_openings"] == 2


def test_the_bundle_answers_the_same(golden: Path, run: Run) -> None:
    code, out, err = run("predict", "exported", "data/exam.csv", "--quiet", "--format", "json")
    assert code == 0, err
    answers = json.loads(out)
    assert close_to(answers, json.loads(text("answers.json")))
    code, out, _ = run("predict", "exported", "data/exam.csv", "--quiet")
    assert (code, out) == (0, text("answers.csv"))
    ensemble = autoqa.load("exported")
    with Path("data/exam.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:6]
    for row, answer in zip(rows, json.loads(text("answers.json")), strict=False):
        # The command goes by the language column; Python has the script of the context.
        prediction = ensemble(question=row["question"], context=row["context"])
        assert prediction.answer == answer["answer"]
        assert (prediction.start, prediction.end) == (answer["start"], answer["end"])
        assert prediction.score == pytest.approx(answer["score"], abs=TOLERANCE)


def test_the_bundle_scores_the_same(golden: Path, run: Run) -> None:
    code, out, _ = run("evaluate", "exported", "data/exam.csv", "--json", "--quiet")
    assert (code, without_later(out)) == (0, text("evaluated.json"))


def test_the_search_is_over(golden: Path, run: Run) -> None:
    candidates = golden / "searched" / "golden" / "candidates"
    then = sorted(path.name for path in candidates.iterdir())
    code, out, err = run("search", "study.toml", "--json")
    assert (code, out) == (0, text("searched.json"))
    assert "starts on worker" not in err
    assert sorted(path.name for path in candidates.iterdir()) == then
    code, out, _ = run("leaderboard", "golden", "--json")
    assert (code, without_later(out)) == (0, text("leaderboard.json"))


def test_a_longer_search_goes_on_from_the_old_trials(golden: Path, run: Run) -> None:
    finished = json.loads(text("searched.json"))
    code, out, err = run("search", "study.toml", "--json", "--trials", "8")
    assert code == 0, err
    result = json.loads(out)
    assert result["finished"] == finished["finished"] + 1
    assert (result["failed"], result["reasons"]) == (finished["failed"], finished["reasons"])
    assert err.count("starts on worker") == 1


def test_dropped_weights_are_made_again(golden: Path, run: Run) -> None:
    run_folder = golden / "searched" / "golden"
    record = next(iter(sorted(run_folder.glob("candidates/*/dropped.json"))))
    name, dropped = record.parent.name, json.loads(record.read_text())
    code, out, err = run("retrain", "golden", name, "--quiet")
    if code and processor() != text("processor.txt").strip():
        assert (code, out) == (2, "")
        assert f"candidate {name} came out different" in " ".join(err.split())
        return
    assert code == 0, err
    assert f"{name}: trained again" in out
    weights = (run_folder / "candidates" / name / "model" / "model.safetensors").read_bytes()
    assert hashlib.sha256(weights).hexdigest() == dropped["sha256"]


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_bundle_with_one_changed_byte(golden: Path, run: Run, command: str) -> None:
    weights = next(iter(sorted(Path("exported").glob("members/*/model.safetensors"))))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    code, out, err = run(command, "exported", "data/exam.csv", "--quiet")
    assert (code, out) == (1, "")
    assert " ".join(err.split()) == (
        f"Error: {weights} was changed after the bundle was written (its checksum differs): copy "
        "the bundle again from where it came, or export it again."
    )


def test_a_manifest_with_one_changed_byte(golden: Path, run: Run) -> None:
    manifest = Path("exported/manifest.json")
    content = manifest.read_bytes()
    manifest.write_bytes(content.replace(b'"study": "golden"', b'"study": "golder"'))
    code, out, err = run("predict", "exported", "data/exam.csv", "--quiet")
    assert (code, out) == (1, "")
    assert " ".join(err.split()) == (
        "Error: exported/manifest.json was changed after the bundle was written: copy the bundle "
        "again, or export it again."
    )
