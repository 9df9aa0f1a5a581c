"""The package from Python: a search, what it left, its export, all without the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import autoqa
from autoqa.errors import ConfigError, NothingFeasibleError
from tests.bundle_kit import examples
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
