"""``evaluate --predictions``: anybody's answers, alone and against a bundle's."""

import json
from pathlib import Path

import pytest

from autoqa.scores.answer_comparison import compare_answers
from autoqa.scores.registry import all_metrics
from autoqa.scores.summary import score_answers
from tests import bundle_kit
from tests.conftest import Run

EXAMPLES = bundle_kit.examples(10)
GOLD = {e.id: e.answers[0].text for e in EXAMPLES}
SOME = {**GOLD, "q3": "Rome", "q4": "", "q7": "near the old station"}


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return bundle_kit.write_squad(tmp_path / "gold.json", EXAMPLES)


def as_squad(path: Path) -> None:
    path.write_text(json.dumps(SOME))


def as_rows(path: Path) -> None:
    path.write_text(json.dumps([{"id": k, "answer": v, "score": 0.5} for k, v in SOME.items()]))


def as_lines(path: Path) -> None:
    rows = [{"id": k, "prediction_text": v or None} for k, v in SOME.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def as_csv(path: Path) -> None:
    path.write_text("id,answer\n" + "".join(f"{k},{v}\n" for k, v in SOME.items()))


def as_submission(path: Path) -> None:
    path.write_text("id,PredictionString\n" + "".join(f'{k},"{v}"\n' for k, v in SOME.items()))


@pytest.mark.parametrize("write", [as_squad, as_rows, as_lines, as_csv, as_submission])
def test_answers_of_any_form_are_scored_without_a_bundle(
    gold: Path, tmp_path: Path, run: Run, write: object
) -> None:
    write(tmp_path / "answers")  # type: ignore[operator]
    code, out, err = run("evaluate", gold, "--predictions", tmp_path / "answers", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    expected = score_answers(list(SOME.values()), EXAMPLES)
    assert found["n"] == 10
    for metric in all_metrics():
        assert found[metric.name] == pytest.approx(expected.scores[metric.name])
    assert set(found["by_language"]) == {"en", "hi"}
    code, out, _ = run("evaluate", gold, "--predictions", tmp_path / "answers")
    assert f"{expected.score:.3f} ± {expected.half_width:.3f}" in out


def test_answers_are_compared_with_a_bundles(
    bundle: Path, gold: Path, tmp_path: Path, run: Run
) -> None:
    as_squad(tmp_path / "answers.json")
    given = ("--predictions", tmp_path / "answers.json")
    alone = json.loads(run("evaluate", bundle, gold, "--json")[1])
    code, out, _ = run("evaluate", bundle, gold, *given, "--json")
    assert code == 0
    both = json.loads(out)
    assert both["bundle"] == alone
    assert both["predictions"] == json.loads(run("evaluate", gold, *given, "--json")[1])
    answers = tmp_path / "of-bundle.csv"
    assert run("predict", bundle, gold, "--output", answers, "--quiet")[0] == 0
    for name, each in both["gains"].items():
        assert each["gain"] == pytest.approx(alone[name] - both["predictions"][name])
        assert each["low"] <= each["gain"] <= each["high"]
    code, out, _ = run("evaluate", bundle, gold, *given)
    assert "bundle - predictions" in out
    assert f"{both['gains']['jaccard']['gain']:+.3f}" in out
    same = json.loads(run("evaluate", bundle, gold, "--predictions", answers, "--json")[1])
    assert same["bundle"] == same["predictions"]
    assert {each["gain"] for each in same["gains"].values()} == {0.0}


def test_gains_are_those_of_a_paired_bootstrap() -> None:
    gains = compare_answers(list(GOLD.values()), list(SOME.values()), EXAMPLES)
    assert list(gains) == [metric.name for metric in all_metrics()]
    assert gains["em"].gain == pytest.approx(sum(GOLD[k] != SOME[k] for k in GOLD) / 10)


@pytest.mark.parametrize(
    "content, expected",
    [
        (json.dumps({**SOME, "q10": "x", "q11": "y"}), "answers 2 ids that {gold} does not have: "),
        (json.dumps({"q1": "x"}), "has no answer to 9 of the 10 rows of {gold}: 'q0', 'q2', "),
        ('{"q1": "x", "q1": "y"}', "entry 2: the id 'q1' was already answered in {file}: entry 1."),
        ("id,answer\nq1,x\nq1,y\n", "{file}:3: the id 'q1' was already answered in {file}:2."),
        ('{"id": "1", "answer": "x"}\n{"id": "1", "answer": "x"}', "{file}:2: the id '1' was"),
        ('{"q1": ["x"]}', "entry 1: the answer to 'q1' must be text, found a list."),
        ('{"q1": 3}', "the answer to 'q1' must be text, found 3."),
        ('[{"id": "q1"}]', "row 1: answer is missing; the row has id."),
        ('[{"answer": "q1"}]', "row 1: id is missing; the row has answer."),
        ("[3]", "row 1: expected an object with id and answer, found 3."),
        ("{}", "{file}: it holds no answers."),
        ("[]", "{file}: it holds no answers."),
        ("", "{file}: it is empty."),
        ("id,text\nq1,x\n", "column answer is missing; found 'id, text'."),
        ("id\nq1\n", "column answer is missing; found 'id'."),
        ('{"q1": "x"', "invalid JSON"),
        ('{"q1": "\\ud800"}', "the answer to 'q1' holds bytes that are not UTF-8."),
    ],
)
def test_files_that_answer_something_else_get_one_sentence(
    gold: Path, tmp_path: Path, run: Run, content: str, expected: str
) -> None:
    path = tmp_path / "answers"
    path.write_text(content)
    code, out, err = run("evaluate", gold, "--predictions", path)
    assert (code, out) == (2, "")
    assert expected.format(file=path, gold=gold) in " ".join(err.split())
    assert err.count("Error:") == 1, err


@pytest.mark.parametrize(
    "arguments, code, expected",
    [
        (("{gold}",), 2, "{gold} alone says nothing: name a bundle and a file with answers"),
        (("a", "b", "c"), 2, "got 3 paths: name a bundle and a file with answers"),
        ((), 2, "Missing argument '[BUNDLE] FILE'"),
        (("{gold}", "--predictions", "none.json"), 4, "none.json does not exist."),
    ],
)
def test_what_is_missing_is_said(
    gold: Path, run: Run, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    found, out, err = run("evaluate", *(each.format(gold=gold) for each in arguments))
    assert (found, out) == (code, "")
    assert expected.format(gold=gold) in " ".join(err.split())


def test_narrow_terminals_get_whole_scores_of_fewer_metrics(
    gold: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_squad(tmp_path / "answers")
    monkeypatch.setenv("COLUMNS", "60")
    code, out, _ = run("evaluate", gold, "--predictions", tmp_path / "answers")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 60
    scored = json.loads(run("evaluate", gold, "--predictions", tmp_path / "answers", "--json")[1])
    assert f"{scored['jaccard']:.3f} ± {scored['half_width']:.3f}" in out
    assert "anls. --wide shows" in " ".join(out.split())
    wide = run("evaluate", gold, "--predictions", tmp_path / "answers", "--wide")[1]
    assert f"{scored['anls']:.3f}" in wide
    assert "Left out" not in wide
