import json
from pathlib import Path

from click.testing import CliRunner

from autoqa.analysis.finished_run import StudyRun
from autoqa.bundle.verify import verify
from autoqa.cli.postprocess import postprocess
from autoqa.text.rules import RULES
from tests.analysis.test_rule_tests import MODEL
from tests.analysis.test_rule_tests import run as punctuated  # noqa: F401
from tests.analysis.test_span_fit import prefer
from tests.cli.test_main import HELP
from tests.cli.test_main import run as outside
from tests.conftest import Run


def test_help_is_what_it_was() -> None:
    """After a deliberate change: autoqa postprocess [test|spans] --help > the file."""
    for arguments in ([], ["test"], ["spans"]):
        shown = outside("postprocess", *arguments, "--help").stdout
        assert shown == (HELP / f"{'-'.join(['postprocess', *arguments])}.txt").read_text()


def test_list_shows_each_rule_with_an_example() -> None:
    table = CliRunner().invoke(postprocess, ["list"], catch_exceptions=False).stdout
    rows = json.loads(CliRunner().invoke(postprocess, ["list", "--json"]).stdout)
    assert [row["rule"] for row in rows] == list(RULES)
    for row in rows:
        assert row["before"] != row["after"]
        assert row["before"] in row["context"]
        for value in row.values():
            assert value in table


def test_test_enables_and_none_clears(punctuated: StudyRun, run: Run) -> None:  # noqa: F811
    code, out, err = run("postprocess", "test", "toy")
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["punctuation", "hi", "30", "30", "+0.5000"] in [line[:5] for line in lines]
    assert [line[-1] for line in lines if line[:2] == ["punctuation", "hi"]] == ["yes"]
    assert "Enabled: hi: punctuation. Together they take" in out
    assert "from 0.7500 to 1.0000" in out
    code, out, _ = run("postprocess", "test", "toy", "--json")
    found = json.loads(out)
    assert found["rules"] == {"hi": ["punctuation"]}
    stored = json.loads(punctuated.folder.postprocess.read_text())
    assert {key: found[key] for key in stored} == stored
    assert run("postprocess", "test", "toy", "--none")[1] == "No rule is enabled any more.\n"
    assert run("postprocess", "test", "toy", "--none")[1] == "No rule was enabled.\n"
    assert json.loads(run("postprocess", "test", "toy", "--none", "--json")[1]) == {"rules": {}}
    assert not punctuated.folder.postprocess.exists()


def test_that_nothing_helps_is_said(punctuated: StudyRun, run: Run) -> None:  # noqa: F811
    """Where the annotators mark the comma, too, stripping it costs a word."""
    path = punctuated.folder.examples_path("public")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if "," in row["context"]:
            row["answers"][0]["text"] += " ,"
    path.with_name(f"{path.name}.sha256").unlink()
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, _ = run("postprocess", "test", "toy")
    assert code == 0
    assert "No rule is enabled: of 1 comparison on the answers of t0001-100 none" in out
    assert json.loads(run("postprocess", "test", "toy", "--json")[1])["rules"] == {}


def test_export_takes_rules_along_and_says_so(
    punctuated: StudyRun,  # noqa: F811
    run: Run,
    tmp_path: Path,
) -> None:
    run("postprocess", "test", "toy")
    code, _, err = run("export", "toy", "--to", tmp_path / "bundle", "--candidate", MODEL)
    assert code == 0
    assert err == "Post-processing rules of the bundle: hi: punctuation.\n"
    bundle = tmp_path / "bundle"
    manifest = verify(bundle)
    assert manifest.rules == {"hi": ("punctuation",)}
    assert "Answers in hi are post-processed: punctuation." in (bundle / "README.md").read_text()
    stored = json.loads(punctuated.folder.postprocess.read_text())
    punctuated.folder.postprocess.write_text(json.dumps({**stored, "members": ["t0009-100"]}))
    _, _, err = run("export", "toy", "--to", tmp_path / "other", "--candidate", MODEL)
    assert "They were tested on the answers of t0009-100: `autoqa postprocess test toy`" in err


def test_spans_are_fitted_exported_and_cleared(
    punctuated: StudyRun,  # noqa: F811
    run: Run,
    tmp_path: Path,
) -> None:
    prefer(punctuated, "public", dict.fromkeys(range(0, 60, 2), 9.5))
    code, out, err = run("postprocess", "spans", "toy")
    assert (code, err) == (0, "")
    setting, gain, end = out.splitlines()
    assert setting.endswith(": 1 x start + 1 x end, 0.25 x the log-probability of its length")
    assert f"takes the answers of {MODEL} to 60 questions from 0.6667 to 1.0000" in gain
    assert end == "It is on: `autoqa export` takes it along for these members."
    found = json.loads(run("postprocess", "spans", "toy", "--json")[1])
    assert found == {"enabled": True, **json.loads(punctuated.folder.span_scoring.read_text())}

    _, _, err = run("export", "toy", "--to", tmp_path / "bundle", "--candidate", MODEL)
    assert "The bundle scores spans as `autoqa postprocess spans` fitted them." in err
    assert list(verify(tmp_path / "bundle").scoring) == list(found["scoring"])
    stored = {key: value for key, value in found.items() if key != "enabled"}
    punctuated.folder.span_scoring.write_text(json.dumps({**stored, "members": ["t0009-100"]}))
    _, _, err = run("export", "toy", "--to", tmp_path / "other", "--candidate", MODEL)
    assert " ".join(err.split()).startswith(
        "The bundle scores spans by the plain sum: they were fitted for t0009-100; `autoqa"
    )
    assert run("postprocess", "spans", "toy", "--none")[1] == "Spans score the plain sum again.\n"
    assert run("postprocess", "spans", "toy", "--none")[1] == "Nothing was fitted.\n"
    cleared = run("postprocess", "spans", "toy", "--none", "--json")[1]
    assert json.loads(cleared) == {"enabled": False}

    prefer(punctuated, "public", {})
    last = run("postprocess", "spans", "toy")[1].splitlines()[-1]
    assert last == "It stays off: the interval does not lie above zero."


def test_an_unknown_study_is_said_with_what_there_is(
    punctuated: StudyRun,  # noqa: F811
    run: Run,
) -> None:
    for options in ((), ("--none",)):
        code, out, err = run("postprocess", "test", "toi", *options)
        assert (code, out) == (2, "")
        assert "did you mean 'toy'" in err
