"""The quickstart end to end, what pages show after it, and what its score is worth."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from autoqa.decoding.decoder import SpanDecoder
from autoqa.modeling.forward import predict
from autoqa.modeling.training_setup import load_for_training
from autoqa.registry import open_study
from autoqa.scores.metrics import score
from autoqa.training.workbench import Workbench
from tests.docs_kit import ROOT, Block, blocks, check_commands, run, run_python

STUDY = ROOT / "studies" / "quickstart.toml"


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["e5", "minilm"])
def test_untrained_backbones_know_next_to_nothing(backbone: str, tmp_path: Path) -> None:
    bench = Workbench(open_study(STUDY), tmp_path)
    ready = bench.backbone(backbone)
    found = []
    for seed in range(3):
        model = load_for_training(ready.folder, ready.bound.protocol, seed)
        model.eval()
        spans = SpanDecoder(ready.public, [e.context for e in bench.public]).best(
            *predict(model, ready.public)
        )
        found.append(score([span.text for span in spans], bench.public).mean()["jaccard"])
    print(f"\n{backbone}, fresh heads: public Jaccard {', '.join(f'{s:.3f}' for s in found)}")
    assert max(found) < 0.1


def quickstart_commands() -> list[str]:
    """What ``make quickstart`` runs once everything is installed."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "BIN=BIN", "quickstart"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.removeprefix("BIN/") for line in done.stdout.splitlines()]
    return [line for line in lines if line.startswith("autoqa ")]


def quickstart_steps() -> list[str]:
    """Each backbone's protocol only; the rest of the search takes longer, not other ways."""
    search, *others = quickstart_commands()
    return [f"{search} --trials 2 --minutes 60 --quiet", *others]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the quickstart has run."""
    folder = tmp_path_factory.mktemp("quickstart")
    shutil.copytree(ROOT / "studies", folder / "studies")
    for command in quickstart_steps():
        done = run(command, folder, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return folder


def test_quickstart_searches_exports_and_asks() -> None:
    done = [command.split()[1] for command in quickstart_commands()]
    assert done == ["search", "leaderboard", "export", "predict"]


@pytest.mark.slow
def test_quickstart_works_twice_and_its_bundle_answers(quickstart: Path) -> None:
    for command in quickstart_steps():
        done = run(command, quickstart, quickstart)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    questions = quickstart / "studies" / "quickstart-questions.csv"
    with questions.open(encoding="utf-8", newline="") as file:
        contexts = {row["id"]: row["context"] for row in csv.DictReader(file)}
    answers = {row["id"]: row["answer"] for row in csv.DictReader(done.stdout.splitlines())}
    assert list(answers) == list(contexts)
    assert all(answers[key] and answers[key] in contexts[key] for key in contexts)

    board = json.loads(run("autoqa leaderboard quickstart --json", quickstart, quickstart).stdout)
    assert {each["backbone"] for each in board["candidates"]} == {"e5", "minilm"}
    chosen = run("autoqa select quickstart", quickstart, quickstart)
    assert chosen.returncode == 0, chosen.stderr
    scored = run(f"autoqa evaluate bundle {questions} --json", quickstart, quickstart)
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["n"] == len(contexts)


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("console", after_quickstart=True), ids=str)
def test_commands_after_the_quickstart_do_what_the_pages_show(
    block: Block, quickstart: Path
) -> None:
    check_commands(block, quickstart)


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("python", after_quickstart=True), ids=str)
def test_python_after_the_quickstart_runs(block: Block, quickstart: Path) -> None:
    run_python(block, quickstart)
