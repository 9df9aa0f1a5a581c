"""A planted study, ablated: what is found, kept, shown, resumed and refused."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autoqa
from autoqa.ablation import ablate as module
from autoqa.ablation.ablate import ablate
from autoqa.ablation.experiment import READS, AblationOptions
from autoqa.ablation.result import Ablation, ArmResult
from autoqa.analysis.finished_run import open_run
from autoqa.errors import ConfigError
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.display import QuietDisplay
from tests.ablation.planted import BROKEN, search_planted
from tests.conftest import Run
from tests.searching.thread_worker import ThreadPool


class Searched:
    """A planted study, and what two commands found out about it, the first of three runs."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.first = self.ablate(runs=3)
        self.after_first = self.scores()
        self.second = self.ablate()

    def ablate(self, **options: Any) -> Ablation:
        run = open_run("planted")
        given = {"over": ("augmentations",), "seeds": 3, **options}
        with run.store:
            return ablate(run, AblationOptions(**given), QuietDisplay())

    def scores(self) -> dict[Path, int]:
        found = self.folder.ablation.glob("runs-*/scores/*.json")
        return {path: path.stat().st_mtime_ns for path in found}

    def reads(self) -> int:
        with Store(self.folder.store_url(), "planted") as store:
            return store.public_reads().get(READS, 0)


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Searched:
    folder = search_planted(tmp_path_factory.mktemp("planted"), patch, more=BROKEN)
    patch.setattr(module, "make_pool", lambda _, settings: ThreadPool(settings))
    return Searched(folder)


def by_subject(found: Ablation) -> dict[str, ArmResult]:
    return {arm.subject: arm for arm in found.arms}


def test_runs_are_limited_and_the_same_command_goes_on(searched: Searched) -> None:
    first = by_subject(searched.first)
    assert searched.first.ended == "runs = 3 are used up; the same command goes on"
    assert {arm.verdict for arm in first.values()} == {"too few seeds"}
    assert first["planted-shuffle"].effect is not None
    assert first["planted-shuffle"].low is None
    assert len(searched.after_first) == 3, "those of one seed"
    assert searched.second.ended == "all seeds up to 3 are trained"
    # Three of the base, three of each arm; nothing is trained a second time.
    assert len(searched.scores()) == 9
    assert searched.after_first.items() <= searched.scores().items()


def test_base_and_arms_are_compared_with_the_same_seeds(searched: Searched) -> None:
    found = by_subject(searched.second)
    assert searched.second.base_seeds == 3
    repair, shuffle = found["planted-repair"], found["planted-shuffle"]
    assert (repair.name, repair.change) == ("with planted-repair", "added")
    assert (shuffle.name, shuffle.change) == ("without planted-shuffle", "left out")
    assert repair.effect is not None
    assert repair.low is not None
    assert shuffle.low is not None
    assert shuffle.high is not None
    assert repair.effect > 0.2, "half of the labels were wrong"
    assert repair.low < repair.effect
    assert shuffle.low <= 0 <= shuffle.high
    assert repair.cost is not None
    assert 0.1 < repair.cost < 10


def test_an_arm_that_fails_costs_no_other(searched: Searched) -> None:
    broken = by_subject(searched.second)["planted-broken"]
    assert (broken.verdict, broken.trained, broken.effect) == ("failed", 0, None)
    assert "planted-broken" in broken.failure
    assert "ValueError: no rows today" in broken.failure


def test_runs_are_no_candidates_but_reads(searched: Searched, run: Run) -> None:
    assert searched.folder.candidate_ids() == ["t0000-100"]
    assert searched.reads() == 9
    code, out, err = run("leaderboard", "planted", "--json")
    assert code == 0, err
    board = json.loads(out)
    assert [each["id"] for each in board["candidates"]] == ["t0000-100"]
    assert board["public_reads"]["ablation runs"] == 9
    code, _, err = run("select", "planted")
    assert code == 0, err
    assert json.loads(searched.folder.selection.read_text())["considered"] == ["t0000-100"]
    left = [path for path in searched.folder.ablation.rglob("*") if path.is_file()]
    assert {path.suffix for path in left} == {".json"}, "neither weights nor predictions"


