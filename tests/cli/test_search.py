import json
import re
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autoqa.cli.search import search
from autoqa.errors import MissingAssetError
from autoqa.searching import runner
from tests.searching import fakes


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study file whose plugins, data and training are stand-ins; the rest is real."""
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setattr("autoqa.registry.open_study", fakes.bind)
    monkeypatch.setattr("autoqa.data.prepare_data", fakes.prepare)
    monkeypatch.setattr(runner, "run_search", partial(runner.run_search, factory=fakes.good))
    path = tmp_path / "study.toml"
    path.write_text(fakes.STUDY)
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(search, [str(each) for each in arguments], catch_exceptions=False)


def test_lines_for_people_then_the_result_and_what_comes_next(study: Path) -> None:
    result = call(study, "--trials", 2, "--workers", 1)
    assert "trial 0 starts on worker 0: e5 [squad + tydi] 384/128; lr 3e-05" in result.stderr
    assert re.search(
        r"trial 0 finished in \d+ s: jaccard 0\.\d+ ± 0\.040, t0000-100", result.stderr
    )
    assert "candidate t0000-100" not in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout.splitlines()[0] == "all 2 trials are done."
    assert "2 trials finished, 0 failed, 0 repeated" in result.stdout
    assert "autoqa leaderboard small\n  autoqa export small --to bundle" in result.stdout


def test_quiet_and_json(study: Path) -> None:
    result = call(study, "--trials", 1, "--quiet", "--json")
    assert result.stderr == ""
    shown = json.loads(result.stdout)
    assert (shown["finished"], shown["highest"]["backbone"]) == (1, "e5")


def test_dry_run(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call(study, "--dry-run", "--json")
    shown = json.loads(result.stdout)
    assert shown["validation"] == {"public": 4, "private": 6}
    assert shown["backbones"]["e5"]["first"]["protocol"][0] == "stage 1: [squad + tydi] 384/128"

    def bind(path: Path) -> object:
        bound = fakes.bind(path)
        bound.missing = lambda: ["backbones.e5: no weights"]
        return bound

    monkeypatch.setattr("autoqa.registry.open_study", bind)
    runner_ = CliRunner()
    result = runner_.invoke(search, [str(study), "--dry-run"])
    assert "source tydi" in result.stdout
    assert "no weights" not in result.stdout
    assert isinstance(result.exception, MissingAssetError)
    assert str(result.exception) == "backbones.e5: no weights"
    with pytest.raises(MissingAssetError, match="no weights"):
        call(study)


@pytest.mark.parametrize("option", [("--trials", 0), ("--minutes", 0), ("--workers", -1)])
def test_numbers_that_make_no_sense_are_refused(study: Path, option: tuple[str, int]) -> None:
    assert call(study, *option).exit_code == 2
