"""A study with unanswerable questions, from stored predictions to answers."""

import io
import json
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

import autoqa
from autoqa.cli.main import main
from autoqa.errors import ConfigError
from tests import bundle_kit
from tests.bundle.test_server import post, running


def _rows(count, start=0):
    return [
        replace(row, answers=()) if number % 2 else row
        for number, row in enumerate(bundle_kit.examples(count, start))
    ]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A bundle that was validated on questions without answers, and what its export said."""
    home = tmp_path_factory.mktemp("none")
    parts = {"public": _rows(80), "private": _rows(60, 80)}
    bundle_kit.write_run(home / "runs", parts=parts)
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said):
        patch.setenv("AUTOQA_HOME", str(home / "runs"))
        with pytest.raises(SystemExit) as caught:
            main(["export", "toy", "--to", str(home / "bundle")])
    assert not caught.value.code
    (home / "said.txt").write_text(said.getvalue())
    return home / "bundle"


@pytest.fixture(scope="module")
def questions(told):
    path = told.parent / "questions.json"
    rows = [
        {
            "id": row.id,
            "question": row.question,
            "context": row.context,
            "language": row.language,
            "answers": [{"text": a.text, "answer_start": a.start} for a in row.answers],
        }
        for row in _rows(40, 140)
    ]
    path.write_text(json.dumps(rows))
    return path


def _run(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    out, err = capsys.readouterr()
    return caught.value.code or 0, out, err


def _predict(capsys, *arguments):
    code, out, err = _run(capsys, "predict", *arguments, "--format", "json", "--quiet")
    assert not code, err
    return json.loads(out), err


def test_the_manifest_says_what_the_card_says(told):
    manifest = json.loads((told / "manifest.json").read_text())
    split = manifest["no_answer"]["private"]
    assert (split["answerable"], split["unanswerable"]) == (30, 30)
    assert split["best"] >= split["all"]
    assert split["all"] == pytest.approx(manifest["private"]["jaccard"])
    assert manifest["no_answer"]["public"]["all"] == pytest.approx(manifest["public"]["jaccard"])
    (member,) = manifest["members"]
    assert member["public"]["jaccard"] == pytest.approx(manifest["public"]["jaccard"])
    card = (told / "README.md").read_text()
    for heading in ("## No answer", "## Confidence"):
        assert heading in card
    assert "It always answers" not in card


def test_the_export_says_the_threshold_and_the_scores_of_both_kinds(told):
    said = (told.parent / "said.txt").read_text()
    entry = json.loads((told / "manifest.json").read_text())["no_answer"]
    assert "no answer above " in said
    assert "fitted on 80 questions" in said
    split = entry["private"]
    assert f"{split['has_answer']:.3f} of 30 with an answer, {split['no_answer']:.3f} of 30" in said
    assert f"{split['best']:.3f} with the best possible threshold" in said


def test_a_threshold_decides_who_gets_an_answer(capsys, told, questions):
    never, _ = _predict(capsys, told, questions, "--no-answer", "never")
    assert all(row["answer"] for row in never)
    half, _ = _predict(capsys, told, questions, "--no-answer", "0.5")
    for row, plain in zip(half, never, strict=True):
        assert row["no_answer"] == plain["no_answer"]
        assert (row["answer"] == "") == (plain["no_answer"] > 0.5)
        if row["answer"]:
            assert row == plain
        else:
            assert row["score"] == row["no_answer"]
    ensemble = autoqa.load(told, device="cpu", no_answer=0.0)
    row = json.loads(questions.read_text())[0]
    found = ensemble(question=row["question"], context=row["context"], language=row["language"])
    assert found.answer == ""
    again = ensemble(
        question=row["question"],
        context=row["context"],
        language=row["language"],
        no_answer="never",
    )
    assert again.answer == never[0]["answer"]


def test_answers_below_a_score_are_left_empty(capsys, told, questions):
    never, _ = _predict(capsys, told, questions, "--no-answer", "never")
    least = sorted(row["score"] for row in never)[len(never) // 2]
    kept, _ = _predict(capsys, told, questions, "--no-answer", "never", "--min-score", least)
    for row, plain in zip(kept, never, strict=True):
        assert row["answer"] == (plain["answer"] if plain["score"] >= least else "")


def test_evaluate_splits_scores_and_says_what_confidence_is_worth(capsys, told, questions):
    code, out, _ = _run(capsys, "evaluate", told, questions, "--json", "--quiet")
    found = json.loads(out)
    assert not code
    assert (found["split"]["answerable"], found["split"]["unanswerable"]) == (20, 20)
    assert found["split"]["all"] == pytest.approx(found["jaccard"])
    assert sum(each["questions"] for each in found["reliability"]["bins"]) == 40
    code, out, _ = _run(capsys, "evaluate", told, questions, "--quiet")
    for words in ("has answer", "best possible threshold", "calibration error", "90%"):
        assert words in out


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--no-answer", "1.5", "no_answer is 1.5: give auto, never or a number from 0 to 1."),
        ("--no-answer", "nan", "no_answer is nan: give auto, never or a number from 0 to 1."),
        ("--no-answer", "nevr", "no_answer is 'nevr'; did you mean 'never'? give auto"),
        ("--min-score", "2", "min_score is 2.0: give a number from 0 to 1."),
    ],
)
def test_what_is_no_threshold_is_refused(capsys, told, questions, option, value, sentence):
    code, _, err = _run(capsys, "predict", told, questions, option, value)
    assert code == 2
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err


def test_a_threshold_of_a_bundle_that_cannot_tell_says_so(capsys, bundle: Path, questions):
    plain, _ = _predict(capsys, bundle, questions)
    answered, err = _predict(capsys, bundle, questions, "--no-answer", "0.5")
    assert answered == plain
    assert "no_answer" not in plain[0]
    assert err.startswith("Warning: ")
    assert "was validated on no question without an answer" in " ".join(err.split())
    with pytest.warns(UserWarning, match="always answers"):
        autoqa.load(bundle, no_answer=0.5)
    with pytest.warns(UserWarning, match="always answers"):
        autoqa.load(bundle)(question="Where ?", context="Ada lives in Rome .", no_answer=0.5)
    with pytest.raises(ConfigError, match="no_answer is True"):
        autoqa.load(bundle, no_answer=True)


def test_a_bundle_without_fits_answers_as_before(told, questions, tmp_path, capsys):
    """Older bundles have neither entry."""
    from autoqa.bundle.manifest import render

    older = tmp_path / "older"
    shutil.copytree(told, older)
    content = json.loads((older / "manifest.json").read_text())
    for key in ("no_answer", "confidence", "digest"):
        content.pop(key)
    (older / "manifest.json").write_bytes(render(content))
    rows, _ = _predict(capsys, older, questions)
    never, _ = _predict(capsys, told, questions, "--no-answer", "never")
    assert [row["answer"] for row in rows] == [row["answer"] for row in never]
    assert not any("no_answer" in row for row in rows)


def test_a_server_gives_none_as_it_is_told(told):
    row = bundle_kit.examples(1, 140)[0]
    asked = {"question": row.question, "context": row.context}
    for threshold, answers in (("0", False), ("never", True)):
        with running(told, "--no-answer", threshold) as (url, _):
            status, found = post(url, asked)
        assert status == 200
        assert bool(found["answer"]) is answers
        assert 0 < found["no_answer"] < 1
