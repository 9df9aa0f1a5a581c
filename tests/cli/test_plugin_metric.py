"""A metric of a plugin, from the study file to a bundle's scores."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoqa.errors import PluginError
from autoqa.registry.versions import environment
from autoqa.scores import registry
from autoqa.scores.metrics import score_by
from autoqa.store.study_tables import Store
from autoqa.trials.optuna_study import open_study
from tests import bundle_kit
from tests.conftest import Run
from tests.plugin_kit import METRIC, write_distribution
from tests.toy_study import search_study, write_study

POINTS = {"metrics": {"letters": "spec"}}


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path; what its metrics left behind is taken out afterwards."""
    before = {metric.name for metric in registry.all_metrics()}
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for metric in registry.all_metrics():
        if metric.name not in before:
            registry.unregister(metric.name)
    for name in [each for each in sys.modules if each.startswith("my_")]:
        del sys.modules[name]


@pytest.mark.slow
def test_a_study_is_searched_ranked_and_exported_by_it(
    packages: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Run,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write_distribution(packages, "my-letters", POINTS, METRIC)
    study = write_study(tmp_path, "trials = 1\n")
    text = study.read_text().replace("public = 0.5", 'public = 0.5\nmetric = "letters"')
    study.write_text(text)
    search_study(study)
    capfd.readouterr()
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    board = json.loads(run("leaderboard", "toy", "--json")[1])
    assert board["metric"] == "letters"
    assert all(0 <= row["letters"] <= 1 for row in board["candidates"])
    assert run("export", "toy", "--to", tmp_path / "bundle")[0] == 0
    card = (tmp_path / "bundle" / "README.md").read_text("utf-8")
    assert "letters" in card
    exam = bundle_kit.write_squad(tmp_path / "rows.json", bundle_kit.examples(8))
    scored = json.loads(run("evaluate", tmp_path / "bundle", exam, "--json", "--quiet")[1])
    assert 0 <= scored["letters"] <= 1


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    bundle_kit.write_run(tmp_path)
    return tmp_path


def test_a_finished_study_is_ranked_by_it(packages: Path, home: Path, run: Run) -> None:
    write_distribution(packages, "my-letters", POINTS, METRIC)
    assert "letters" not in run("leaderboard", "toy")[1]
    board = json.loads(run("leaderboard", "toy", "--metric", "letters", "--json")[1])
    rows = [row["letters"] for row in board["candidates"]]
    assert rows == sorted(rows, reverse=True)
    assert all(0 <= value <= 1 for value in rows)


@pytest.mark.parametrize(
    "code, points, sentence",
    [
        (METRIC, {"metrics": {"lettres": "spec"}}, "but its spec says 'letters'"),
        (
            "raise RuntimeError('no ink')",
            {"metrics": {"lettres": "spec"}},
            "RuntimeError: no ink (",
        ),
        ("spec = 7", {"metrics": {"lettres": "spec"}}, "is of type int, not MetricSpec"),
        (
            "spec = MetricSpec(name='lettres', summary='', function=max, api_version=9)",
            {"metrics": {"lettres": "spec"}},
            "it was written for version 9 of the plugin API",
        ),
        (
            "spec = MetricSpec(name='lettres', summary='', function=max, low=1, high=0)",
            {"metrics": {"lettres": "spec"}},
            "its low is 1 and its high 0",
        ),
    ],
)
def test_a_broken_one_is_named(
    packages: Path, code: str, points: dict[str, dict[str, str]], sentence: str
) -> None:
    write_distribution(packages, "my-broken", points, code)
    with pytest.raises(PluginError) as caught:
        registry.get_metric("lettres", "--metric")
    lead = "--metric: the metric plugin 'lettres' of my-broken 1.0 cannot be used: "
    assert str(caught.value).startswith(lead)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "returns, sentence",
    [
        ("1 / 0", "failed: ZeroDivisionError: division by zero"),
        ("2.0", "gives 2.0 for "),
        ("float('nan')", "gives nan for "),
    ],
)
def test_what_it_does_wrong_is_told(packages: Path, returns: str, sentence: str) -> None:
    code = (
        "spec = MetricSpec(name='wrong', summary='Wrong',"
        f" function=lambda prediction, reference, language: {returns})"
    )
    write_distribution(packages, "my-wrong", {"metrics": {"wrong": "spec"}}, code)
    with pytest.raises(PluginError, match=r"the metric 'wrong' of my-wrong 1\.0 ") as caught:
        score_by("wrong", ["a"] * 2, bundle_kit.examples(2))
    assert sentence in str(caught.value)


def test_an_unknown_name_is_compared_with_those_of_plugins(
    packages: Path, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_distribution(packages, "my-letters", POINTS, METRIC)
    assert "did you mean 'letters'?" in run("leaderboard", "toy", "--metric", "leters")[2]
    status, _, err = run("leaderboard", "toy", "--metric", "zzz")
    assert status == 2
    assert "letters; a plugin's needs its package installed" in err
    monkeypatch.setenv("AUTOQA_PLUGINS", "other")
    status, _, err = run("leaderboard", "toy", "--metric", "letters")
    assert status == 3
    assert "because AUTOQA_PLUGINS switches off my-letters; add that name to it" in err
    monkeypatch.delenv("AUTOQA_PLUGINS")
    write_distribution(packages, "my-others", POINTS, METRIC)
    status, _, err = run("leaderboard", "toy", "--metric", "letters")
    assert status == 3
    assert "is offered more than once, by my-letters 1.0 and my-others 1.0; uninstall one" in err


def test_a_study_whose_metric_was_uninstalled_names_its_package(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_distribution(packages, "my-letters", POINTS, METRIC)
    registry.get_metric("letters")
    folder = bundle_kit.write_run(tmp_path, "letters")
    with Store(folder.store_url(), "toy") as store:
        store.save_conditions({"environment": environment(), "trials": 1, "minutes": None})
    open_study("toy", folder.store_url(), seed=0)
    assert run("leaderboard", "toy")[0] == 0
    registry.unregister("letters")
    shutil.rmtree(packages / "my_letters-1.0.dist-info")
    sentence = (
        "study 'toy': the package of its metric 'letters', my-letters 1.0, is not installed: "
        "`pip install my-letters==1.0` brings it back"
    )
    for command in (["leaderboard"], ["select"], ["report"], ["export", "--to", "bundle"]):
        status, out, err = run(command[0], "toy", *command[1:])
        assert (status, out.replace("toy-report.html\n", "")) == (3, ""), err
        assert sentence in " ".join(err.split())
    assert run("leaderboard", "toy", "--metric", "jaccard")[0] == 0
    with Store(folder.store_url(), "toy") as store:
        store.save_conditions({"environment": {}, "trials": 1, "minutes": None})
    status, _, err = run("select", "toy")
    assert status == 2
    assert "study 'toy': metric 'letters' is unknown; there are: " in " ".join(err.split())
