"""Eight whole trials: learning rates and shares of the data, one backbone, equal precision.

The practice runs them one after another, once as a process each (*script*) and once in a loop
inside one process (*trainer*), with a thread per core. autoqa searches the same eight points with
a worker per core. All sides begin with nothing but the rows and the model's folder: tokenising,
imports, and writing models and answers down are in the time of each.

``AUTOQA_RUN_QA`` names a transformers example script ``run_qa.py`` (of the installed version, with
``trainer_qa.py`` and ``utils_qa.py`` beside it, the package ``evaluate`` installed and its metric
``squad`` at hand) that then takes the place of this project's own re-enactment in *script*.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autoqa.data import prepare_data
from autoqa.features.files import load_windows
from autoqa.registry import open_study
from autoqa.scores.metrics import score
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example

from .harness import compare
from .studies import Data, make_data, minilm

POINTS = [(rate, share) for rate in (2e-4, 1e-4, 3e-4, 4e-4) for share in (1.0, 0.5)]
ROWS, QUESTIONS = 96, 60
ROOT = Path(__file__).parents[2]
CORES = len(os.sched_getaffinity(0))

ENVIRONMENT = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY", "TOKENIZERS_PARALLELISM")
"""What ``make bench`` sets for measurements in one thread, and people do not set."""

COMMAND = "from autoqa.cli.main import main; main()"


@dataclass(frozen=True)
class Outcome:
    """What eight trials came to.

    Attributes:
        windows: Windows trained on, of all trials.
        answered: Questions that each trial answered.
        jaccard: Mean over trials, on the questions that autoqa's search sees.
        em: The same for exact match.
    """

    windows: int
    answered: tuple[int, ...]
    jaccard: float
    em: float


def run(arguments: Sequence[str | Path], threads: int | None, folder: Path) -> str:
    """Runs Python with a fresh cache below a folder, and as many threads as said."""
    environment = {key: value for key, value in os.environ.items() if key not in ENVIRONMENT}
    environment |= {
        "AUTOQA_HOME": str(folder / "runs"),
        "AUTOQA_CACHE": str(folder / "cache"),
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    if threads is not None:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def graded(
    windows: Sequence[int], answers: Sequence[dict[str, str]], public: Sequence[Example]
) -> Outcome:
    """The practice's outcome, scored on the questions that autoqa reports."""
    scores = [score([texts[e.id] for e in public], public).mean() for texts in answers]
    return Outcome(
        sum(windows),
        tuple(map(len, answers)),
        mean([means["jaccard"] for means in scores]),
        mean([means["em"] for means in scores]),
    )


def as_script(data: Data, model: Path, public: Sequence[Example]) -> Outcome:
    """A process per trial."""
    original = os.environ.get("AUTOQA_RUN_QA")
    jobs = [data.job(model, f"script-{n}", *point) for n, point in enumerate(POINTS)]
    for number, job in enumerate(jobs):
        if original:
            run([original, *run_qa_arguments(job)], CORES, data.folder / "script")
        else:
            path = data.jobs(f"script-{number}", [job])
            run(["-m", "tests.benchmarks.practice", path], CORES, data.folder / "script")
    return graded(*(outputs_of_run_qa if original else outputs)(jobs), public)


def as_trainer(data: Data, model: Path, public: Sequence[Example]) -> Outcome:
    """A loop in one process."""
    jobs = [data.job(model, f"trainer-{n}", *point) for n, point in enumerate(POINTS)]
    path = data.jobs("trainer", jobs)
    run(["-m", "tests.benchmarks.practice", path], CORES, data.folder / "trainer")
    return graded(*outputs(jobs), public)


def outputs(jobs: Sequence[dict[str, Any]]) -> tuple[list[int], list[dict[str, str]]]:
    """Trained windows and answers of each job."""
    results = [json.loads(Path(job["folder"], "result.json").read_text("utf-8")) for job in jobs]
    return [result["windows"] for result in results], [result["answers"] for result in results]


def run_qa_arguments(job: dict[str, Any]) -> list[str]:
    """A job in the words of the example script; everything else is left at its default."""
    options = {
        "model_name_or_path": job["model"],
        "output_dir": job["folder"],
        "train_file": job["train"],
        "validation_file": job["exam"],
        "max_train_samples": job["rows"],
        "max_seq_length": job["length"],
        "doc_stride": job["stride"],
        "per_device_train_batch_size": job["batch_size"],
        "per_device_eval_batch_size": job["batch_size"],
        "learning_rate": job["learning_rate"],
        "warmup_steps": 0.1,
        "num_train_epochs": 1,
        "seed": job["seed"],
        "save_strategy": "no",
        "report_to": "none",
    }
    pairs = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return ["--do_train", "--do_eval", "--use_cpu", *pairs]


def outputs_of_run_qa(
    jobs: Sequence[dict[str, Any]],
) -> tuple[list[int], list[dict[str, str]]]:
    """The same from the files that the example script leaves."""
    windows, answers = [], []
    for job in jobs:
        folder = Path(job["folder"])
        windows.append(json.loads((folder / "train_results.json").read_text())["train_samples"])
        answers.append(json.loads((folder / "eval_predictions.json").read_text("utf-8")))
    return windows, answers


def as_autoqa(data: Data, study: Path, home: Path) -> Outcome:
    """One search."""
    run(["-c", COMMAND, "search", study, "--quiet"], None, home)
    folder = RunFolder(home / "runs" / study.stem)
    records = [folder.read_record(name) for name in folder.candidate_ids()]
    answered = []
    for record in records:
        questions = 0
        for part in ("public", "private"):
            assert folder.logits_path(record.id, part).is_file()
            windows = load_windows(folder.windows_path(record.group, part))
            questions += len(set(windows.example.tolist()))
        answered.append(questions)
    # make_data sees to it that each row is one window.
    shares = [p["share"] for r in records for s in r.recipe["stages"] for p in s["portions"]]
    return Outcome(
        sum(round(share * len(data.train)) for share in shares),
        tuple(answered),
        mean([record.score for record in records]),
        mean([record.scores["em"] for record in records]),
    )


@pytest.mark.parametrize("name, practice", [("script", as_script), ("trainer", as_trainer)])
def test_search8(
    name: str, practice: Callable[[Data, Path, Sequence[Example]], Outcome], tmp_path: Path
) -> None:
    pytest.importorskip("accelerate", reason="Trainer needs the package accelerate")
    data = make_data(tmp_path / "data", ROWS, QUESTIONS)
    model = minilm(tmp_path)
    study = data.study("eight", f'type = "huggingface"\nmodel = "{model}"', POINTS)
    prepared = prepare_data(open_study(study))
    assert len(prepared.train["train"]) == ROWS, "rows overlap with validation and were dropped"

    def equal(theirs: Outcome, ours: Outcome) -> bool:
        for side, outcome in (("practice", theirs), ("autoqa", ours)):
            print(f"\n{side}: {outcome}", end="")
        return theirs.windows == ours.windows and theirs.answered == ours.answered

    compare(
        f"search8_vs_{name}",
        lambda: practice(data, model, prepared.public),
        lambda: as_autoqa(data, study, tmp_path / "search"),
        rounds=1,
        unit="trials/s",
        equal=equal,
        amount=lambda outcome: float(len(outcome.answered)),
        warmup=False,
    )
