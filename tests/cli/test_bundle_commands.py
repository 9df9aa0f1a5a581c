"""select, export, predict, evaluate from the outside: output, messages, exit codes."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autoqa.cli.main import main
from tests import bundle_kit

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; returns exit code, stdout and stderr."""

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(caught.value.code or 0), captured.out, captured.err

    return command


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, with one finished study."""
    home = tmp_path_factory.mktemp("runs")
    bundle_kit.write_run(home)
    return home


@pytest.fixture(autouse=True)
def _environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(home))


@pytest.fixture(scope="module")
def bundle(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("bundles") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(home))
        with pytest.raises(SystemExit) as caught:
            main(["export", "toy", "--to", str(target)])
    assert not caught.value.code
    return target


QUESTIONS = "id,question,context\n1,Where does Ada live ?,Ada lives in Rome .\n"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text(QUESTIONS)
    return path


def test_predict_writes_rows_of_id_and_answer(bundle: Path, questions: Path, run: Run) -> None:
    code, out, err = run("predict", bundle, questions)
    assert (code, err) == (0, "")
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["id", "answer"]
    assert rows[1][0] == "1"
    assert rows[1][1] in "Ada lives in Rome ."


def test_all_formats_hold_the_same_answers(
    bundle: Path, questions: Path, tmp_path: Path, run: Run
) -> None:
    listed = json.loads(run("predict", bundle, questions, "--format", "json")[1])
    lines = run("predict", bundle, questions, "--format", "jsonl")[1].splitlines()
    assert [json.loads(line) for line in lines] == listed
    assert set(listed[0]) == {"id", "answer", "start", "end", "score"}
    output = tmp_path / "out.csv"
    assert run("predict", bundle, questions, "--output", output)[:2] == (0, "")
    assert output.read_text() == f"id,answer\n1,{listed[0]['answer']}\n"


def test_a_bad_row_stops_predict_unless_it_is_skipped(
    bundle: Path, questions: Path, run: Run
) -> None:
    good = run("predict", bundle, questions)[1]
    with questions.open("a") as file:
        file.write(f"2,,c\n3,{'why ' * 40},c\n")
    code, out, err = run("predict", bundle, questions)
    assert (code, out) == (2, "")
    assert "line 3: question is empty" in err
    code, out, err = run("predict", bundle, questions, "--skip-bad")
    assert (code, out) == (1, good)
    assert "line 3: question is empty" in err
    assert "id 3: the question has 40 tokens" in err


@pytest.mark.parametrize(
    "arguments, code, expected",
    [
        (("{bundle}", "none.csv"), 2, "none.csv does not exist"),
        (("none", "{questions}"), 1, "none is no bundle"),
        (("{bundle}", "{questions}", "--output", "no/such/file"), 2, "--output no/such/file"),
        (("{bundle}", "{questions}", "--format", "xml"), 2, "xml"),
    ],
)
def test_predict_refuses(
    bundle: Path, questions: Path, run: Run, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    filled = [a.format(bundle=bundle, questions=questions) for a in arguments]
    found, out, err = run("predict", *filled)
    assert (found, out) == (code, "")
    assert expected in err
    assert "Traceback" not in err


def test_awkward_answers_survive_the_trip(tmp_path: Path) -> None:
    from autoqa.export.answers import render_answers
    from autoqa.export.predictor import Prediction
    from autoqa.export.rows import Row

    texts = ['say "hi", now', "two\nlines", "a\rb", "", "नमस्ते", "a,b"]
    rows = [Row(f"{n},", "q", "c") for n in range(len(texts))]
    found = [Prediction(text, 0, len(text), 0.5) for text in texts]
    written = render_answers(rows, found, "csv")
    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        ["id", "answer"],
        *([row.id, text] for row, text in zip(rows, texts, strict=True)),
    ]
    assert [item["answer"] for item in json.loads(render_answers(rows, found, "json"))] == texts


def test_evaluate_scores_and_agrees_with_itself(bundle: Path, tmp_path: Path, run: Run) -> None:
    path = bundle_kit.write_squad(tmp_path / "gold.json", bundle_kit.examples(10))
    code, out, _ = run("evaluate", bundle, path, "--json")
    assert code == 0
    scores = json.loads(out)
    assert scores["n"] == 10
    assert scores["low"] <= scores["jaccard"] <= scores["high"]
    assert scores["half_width"] == pytest.approx((scores["high"] - scores["low"]) / 2)
    parts = scores["by_language"]
    assert set(parts) == {"en", "hi"}
    mean = sum(part["n"] * part["jaccard"] for part in parts.values()) / 10
    assert mean == pytest.approx(scores["jaccard"])
    code, out, _ = run("evaluate", bundle, path)
    assert code == 0
    assert f"{scores['jaccard']:.3f} ± {scores['half_width']:.3f}" in out


def test_evaluate_needs_answers(bundle: Path, questions: Path, run: Run) -> None:
    code, out, err = run("evaluate", bundle, questions)
    assert (code, out) == (2, "")
    assert "line 2: no answers to compare with" in err
