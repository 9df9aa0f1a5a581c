"""``predict`` with several answers, many documents, and for SQuAD's scripts."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

import autoqa
from autoqa.bundle.answer_files import render_answers, render_no_answers
from autoqa.bundle.documents import PASSAGES, Documents
from autoqa.bundle.input_rows import Row, read_answered
from autoqa.bundle.prediction import Prediction
from autoqa.cli.many_documents import _DEFAULT
from autoqa.scores.metrics import score_by
from tests import bundle_kit
from tests.conftest import Run

EXAMPLES = bundle_kit.examples(6)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [{"id": e.id, "question": e.question, "context": e.context} for e in EXAMPLES]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n, example in enumerate(bundle_kit.examples(12)):
        place = tmp_path / "texts" / f"part{n % 3}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{n}.txt").write_text(f"{example.context}\r\n", newline="")
    return tmp_path / "texts"


def test_the_default_is_that_of_python() -> None:
    assert _DEFAULT == PASSAGES


def test_top_k_stands_under_others(bundle: Path, questions: Path, run: Run) -> None:
    code, out, _ = run("predict", bundle, questions, "--top-k", "3", "--format", "jsonl")
    assert code == 0
    found = [json.loads(line) for line in out.splitlines()]
    plain = json.loads(run("predict", bundle, questions, "--format", "json")[1])
    assert [{k: v for k, v in each.items() if k != "others"} for each in found] == plain
    assert all(len(each["others"]) == 2 for each in found)
    expected = autoqa.load(bundle).predict(
        [Row(e.id, e.question, e.context) for e in EXAMPLES], top_k=3
    )
    assert found == [{"id": e.id, **p.to_dict()} for e, p in zip(EXAMPLES, expected, strict=True)]


def test_a_file_may_have_one_row_with_several_contexts(
    bundle: Path, tmp_path: Path, run: Run
) -> None:
    row = {"question": EXAMPLES[0].question, "context": [e.context for e in EXAMPLES]}
    for name, text in (("one.jsonl", json.dumps(row)), ("one.json", json.dumps(row, indent=1))):
        (tmp_path / name).write_text(text)
        code, out, err = run("predict", bundle, tmp_path / name, "--format", "jsonl")
        assert code == 0, err
        assert json.loads(out)["document"] in range(len(EXAMPLES))


def test_squads_scripts_get_one_object(
    bundle: Path, questions: Path, tmp_path: Path, run: Run
) -> None:
    code, out, _ = run("predict", bundle, questions, "--format", "squad")
    assert code == 0
    answers = dict(list(csv.reader(run("predict", bundle, questions)[1].splitlines()))[1:])
    assert json.loads(out) == answers
    gold = bundle_kit.write_squad(tmp_path / "gold.json", EXAMPLES)
    (tmp_path / "answers.json").write_text(out)
    scored = run("evaluate", gold, "--predictions", tmp_path / "answers.json", "--json")[1]
    assert json.loads(scored) == json.loads(run("evaluate", bundle, gold, "--json")[1])


def test_no_answer_probabilities_stand_by_id() -> None:
    found = [Prediction("a", 0, 1, 0.5, no_answer=0.25), Prediction("", 0, 0, 0.0)]
    assert json.loads(render_no_answers(["x", "y"], found)) == {"x": 0.25, "y": 1.0}
    assert json.loads(render_answers(["x", "y"], found, "squad")) == {"x": "a", "y": ""}


def test_a_bundle_that_knows_no_missing_answer_writes_none(
    bundle: Path, questions: Path, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "na.json"
    code, out, err = run("predict", bundle, questions, "--quiet", "--na-prob-file", path)
    assert (code, out) == (2, "")
    assert f"--na-prob-file {path}: the bundle was validated on no question without" in err
    assert not path.exists()


def test_a_folder_of_documents_answers_questions_without_contexts(
    bundle: Path, folder: Path, tmp_path: Path, run: Run
) -> None:
    path = tmp_path / "asked.csv"
    path.write_text("id,question\na,Where does Ada live ?\nb,Where does Dev live ?\n")
    code, out, err = run(
        "predict", bundle, path, "--documents", folder, "--format", "jsonl", "--top-k", "2"
    )
    assert code == 0
    assert "12 documents, 12 passages; all of them are read for each question" in err
    found = [json.loads(line) for line in out.splitlines()]
    rows = [
        Row(name, f"Where does {who} live ?", contexts=Documents.from_folder(folder))
        for name, who in (("a", "Ada"), ("b", "Dev"))
    ]
    expected = autoqa.load(bundle).predict(rows, top_k=2)
    assert found == [{"id": r.id, **p.to_dict()} for r, p in zip(rows, expected, strict=True)]
    for each in (inner for one in found for inner in (one, *one["others"])):
        text = (folder / each["document"]).read_bytes().decode()
        assert set(each["answer"].split()) <= set(text[each["start"] : each["end"]].split())
        begin = each["passage_start"]
        assert text[begin : begin + len(each["passage"])] == each["passage"]
    code, out, _ = run("predict", bundle, path, "--documents", folder, "--quiet")
    lines = list(csv.reader(out.splitlines()))
    assert lines[0] == ["id", "answer", "document", "start", "end"]
    assert [line[2] for line in lines[1:]] == [each["document"] for each in found]


def test_few_passages_are_read_where_that_is_asked(
    bundle: Path, folder: Path, tmp_path: Path, run: Run
) -> None:
    pytest.importorskip("bm25s", reason="the extra documents is not installed")
    path = tmp_path / "asked.csv"
    path.write_text("id,question\na,Where does Ada live ?\n")
    given = ("--documents", folder, "--format", "jsonl")
    code, out, err = run("predict", bundle, path, *given, "--passages", "1")
    assert code == 0
    assert "12 documents, 12 passages; 1 of them are read for each question" in err
    nearest = Documents.from_folder(folder).nearest("Where does Ada live ?", 1)[0].passage
    assert json.loads(out)["document"] == nearest.name
    everything = run("predict", bundle, path, *given, "--passages", "all")[1]
    assert everything == run("predict", bundle, path, *given)[1]


def test_rows_may_have_lists_of_contexts(bundle: Path, tmp_path: Path, run: Run) -> None:
    contexts = [e.context for e in EXAMPLES]
    rows = [
        {"id": "a", "question": "Where does Ada live ?", "context": contexts},
        {"id": "b", "question": "Where does Ada live ?", "contexts": contexts},
        {"id": "c", "question": "Where does Ada live ?", "context": contexts[0]},
    ]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    found = json.loads(run("predict", bundle, path, "--format", "json")[1])
    assert contexts[found[0]["document"]] == found[0]["passage"]
    assert {**found[0], "id": "b"} == found[1]
    assert "document" not in found[2]


def test_evaluate_answers_lists_of_contexts_as_predict_does(
    bundle: Path, tmp_path: Path, run: Run
) -> None:
    contexts = [e.context for e in EXAMPLES]
    rows = [
        {"id": e.id, "question": e.question, "contexts": contexts, "answer_text": e.answers[0].text}
        for e in EXAMPLES
    ]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    code, out, err = run("evaluate", bundle, path, "--json", "--quiet")
    assert code == 0, err
    given = csv.DictReader(run("predict", bundle, path, "--quiet")[1].splitlines())
    answers = {row["id"]: row["answer"] for row in given}
    answered = read_answered(path)
    scores = score_by("jaccard", [answers[e.id] for e in EXAMPLES], answered.examples)
    assert json.loads(out)["jaccard"] == pytest.approx(scores.mean())
    # Which texts belong together is told by where an answer stands.
    for example in answered.examples:
        alone = next(text for text in contexts if example.answers[0].text in text)
        assert example.document == hashlib.sha256(alone.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    "options, code, expected",
    [
        (("--top-k", "0", "--format", "json"), 2, "top_k is 0: give a whole number from 1 to 100."),
        (("--top-k", "1000000", "--format", "json"), 2, "top_k is 1000000: give a whole number"),
        (("--top-k", "3"), 2, "--top-k 3 needs --format json or jsonl: csv holds one answer"),
        (("--top-k", "2", "--format", "squad"), 2, "squad holds one answer"),
        (("--documents", "none"), 4, "none does not exist."),
        (("--documents", "{empty}"), 2, "{empty} holds no text files: put the documents there"),
        (("--documents", "{questions}"), 2, "{questions} is a file: name the folder"),
        (("--documents", "{binary}"), 2, "{binary}/x.bin: it is no text; take it out"),
        (("--passages", "0"), 2, "'0' must be a whole number from 1 on, or all."),
        (("--passages", "some"), 2, "'some' must be a whole number from 1 on, or all."),
        (("--output", "a", "--na-prob-file", "./a"), 2, "--na-prob-file a is the file of --output"),
        (("--na-prob-file", "no/such"), 2, "--na-prob-file no/such: the folder"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(
    bundle: Path,
    questions: Path,
    tmp_path: Path,
    run: Run,
    options: tuple[str, ...],
    code: int,
    expected: str,
) -> None:
    names = {"empty": tmp_path / "empty", "binary": tmp_path / "binary", "questions": questions}
    names["empty"].mkdir()
    names["binary"].mkdir()
    (names["binary"] / "x.bin").write_bytes(b"\0\1")
    given = [option.format(**names) for option in options]
    found, out, err = run("predict", bundle, questions, "--quiet", *given)
    assert (found, out) == (code, "")
    assert expected.format(**names) in " ".join(err.split())
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "content, expected",
    [
        ("id,question\n", "holds no questions"),
        ("id,context\na,b\n", "column question is missing"),
        ("id,question\na,\n", ":2: question is empty."),
    ],
)
def test_files_without_questions_get_a_sentence(
    bundle: Path, folder: Path, tmp_path: Path, run: Run, content: str, expected: str
) -> None:
    path = tmp_path / "asked.csv"
    path.write_text(content)
    code, out, err = run("predict", bundle, path, "--documents", folder, "--quiet")
    assert (code, out) == (2, "")
    assert expected in " ".join(err.split())


@pytest.mark.parametrize(
    "value, expected",
    [
        ([], "row 1: context is empty: give at least one text."),
        ([""], "row 1: context is empty: give at least one text."),
        (["a", 3], "row 1: context must be texts, but number 2 is 3."),
    ],
)
def test_lists_that_hold_no_texts_get_a_sentence(
    bundle: Path, tmp_path: Path, run: Run, value: list[object], expected: str
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"question": "Who ?", "context": value}]))
    code, out, err = run("predict", bundle, path, "--quiet")
    assert (code, out) == (2, "")
    assert expected in " ".join(err.split())