def test_it_is_shown_without_training(searched: Searched, run: Run) -> None:
    before = searched.scores()
    code, out, err = run("ablate", "planted", "--show", "--json")
    assert code == 0, err
    shown = Ablation.from_json(json.loads(out))
    assert by_subject(shown) == by_subject(searched.second)
    code, out, err = run("ablate", "planted", "--show")
    assert code == 0, err
    assert "with planted-repair" in out
    assert "failed: augmentation 'planted-broken'" in " ".join(out.split())
    assert "Base: t0000-100 (toy), [train] 48/8 planted-shuffle; lr 0.01; 3 seeds" in out
    assert searched.scores() == before


def test_the_same_from_python(searched: Searched, run: Run) -> None:
    with autoqa.open_run("planted") as opened:
        found = opened.ablate(over="augmentations", only="planted-repair", seeds=3)
        assert found == opened.ablation()
        assert by_subject(found)["planted-repair"] == by_subject(searched.second)["planted-repair"]
        assert json.loads(run("ablate", "planted", "--show", "--json")[1]) == json.loads(
            json.dumps(found.as_json())
        )
        for given, sentence in (
            ({"seeds": 2}, "seeds = 2: an effect takes 3 or more"),
            ({"minutes": 0.0}, "minutes = 0: give more than 0"),
            ({"runs": 0}, "runs = 0: give 1 or more"),
            ({"over": ["augmentation"]}, "did you mean 'augmentations'?"),
        ):
            with pytest.raises(ConfigError, match=re.escape(sentence)):
                opened.ablate(**given)


def test_the_report_shows_it_with_its_intervals(
    searched: Searched, run: Run, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    code, _, err = run("report", "planted", "--to", page)
    assert code == 0, err
    text = page.read_text(encoding="utf-8")
    section = text.partition('<h2 id="ablations">')[2].partition("</section>")[0]
    assert "From t0000-100" in section
    assert section.count("<svg") == 2, "an arm that failed has no interval"
    assert "with planted-repair" in section
    assert "failed: augmentation" in section


def test_what_is_known_is_not_trained_again(searched: Searched, run: Run) -> None:
    before, reads = searched.scores(), searched.reads()
    code, out, err = run("ablate", "planted", "--only", "planted-repair", "--seeds", 3, "--quiet")
    assert code == 0, err
    assert "without planted-shuffle" in out, "what was known of the base stays"
    assert (searched.scores(), searched.reads()) == (before, reads)


def test_a_dry_run_counts_what_is_missing(searched: Searched, run: Run) -> None:
    arguments = ("ablate", "planted", "--over", "augmentations", "--dry-run")
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    plan = json.loads(out)
    # Of the broken arm all runs are missing; the others may need more seeds.
    assert plan["kept"] == 9
    assert plan["runs"]["3"] == 3
    assert plan["runs"]["8"] >= 8
    assert 0 < plan["minutes"]["3"] < plan["minutes"]["8"]
    code, out, err = run(*arguments)
    assert code == 0, err
    assert "with planted-repair: [train] 48/8 planted-shuffle planted-repair; lr 0.01" in out
    assert "9 runs are kept; 1 worker" in out
    assert "until the look after 3 seeds: 3 runs more, about 0." in out


def test_time_that_holds_no_run(searched: Searched) -> None:
    before = searched.scores()
    found = searched.ablate(only="planted-shuffle", seeds=5, minutes=1e-4)
    assert found.ended == "no further run fits into the time left; the same command goes on"
    assert searched.scores() == before


def test_a_damaged_result_is_made_again_from_its_runs(searched: Searched, run: Run) -> None:
    path = searched.folder.ablation / "t0000-100.json"
    path.write_text(path.read_text()[:-20])
    code, _, err = run("ablate", "planted", "--show")
    assert code == 2
    assert f"{path} is damaged" in " ".join(err.split())
    before = searched.scores()
    found = searched.ablate(only="planted-repair")
    assert [arm.subject for arm in found.arms] == ["planted-repair"]
    assert searched.scores() == before
    assert run("ablate", "planted", "--show")[0] == 0


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (["nowhere"], 2, "STUDY 'nowhere': no study of that name has been searched"),
        (["planted", "--base", "t0000-101"], 2, "no such candidate; did you mean 't0000-100'?"),
        (["planted", "--base", "protocol:toi"], 2, "no backbone 'toi'; did you mean 'toy'?"),
        (["planted", "--over", "augmentation"], 2, "did you mean 'augmentations'?"),
        (["planted", "--over", "order"], 2, "order: the base has one stage, which has no order"),
        (["planted", "--only", "repair"], 2, "neither base nor study file has it"),
        (["planted", "--seeds", "2"], 2, "2 is not in the range x>=3"),
        (["planted", "--runs", "0"], 2, "0 is not in the range x>=1"),
        (["planted", "--minutes", "0"], 2, "0 is not in the range x>0"),
        (["planted", "--show", "--dry-run"], 2, "give one of them"),
        (["planted", "--show", "--over", "order"], 2, "leave out --over"),
        (["planted", "--show", "--base", "t0000-10"], 2, "did you mean 't0000-100'?"),
    ],
)
def test_bad_input_is_a_sentence(
    searched: Searched, run: Run, arguments: list[str], code: int, sentence: str
) -> None:
    ended, out, err = run("ablate", *arguments)
    assert (ended, out) == (code, "")
    assert sentence in " ".join(err.replace("│", " ").split())


