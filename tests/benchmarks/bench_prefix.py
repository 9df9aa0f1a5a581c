"""What trials save that begin alike: a search over orders of later stages, with and without forks.

Both searches are real ones with one worker, so that they try the same recipes in the same order; an
equal outcome means that every candidate has the very same score.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import optuna

from autoqa.store.run_folder import RunFolder

from .harness import Comparison, record

TRIALS = 16
COMMAND = "from autoqa.cli.main import main; main()"
STUDY = """
name = "prefix"
[sources.shelf]
type = "demo"
languages = ["en"]
documents = 40
questions_per_document = 4
seed = 1
[sources.near]
type = "demo"
languages = ["en"]
documents = 16
questions_per_document = 2
seed = 2
noise = 0.2
[sources.exam]
type = "demo"
languages = ["en"]
documents = 20
questions_per_document = 2
seed = 3
[backbones.minilm]
type = "minilm-l6"
[recipe]
stages = {{ low = 3, high = 3 }}
learning_rate = 1.0
[recipe.method]
schedule = "wsd"
[[recipe.portions]]
source = "shelf"
position = 0.0
[[recipe.portions]]
source = "near"
position = [0.5, 0.9]
share = [0.5, 0.75, 1.0]
[[recipe.portions]]
source = "near"
name = "again"
position = [0.9, 0.5]
share = [0.25, 0.5, 0.75]
[validation]
source = "exam"
public = 0.5
[search]
trials = {trials}
workers = 1
checkpoints = {checkpoints}
"""


def _search(folder: Path, checkpoints: float) -> tuple[int, int, dict[str, float]]:
    """Runs the search; steps trained, steps taken over, and the score of every trial's recipe."""
    folder.mkdir()
    file = folder / "prefix.toml"
    file.write_text(STUDY.format(trials=TRIALS, checkpoints=checkpoints), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-c", COMMAND, "search", str(file), "--quiet"],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "AUTOQA_HOME": str(folder)},
    )
    url = RunFolder(folder / "prefix").store_url()
    trials = optuna.load_study(study_name=None, storage=url).trials
    finished = [t for t in trials if "trained_steps" in t.user_attrs]
    assert len(finished) == TRIALS, [t.user_attrs.get("failure") for t in trials]
    return (
        sum(t.user_attrs["trained_steps"] for t in finished),
        sum(t.user_attrs["reused_steps"] for t in finished),
        {t.user_attrs["run"]: t.value for t in finished},
    )


def test_prefix(tmp_path: Path) -> None:
    apart, none, without = _search(tmp_path / "without", 0.0)
    trained, reused, shared = _search(tmp_path / "with", 4.0)
    assert none == 0
    outcome = Comparison(
        name="prefix_saved",
        ratio=round(apart / trained, 3) if without == shared else None,
        a=apart,
        b=trained,
        unit="optimizer steps, all trials",
        equal=without == shared,
        rounds=1,
    )
    record(outcome)
    print(f"\nprefix_saved: {json.dumps({'steps': apart, 'trained': trained, 'forked': reused})}")
    print(f"saved {1 - trained / apart:.0%} of the steps of {TRIALS} trials")
