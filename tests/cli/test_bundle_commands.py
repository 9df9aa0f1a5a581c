"""select, export, predict, evaluate from the outside: output, messages, exit codes."""

import csv
import io
import json
import os
import platform
import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from autoqa.bundle.manifest import render
from autoqa.bundle.verify import verify
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests import bundle_kit
from tests.conftest import Run
from tests.store.damage import without_sums


@pytest.fixture
def home(exported: tuple[Path, Path]) -> Path:
    """The folder of runs, with one finished study."""
    return exported[0]


@pytest.fixture(autouse=True)
def _environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(home))


def openings(run: RunFolder) -> list[str]:
    with Store(run.store_url(), "toy") as store:
        return [row.reason for row in store.openings()]


def test_select_says_who_is_in_and_why(toy: RunFolder, run: Run) -> None:
    code, out, _ = run("select", "toy")
    assert code == 0
    assert "why it is in" in out
    assert "public jaccard" in out
    code, out, _ = run("select", "toy", "--seats", "2", "--json")
    assert code == 0
    chosen = json.loads(out)
    assert chosen == json.loads(toy.selection.read_text())
    assert 1 <= len(chosen["members"]) <= 2
    assert len(chosen["considered"]) == 4
    assert chosen["chosen"] in {other["kind"] for other in chosen["alternatives"]}
    with Store(toy.store_url(), "toy") as store:
        assert store.selections()[-1] == chosen
        assert len(store.selections()) == 2
    assert openings(toy) == []


def test_select_explains(toy: RunFolder, run: Run) -> None:
    code, out, err = run("select", "toy", "--explain")
    assert (code, err) == (0, "")
    assert "kept, out of bag" in out
    explained = json.loads(run("select", "toy", "--explain", "--json")[1])
    chosen, why = json.loads(toy.selection.read_text()), explained.pop("explanation")
    assert explained == chosen
    for pick in (chosen, chosen["best_public"]):
        seats = {each["id"]: each["seats"] for each in why["picks"][pick["chosen"]]}
        assert seats == {seat["id"]: seat["weight"] for seat in pick["members"]}
    size = len(why["ids"])
    assert [len(row) for row in why["disagreement"]] == [size] * size
    assert openings(toy) == []


@pytest.mark.parametrize(
    "options, code, expected",
    [
        (("--seconds", "1"), 5, "the cheapest candidate, t0001-100, takes 6.25 seconds"),
        (("--quota", "4"), 2, "selection.quota is 4, more than selection.seats (3)"),
        (("--seats", "9", "--quota", "7"), 5, "no group can fill 7 seats with recipe_cap = 3"),
        (("--seconds", "0"), 2, "--seconds"),
    ],
)
def test_limits_that_nobody_keeps(
    toy: RunFolder, run: Run, options: tuple[str, ...], code: int, expected: str
) -> None:
    found, out, err = run("select", "toy", *options)
    assert (found, out) == (code, "")
    assert expected in err
    assert "Traceback" not in err
    assert not toy.selection.exists()


def test_a_selection_optimises_the_studys_aggregator(toy: RunFolder, run: Run) -> None:
    run("select", "toy")
    voted = json.loads(toy.selection.read_text())
    text = toy.study_file.read_text(encoding="utf-8")
    changed = text.replace("[selection]", '[selection]\naggregator = "characters"')
    toy.study_file.write_text(changed, encoding="utf-8")
    assert run("select", "toy")[0] == 0
    joined = json.loads(toy.selection.read_text())
    means = [
        [other["public"]["mean"] for other in each["alternatives"]] for each in (voted, joined)
    ]
    assert means[0] != means[1]


