"""The package from Python: a search, what it left, its export, all without the command line."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import autoqa
from autoqa.errors import AutoqaError, ConfigError, DataError, NothingFeasibleError
from autoqa.report.study_comparison import as_objects
from autoqa.report.study_summary import MAIN_EFFECTS, effect_figures
from tests.bundle_kit import examples
from tests.conftest import Run
from tests.report_kit import damage_database
from tests.toy_study import write_study

GOLDEN = Path(__file__).parent / "golden"


def expected(name: str) -> dict[str, object]:
    return json.loads((GOLDEN / "expected" / name).read_text(encoding="utf-8"))


def test_a_run_says_what_its_commands_say(golden: Path) -> None:
    with autoqa.open_run("golden") as run:
        assert repr(run) == "Run('golden', folder='searched/golden')"
        board = run.leaderboard()
        shown = expected("leaderboard.json")
        assert [row["id"] for row in shown["candidates"]] == [each.id for each in board.ranked]
        assert [each.id for each in run.candidates()] == [each.id for each in board.ranked]
        assert board.best is not None
        assert board.best.id == shown["best"]["id"]
        stored = run.selection()
        assert stored is not None
        assert run.select() == stored
        assert run.compare("t0000-100", "t0001-100").gain == expected("comparison.json")["gain"]


def test_a_narrower_selection_keeps_to_its_limits(golden: Path) -> None:
    with autoqa.open_run("golden") as run:
        selection = run.select(seats=1)
        assert len(selection.members) == 1
        assert selection.seats == 1
        assert run.selection() == selection


def test_answers_are_those_of_the_bundle(golden: Path) -> None:
    with autoqa.open_run("golden") as run:
        answers = run.answers()
        selection = run.selection()
        assert selection is not None
        assert set(answers.members) == {seat.id for seat in selection.members}
        assert len(answers.traces) == len(run.leaderboard().documents)
        mean = sum(trace.score for trace in answers.traces) / len(answers.traces)
        exported = json.loads((GOLDEN / "exported" / "manifest.json").read_text(encoding="utf-8"))
        assert mean == pytest.approx(exported["public"]["jaccard"])


def test_answers_need_a_selection(golden: Path) -> None:
    (golden / "searched" / "golden" / "selection.json").unlink()
    with (
        autoqa.open_run("golden") as run,
        pytest.raises(ConfigError, match="study golden: no ensemble was selected among"),
    ):
        run.answers()


def test_a_report_is_that_of_the_command(
    made: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with autoqa.open_run("made") as opened:
        assert opened.report() == Path("made-report.html")
        opened.report("page.md", format="markdown")
        opened.report("figures.json", format="json")
        figures = json.loads(Path("figures.json").read_text("utf-8"))
        assert json.loads(json.dumps(effect_figures(opened.effects()))) == figures["effects"]
        assert figures["effects"]["found"]
        with pytest.raises(ConfigError, match=r"format 'htm' is none of .*did you mean 'html'"):
            opened.report(format="htm")
        with pytest.raises(ConfigError, match="format 'json' has no audit"):
            opened.report(format="json", audit=True)
        with pytest.raises(DataError, match=r"'figures.json/page.html': the report cannot be"):
            opened.report("figures.json/page.html")
    run("report", "made", "--to", "own.html")
    assert all(MAIN_EFFECTS in Path(name).read_text("utf-8") for name in ("own.html", "page.md"))
    pages = [Path(name).read_text("utf-8") for name in ("made-report.html", "own.html")]
    first, second = (re.sub(r"[\d.,]+ [kM]B", "disk", page) for page in pages)
    assert first == second
    assert run("report", "made", "--markdown")[1] == Path("page.md").read_text("utf-8")
    # What reading a database leaves beside it counts as disk space.
    shown = json.loads(run("report", "made", "--json")[1])
    assert {**shown, "status": None} == {**figures, "status": None}


def test_a_report_of_a_damaged_study_is_written_and_its_error_raised(
    made: Path, tmp_path: Path
) -> None:
    with autoqa.open_run("made") as opened:
        damage_database(made)
        with pytest.raises(AutoqaError, match=r"study\.db"):
            opened.report(tmp_path / "page.html")
    assert "What is missing" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_words_that_mean_nothing_are_refused(golden: Path) -> None:
    with autoqa.open_run("golden") as run:
        with pytest.raises(ConfigError, match=r"rule 'median' is none of interval, mean, shr"):
            run.select(rule="median")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=r"pick 'bset' is none of .*did you mean 'best'"):
            run.export("again", pick="bset")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match=r"weights 'fp32' is none of fp16, onnx, onnx-int8"):
            run.export("again", weights="fp32")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="format None is none of html, markdown, json"):
            run.report(format=None)  # type: ignore[arg-type]
        with pytest.raises(DataError, match="the report cannot be written"):
            run.report("")
    assert not Path("again").exists()


def test_two_studies_are_compared_as_the_command_does(made: Path, run: Run) -> None:
    with autoqa.open_run("made") as opened, autoqa.open_run("other") as other:
        compared = opened.compare(other)
        with pytest.raises(ConfigError, match="twice: give two different studies"):
            opened.compare(opened)
        with pytest.raises(ConfigError, match=r"compare\('other'\): name a second candidate"):
            opened.compare("other")  # type: ignore[call-overload]
    assert (
        as_objects(compared)["best"]
        == json.loads(run("compare", "made", "other", "--json")[1])["best"]
    )


@pytest.mark.parametrize(
    "call, begins",
    [
        (lambda run: run.distil("plian"), "distil 'plian': "),
        (lambda run: run.export("again", candidate="t0000-10"), "candidate 't0000-10': "),
        (
            lambda run: run.export("again", weights="onnx", refit=True),
            "refit and weights 'onnx' exclude each other",
        ),
        (lambda run: run.export_member("t0000-10", "again"), "member 't0000-10': "),
        (lambda run: run.export("."), ". is a folder with other things"),
        (lambda run: run.compare("t0000-100", "t0000-10"), "compare 't0000-10': "),
        (lambda run: run.leaderboard(metric="mqla"), "metric 'mqla' is unknown"),
        (lambda run: run.ablate(base="t0000-10"), "base 't0000-10': "),
        (lambda run: run.ablate(over="head"), "over 'head': "),
    ],
)
def test_errors_name_what_was_said_and_no_option_of_a_command(
    golden: Path, call: Callable[[autoqa.Run], object], begins: str
) -> None:
    with autoqa.open_run("golden") as run, pytest.raises(AutoqaError) as caught:
        call(run)
    assert str(caught.value).startswith(begins)
    assert "--" not in str(caught.value)


def test_an_exported_bundle_opens(golden: Path) -> None:
    with autoqa.open_run(Path("study.toml")) as run:
        manifest = run.export("again")
        then = json.loads(Path("exported/manifest.json").read_text("utf-8"))
        assert [member.id for member in manifest.members] == [m["id"] for m in then["members"]]
        assert manifest.private.score == then["private"]["jaccard"]
        with pytest.raises(ConfigError, match="exists already"):
            run.export("again")
        (alone,) = run.export("again", candidate="t0000-100", force=True).members
        assert alone.id == "t0000-100"
        with pytest.raises(NothingFeasibleError, match="no such candidate"):
            run.export("third", candidate="t0000-99")
    ensemble = autoqa.load("again")
    assert ensemble(question="Where does Ada live ?", context="Ada lives in Rome .").answer


def test_an_unknown_run_is_one_sentence(golden: Path) -> None:
    with pytest.raises(ConfigError, match=r"'goldn': no study of that name .* did you mean"):
        autoqa.open_run("goldn")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "toy").mkdir()
    return write_study(tmp_path / "toy", "trials = 1\nworkers = 1\n")


def test_a_search_from_a_script(study: Path, tmp_path: Path) -> None:
    """As a user writes it: a file of its own, since workers import the script that began them."""
    example = examples(1)[0]
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import autoqa

if __name__ == "__main__":
    with autoqa.search({str(study)!r}) as run:
        print([record.id for record in run.candidates()])
        run.export({str(tmp_path / "bundle")!r})
    ensemble = autoqa.load({str(tmp_path / "bundle")!r})
    print(ensemble(question={example.question!r}, context={example.context!r}).answer)
""",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ids, answer = done.stdout.splitlines()
    assert sorted(ids.strip("[]").replace("'", "").split(", ")) == ["t0000-050", "t0000-100"]
    assert answer in example.context


def test_a_script_that_searches_while_it_is_imported_is_told_so(study: Path) -> None:
    script = study.parent / "script.py"
    script.write_text(f"import autoqa\nautoqa.search({str(study)!r})\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode != 0
    logs = "".join(path.read_text() for path in study.parent.parent.rglob("worker-*.log"))
    assert 'call it below `if __name__ == "__main__":`' in done.stderr + logs


def test_the_package_is_light_and_says_what_it_has() -> None:
    code = (
        "import sys, autoqa; assert not {'torch', 'transformers', 'optuna'} & set(sys.modules); "
        "print(*sorted(autoqa.__all__)); autoqa.nothing"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == [
        *("Documents", "Ensemble", "Run", "__version__"),
        *("load", "open_run", "pipeline", "search"),
    ]
    assert "module 'autoqa' has no attribute 'nothing'" in done.stderr