def test_a_study_without_an_ablation_has_none_to_show(
    searched: Searched, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(searched.folder.path.parent, tmp_path / "runs")
    shutil.rmtree(tmp_path / "runs" / "planted" / "ablation")
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    code, _, err = run("ablate", "planted", "--show")
    assert code == 2
    assert "study 'planted' has no ablation: `autoqa ablate planted` makes one" in err


def test_the_protocol_is_a_base_of_its_own(searched: Searched, run: Run) -> None:
    """Its recipe is that of the only candidate here, so its runs are there."""
    before = searched.scores()
    code, out, err = run(
        *("ablate", "planted", "--base", "protocol", "--only", "planted-repair"),
        *("--seeds", 3, "--quiet", "--json"),
    )
    assert code == 0, err
    found = json.loads(out)
    assert (found["base"], found["base_seeds"]) == ("protocol:toy", 3)
    assert searched.scores() == before
    assert run("ablate", "planted", "--show", "--base", "protocol:toy")[0] == 0


@pytest.mark.slow
def test_killed_and_interrupted_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    folder = search_planted(tmp_path, monkeypatch)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'packages'}:{Path.cwd()}"}
    command = [sys.executable, "-c", "from autoqa.cli.main import main; main()"]
    arguments = ["ablate", "planted", "--over", "augmentations", "--seeds", "3", "--quiet"]
    kept: set[Path] = set()
    for sign, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        process = subprocess.Popen([*command, *arguments], env=environment)
        while len(now := set(folder.ablation.glob("runs-*/scores/*.json"))) <= len(kept):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(sign)
        assert process.wait(120) == code
        assert kept < now
        kept = now
    done = subprocess.run([*command, *arguments], env=environment, check=True)
    assert done.returncode == 0
    assert len(set(folder.ablation.glob("runs-*/scores/*.json"))) == 9
    left = [path for path in folder.ablation.rglob("*") if path.is_file()]
    assert {path.suffix for path in left} == {".json"}, "nothing half-written"
    with Store(folder.store_url(), "planted") as store:
        # A run that was scored and not kept when the process died was read all the same.
        assert store.public_reads()[READS] in (9, 10)


@pytest.mark.slow
def test_what_base_and_arm_begin_with_is_trained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    portions = [
        {"source": "train", "position": 0},
        {"source": "train", "name": "late", "position": 1},
        {"source": "train", "name": "later", "position": 1, "share": 0.5},
    ]
    recipe = "\n".join(
        (
            "stages = { low = 2, high = 2 }",
            'method = { schedule = "wsd" }',
            *("[[recipe.portions]]\n" + toml(each) for each in portions),
        )
    )
    search_planted(tmp_path, monkeypatch, recipe=recipe)
    code, out, err = run(
        *("ablate", "planted", "--only", "portion 3 (train in stage 2)", "--runs", 2, "--seeds", 3)
    )
    assert code == 0, err
    assert "seed 1: goes on from a stage trained before: 40 of 60 steps are done" in err
    assert "without portion 3 (train in stage 2)" in out


def toml(table: dict[str, Any]) -> str:
    return "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