def test_either_pick_can_be_exported(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    from autoqa.ensemble.choosing.selection import Selection

    run("select", "toy")
    kept = json.loads(toy.selection.read_text())
    other = next(each for each in kept["considered"] if each != kept["members"][0]["id"])
    group = toy.read_record(other).group
    seat = {"id": other, "group": group, "weight": 1.0, "reason": "Put here by the test."}
    kept["best_public"] |= {"members": [seat], "best": group}
    changed = json.dumps(kept)
    assert Selection.from_json(changed).pick("best").members[0].id == other
    toy.selection.write_text(changed)
    members = sorted(seat["id"] for seat in kept["members"])
    for pick, expected in (("safe", members), ("best", [other])):
        assert run("export", "toy", "--to", tmp_path / pick, "--pick", pick)[0] == 0
        assert sorted(member.id for member in verify(tmp_path / pick).members) == expected
    both = ("--pick", "best", "--candidate", other)
    code, _, err = run("export", "toy", "--to", tmp_path / "both", *both)
    assert code == 2
    assert "exclude each other" in err


def test_export_selects_where_nobody_has(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    code, out, err = run("export", "toy", "--to", tmp_path / "bundle")
    assert code == 0
    assert "Selecting" in err
    manifest = verify(tmp_path / "bundle")
    assert f"public {manifest.public}, private {manifest.private}" in out
    chosen = json.loads(toy.selection.read_text())
    assert [m.id for m in manifest.members] == [seat["id"] for seat in chosen["members"]]
    assert len(openings(toy)) == manifest.openings == 1
    assert str(tmp_path / "bundle") in openings(toy)[0]


def test_export_takes_the_selection_until_there_are_new_candidates(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    run("select", "toy", "--seats", "1")
    assert "Selecting" not in run("export", "toy", "--to", tmp_path / "one")[2]
    assert len(verify(tmp_path / "one").members) == 1
    (toy.candidate("t0001-100") / "candidate.json").touch()
    code, _, err = run("export", "toy", "--to", tmp_path / "two")
    assert code == 0
    assert "Selecting" in err


def test_every_further_ensemble_opens_the_private_part_and_is_counted(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    run("export", "toy", "--to", tmp_path / "one", "--candidate", "t0001-100")
    _, _, err = run("export", "toy", "--to", tmp_path / "two", "--candidate", "t0002-100")
    assert "opened 2 times" in err
    assert verify(tmp_path / "two").openings == len(openings(toy)) == 2


def enable(run: RunFolder, rule: str, language: str) -> None:
    """As if a test of rules had found that one helps."""
    content = json.loads(run.postprocess.read_text())
    for test in content["tests"]:
        test["enabled"] = (test["rule"], test["language"]) == (rule, language)
    run.postprocess.write_text(json.dumps(content))


@pytest.mark.parametrize("keys", ["", 'words = "position"', 'aggregator = "characters"'])
@pytest.mark.parametrize("rules", [False, True])
def test_the_scores_in_the_manifest_are_those_of_the_answers(
    toy: RunFolder, tmp_path: Path, run: Run, keys: str, rules: bool
) -> None:
    """The bundle, asked the validation questions anew, scores as the stored predictions did."""
    toy.study_file.write_text(bundle_kit.STUDY + f'rule = "mean"\n{keys}\n')
    if rules:
        assert run("postprocess", "test", "toy")[0] == 0
        enable(toy, "punctuation", "hi")
    run("export", "toy", "--to", tmp_path / "bundle")
    manifest = verify(tmp_path / "bundle")
    assert manifest.rules == ({"hi": ("punctuation",)} if rules else {})
    assert keys in ("", *(f'{k} = "{v}"' for k, v in manifest.vote.model_dump().items()))
    for name, rows in (
        ("public", bundle_kit.examples(16)),
        ("private", bundle_kit.examples(24, 16)),
    ):
        path = bundle_kit.write_squad(tmp_path / f"{name}.json", rows)
        scores = json.loads(run("evaluate", tmp_path / "bundle", path, "--json")[1])
        entry = getattr(manifest, name)
        assert scores["jaccard"] == pytest.approx(entry.score, abs=1e-9)
        assert scores["half_width"] == pytest.approx(entry.half_width, abs=1e-9)


def test_one_candidate_can_be_exported(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    code, _, err = run("export", "toy", "--to", tmp_path / "b", "--candidate", "t0002-100")
    assert (code, err) == (0, "")
    manifest = verify(tmp_path / "b")
    assert [m.id for m in manifest.members] == ["t0002-100"]
    assert manifest.public == manifest.members[0].public
    record = toy.read_record("t0002-100")
    assert manifest.public.score == pytest.approx(record.score, abs=1e-9)
    assert manifest.members[0].precision == "fp32"
    assert not toy.selection.exists()
    code, _, err = run("export", "toy", "--to", tmp_path / "c", "--candidate", "t0009-100")
    assert code == 5
    assert "'t0009-100'" in err


def test_a_kit_without_a_package_index_is_written_and_said_to_be_incomplete(
    toy: RunFolder, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    code, out, err = run("export", "toy", "--to", tmp_path / "bundle", "--kaggle")
    assert code == 4
    assert f"{tmp_path / 'bundle-kaggle'}: Kaggle kit with 1 wheels" in out
    assert "on one T4" in out
    assert "the kit lacks wheels that no package index had" in err
    assert "pip download" in err
    assert verify(tmp_path / "bundle-kaggle" / "bundle") == verify(tmp_path / "bundle")


def test_nothing_is_opened_for_a_kit_that_cannot_be_written(
    toy: RunFolder, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle-kaggle").mkdir()
    (tmp_path / "bundle-kaggle" / "thesis.txt").touch()
    code, _, err = run("export", "toy", "--to", tmp_path / "bundle", "--kaggle", "--force")
    assert code == 2
    assert "other things than a Kaggle kit" in err
    shutil.rmtree(tmp_path / "bundle-kaggle")
    monkeypatch.setitem(sys.modules, "nbformat", None)
    code, _, err = run("export", "toy", "--to", tmp_path / "bundle", "--kaggle")
    assert code == 4
    assert "pip install 'autoqa[kaggle]'" in err
    assert openings(toy) == []
    assert not (tmp_path / "bundle").exists()


def test_the_manifest_names_versions_licences_and_recipes(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    study = bundle_kit.STUDY.replace("[sources.toy]", '[sources.toy]\nlicence = "CC-BY-SA-4.0"')
    toy.study_file.write_text(study)
    run("export", "toy", "--to", tmp_path / "bundle", "--candidate", "t0002-100")
    manifest = verify(tmp_path / "bundle")
    assert manifest.data == {"toy": "CC-BY-SA-4.0"}
    assert manifest.licences == ("MIT",)
    assert manifest.versions["torch"] == version("torch")
    assert manifest.versions["python"] == platform.python_version()
    card = manifest.members[0].card
    assert card[0] == "stage 1: [toy(en,hi)] 24/6"
    assert card[1].startswith("learning rate 3e-05, recipe ")
    readme = (tmp_path / "bundle" / "README.md").read_text()
    assert "    stage 1: [toy(en,hi)] 24/6\n" in readme
    assert "| data of toy | CC-BY-SA-4.0 |" in readme
    assert "| weights of plain | MIT |" in readme
    assert "Find out about" not in readme
    assert "## Known limits" in readme


def test_a_licence_is_the_plugins_where_the_study_states_none(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    study = bundle_kit.STUDY.replace("not-installed", "demo", 1).replace(
        "not-installed", "minilm-l6"
    )
    toy.study_file.write_text(study)
    run("export", "toy", "--to", tmp_path / "bundle", "--candidate", "t0002-100")
    assert verify(tmp_path / "bundle").data == {"toy": "Apache-2.0"}


def test_a_licence_that_nobody_states_is_called_unknown(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    run("export", "toy", "--to", tmp_path / "bundle", "--candidate", "t0002-100")
    assert verify(tmp_path / "bundle").data == {"toy": "unknown"}
    readme = (tmp_path / "bundle" / "README.md").read_text()
    assert "Find out about toy before you give this bundle away." in readme


def test_nothing_is_opened_for_an_export_that_cannot_be_written(
    toy: RunFolder, tmp_path: Path, run: Run
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    code, out, err = run("export", "toy", "--to", tmp_path / "there", "--force")
    assert (code, out) == (2, "")
    assert "will not delete" in err
    assert openings(toy) == []


def test_without_candidates_nothing_is_feasible(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    shutil.rmtree(toy.candidates)
    for command in (("select", "toy"), ("export", "toy", "--to", tmp_path / "bundle")):
        code, out, err = run(*command)
        assert (code, out) == (5, "")
        assert "no candidate" in err


def test_an_unknown_study_is_said_with_what_there_is(run: Run) -> None:
    code, _, err = run("select", "toi")
    assert code == 2
    assert "did you mean 'toy'" in err


def test_a_damaged_selection_is_named(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    toy.selection.write_text('{"members": 3}')
    code, _, err = run("export", "toy", "--to", tmp_path / "bundle")
    assert code == 2
    assert "selection.json: this is no selection" in err


@pytest.mark.parametrize("place", ["", "best_public", "public", "members", "alternatives"])
def test_a_selection_of_a_newer_version_is_refused(
    toy: RunFolder, tmp_path: Path, run: Run, place: str
) -> None:
    run("select", "toy")
    selection = json.loads(toy.selection.read_text())
    part = selection[place] if place else selection
    (part[0] if isinstance(part, list) else part)["temper"] = 1
    toy.selection.write_text(json.dumps(selection))
    code, out, err = run("export", "toy", "--to", tmp_path / "bundle")
    assert (code, out) == (2, "")
    assert " ".join(err.split()).endswith(
        "selection.json: written by a newer version of autoqa, for this one does not know "
        "'temper': install the newer one; `autoqa select` writes it anew."
    )


def test_a_candidate_of_a_newer_version_is_refused(toy: RunFolder, run: Run) -> None:
    path = toy.candidate("t0001-100") / "candidate.json"
    without_sums(path.parent)
    path.write_text(json.dumps({**json.loads(path.read_text()), "temper": 1}))
    code, out, err = run("select", "toy")
    assert (code, out) == (2, "")
    assert "candidate.json: written by a newer version of autoqa" in " ".join(err.split())


QUESTIONS = "id,question,context\n1,Where does Ada live ?,Ada lives in Rome .\n"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.csv"
    path.write_text(QUESTIONS)
    return path


def test_predict_writes_rows_of_id_and_answer(bundle: Path, questions: Path, run: Run) -> None:
    code, out, err = run("predict", bundle, questions)
    assert code == 0
    assert re.fullmatch(r"1 question, \d+ windows?, \d models?: about \d+ s\n", err)
    assert run("predict", bundle, questions, "--quiet") == (0, out, "")
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["id", "answer"]
    assert rows[1][0] == "1"
    assert rows[1][1] in "Ada lives in Rome ."


def test_predict_and_evaluate_read_what_is_piped_in(
    bundle: Path, questions: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run("predict", bundle, questions, "--quiet")[1]
    with questions.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert run("predict", bundle, "-", "--quiet")[:2] == (0, expected)
    (tmp_path / "bad").write_text("{")
    with (tmp_path / "bad").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        code, _, err = run("evaluate", bundle, "-", "--input-format", "json")
    assert code == 2
    assert err.startswith("Error: standard input:1: invalid JSON")
    (tmp_path / "rows").write_text("id,context,question\n1,Ada lives in Rome .,\n")
    for options in ([], ["--skip-bad"]):
        with (tmp_path / "rows").open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            _, _, err = run("predict", bundle, "-", "--quiet", *options)
        assert "Error: standard input:2: " in err, "the copy that is read is no concern of users"
    read_end, write_end = os.openpty()
    with os.fdopen(write_end) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        code, _, err = run("predict", bundle, "-")
    os.close(read_end)
    assert code == 2
    assert "- stands for what is piped in, and nothing is: name a file" in err


def test_languages_that_no_member_can_read_are_warned_of(
    bundle: Path, tmp_path: Path, run: Run
) -> None:
    row = {
        "id": "1",
        "question": "कौन ?",
        "context": "महात्मा गांधी का जन्म 1869 में हुआ था",
        "language": "hi",
    }
    (tmp_path / "hindi.json").write_text(json.dumps([row]))
    code, _, err = run("predict", bundle, tmp_path / "hindi.json", "--quiet")
    assert code == 0
    assert "Warning: t000" in err
    assert (
        "hi: 100% of the tokens are unknown to its tokenizer, so the model cannot read them" in err
    )


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


def test_answers_may_be_made_shorter(bundle: Path, questions: Path, run: Run) -> None:
    options = ("--format", "json", "--quiet", "--max-answer-tokens", "1")
    code, out, err = run("predict", bundle, questions, *options)
    assert (code, err) == (0, "")
    assert {len(row["answer"].split()) for row in json.loads(out)} == {1}


@pytest.mark.parametrize("command", ["predict", "evaluate", "serve"])
@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        ("0", "Invalid value for '--max-answer-tokens': 0 is not in the range x>=1."),
        ("many", "Invalid value for '--max-answer-tokens': 'many' is not a valid integer range."),
        (
            str(bundle_kit.LENGTH),
            f"max_answer_tokens is {bundle_kit.LENGTH}: give a whole number from 1 to "
            f"{bundle_kit.LENGTH - 1}; an answer stands in one window, and those of the bundle "
            f"have {bundle_kit.LENGTH} tokens, question included.",
        ),
    ],
)
def test_a_limit_that_no_answer_can_have(
    bundle: Path, tmp_path: Path, run: Run, command: str, limit: str, sentence: str
) -> None:
    exam = tmp_path / "exam.csv"
    exam.write_text("id,question,context,answer_text\n1,Who ?,Ada lives .,Ada\n")
    files = ("--port", "0") if command == "serve" else (exam,)
    code, out, err = run(command, bundle, *files, "--max-answer-tokens", limit)
    assert (code, out) == (2, "")
    assert sentence in " ".join(err.split())
    assert "Traceback" not in err


def test_a_bad_row_stops_predict_unless_it_is_skipped(
    bundle: Path, questions: Path, run: Run
) -> None:
    good = run("predict", bundle, questions)[1]
    with questions.open("a") as file:
        file.write("2,,c\n")
    code, out, err = run("predict", bundle, questions)
    assert (code, out) == (2, "")
    assert ":3: question is empty" in err
    code, out, err = run("predict", bundle, questions, "--skip-bad")
    assert (code, out) == (1, good + "2,\n")
    assert ":3: question is empty" in err


def test_long_questions_are_counted(bundle: Path, questions: Path, run: Run) -> None:
    with questions.open("a") as file:
        file.write(f"2,{'why ' * 40},{'Ada lives in Rome . ' * 9}\n")
    code, out, err = run("predict", bundle, questions, "--quiet")
    assert code == 0
    assert out.splitlines()[-1].startswith("2,")
    assert err == (
        "note: 1 question is too long for the models' windows; only the beginning was read: id 2\n"
    )


def test_columns_may_have_other_names(bundle: Path, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "mine"
    path.write_text("guid;q;passage;gold\nx;Where does Ada live ?;Ada lives in Rome .;Rome\n")
    names = [f"--column={name}" for name in ("id=guid", "question=q", "context=passage")]
    code, out, _ = run("predict", bundle, path, *names, "--quiet")
    assert (code, out.splitlines()[1].split(",")[0]) == (0, "x")
    code, out, _ = run("evaluate", bundle, path, *names, "--column=answer_text=gold", "--json")
    assert (code, json.loads(out)["n"]) == (0, 1)
    named = ("--input-format", "csv", "--delimiter", ";")
    assert run("predict", bundle, path, *names, "--quiet", *named)[0] == 0
    for wrong, sentence in (
        ("--column=contxt=passage", "did you mean 'context'?"),
        ("--column=context", "'context' must be FIELD=COLUMN"),
        ("--column=context=pasage", "no column 'pasage' for context"),
        ("--input-format=cvs", "format 'cvs' is none of"),
        ("--delimiter=;;", "delimiter ';;' must be one character"),
    ):
        code, _, err = run("predict", bundle, path, "--column=question=q", wrong)
        assert code == 2, err
        assert sentence in " ".join(err.split())


@pytest.mark.parametrize(
    "arguments, code, expected",
    [
        (("{bundle}", "none.csv"), 4, "none.csv does not exist"),
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
    from autoqa.bundle.answer_files import render_answers
    from autoqa.bundle.predictor import Prediction

    texts = ['say "hi", now', "two\nlines", "a\rb", "", "नमस्ते", "a,b"]
    ids = [f"{n}," for n in range(len(texts))]
    found = [Prediction(text, 0, len(text), 0.5) for text in texts]
    written = render_answers(ids, found, "csv")
    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        ["id", "answer"],
        *([each, text] for each, text in zip(ids, texts, strict=True)),
    ]
    assert [item["answer"] for item in json.loads(render_answers(ids, found, "json"))] == texts


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


def test_evaluate_misses_a_metric_before_it_answers(bundle: Path, tmp_path: Path, run: Run) -> None:
    own = shutil.copytree(bundle, tmp_path / "own")
    text = (own / "manifest.json").read_text().replace('"metric": "jaccard",', "")
    text = re.sub(r'"jaccard": ([\d.e-]+)', r'"metric": "gone", "gone": \1, "jaccard": \1', text)
    content = {key: value for key, value in json.loads(text).items() if key != "digest"}
    (own / "manifest.json").write_bytes(render(content))
    path = bundle_kit.write_squad(tmp_path / "gold.json", bundle_kit.examples(10))
    code, out, err = run("evaluate", own, path)
    assert (code, out) == (2, "")
    assert "the bundle: metric 'gone' is unknown; there are: jaccard" in " ".join(err.split())
    assert "10 questions" not in err


def test_evaluate_needs_answers(bundle: Path, questions: Path, run: Run) -> None:
    code, out, err = run("evaluate", bundle, questions)
    assert (code, out) == (2, "")
    assert ":2: no answers to compare with" in err
