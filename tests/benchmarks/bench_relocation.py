"""How many answers that occur several times are put back where annotators saw them.

TyDi QA and XQuAD, every offset replaced by the first occurrence. Weights are learned from the other
languages, once for the texts alone and once with one small model, fine-tuned on TyDi and SQuAD rows
that have nothing in common with those that are placed. The last lines are what the constants of
autoqa/placing/evidence.py and autoqa/labels/ambiguous_answers.py are fitted to.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.arrays import Doubles
from autoqa.labels.ambiguous_answers import PlacedAnswer, learn
from autoqa.labels.candidate_opinions import Judges
from autoqa.labels.relocation import with_models
from autoqa.placing.conditional_logit import fit
from autoqa.placing.evidence import Places, unambiguous
from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import keep_validation
from autoqa.training.jobs import TrialJob
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from autoqa.types import Example

from .harness import Comparison, record
from .relocation import (
    NOTHING,
    Known,
    ambiguous,
    calibration_error,
    corpora,
    data_folder,
    deciles,
    left_out,
)

STUDY = """
name = "relocation"
[sources.tydi]
type = "file"
path = "{data}/tydiqa-goldp.*.jsonl.gz"
[sources.squad]
type = "file"
path = "{data}/squad.en.train.jsonl.gz"
[sources.asked]
type = "file"
path = "{folder}/asked.jsonl"
[backbones.e5]
type = "e5-small"
vocabulary = "full"
[recipe]
portions = [{{ source = "squad", share = 0.02 }}, {{ source = "tydi", share = 0.25 }}]
[validation]
source = "asked"
public = 0.999
"""
TRIAL = Recipe(
    (Stage((Portion("squad", None, 0.02, 0.1), Portion("tydi", None, 0.25, 0.2)), 256, 64),)
)

COLUMNS = (
    "place",
    "begins a word",
    "ends a word",
    "no brackets",
    "first",
    "early",
    "translations",
)
"""What the columns of the evidence say; single ones prefer the first of equals."""


def test_relocation(tmp_path: Path) -> None:
    data = data_folder()
    if not data.is_dir():
        pytest.skip(f"no real data: AUTOQA_DATA is unset and {data} does not exist")
    everything = corpora(data)
    rows = ambiguous(everything)
    first = float(np.mean([row.first for row in rows]))
    chance = float(np.mean([row.chance for row in rows]))
    print(f"\n{len(rows)} answers occur several times; right are: first {first:.3f}, ", end="")
    print(f"random {chance:.3f}")
    for number, name in enumerate(COLUMNS):
        sign = -1 if name in ("no brackets", "early") else 1
        _best(f"alone, {name}", rows, [sign * one.asked.evidence[:, number] for one in rows])
    text = _report("texts alone", rows, left_out(rows))
    judges = _trained(tmp_path, data, rows)
    heard = with_models([row.asked for row in rows], judges, models=1)
    known = [
        Known(asked, row.truth)
        for asked, row in zip(heard, rows, strict=True)
        if asked.models is not None
    ]
    _best("the model alone", known, [one.asked.models for one in known])
    both = _report("texts and a model", known, left_out(known))
    _constants(everything, known)
    for name, share in (("relocation_text", text), ("relocation_accuracy", both)):
        record(
            Comparison(
                name=name,
                ratio=round(share, 3),
                a=round(first, 3),
                b=round(chance, 3),
                unit="share of true starts: ratio ours, a first occurrence, b random",
                equal=True,
                rounds=1,
            )
        )


def _best(name: str, rows: Sequence[Known], values: Sequence[Doubles | None]) -> None:
    """Prints how often the highest value stands at a true place."""
    right = [
        value is not None and row.asked.starts[int(value.argmax())] in row.truth
        for row, value in zip(rows, values, strict=True)
    ]
    print(f"{name}, {len(rows)} answers: {np.mean(right):.3f}")


def _report(name: str, rows: Sequence[Known], placed: Sequence[PlacedAnswer]) -> float:
    """Prints what a way of placing reaches; the share of true starts."""
    right = np.array([one.start in row.truth for row, one in zip(rows, placed, strict=True)])
    print(f"{name}: {right.mean():.3f} of {len(rows)}")
    parts = {f"{row.asked.example.source} {row.language}" for row in rows}
    for part in sorted(parts):
        own = [f"{row.asked.example.source} {row.language}" == part for row in rows]
        first = np.mean([row.first for row, mine in zip(rows, own, strict=True) if mine])
        print(f"  {part}: {right[own].mean():.3f} of {sum(own)}, first {first:.3f}")
    twin = np.array([row.twin for row in rows])
    confirmed = np.array([row.confirmed for row in rows])
    for kind, those in (
        ("once more in the true sentence", twin),
        ("only once in it", ~twin),
        ("two annotators saw it in one place", confirmed),
    ):
        print(f"  {kind}: {right[those].mean():.3f} of {those.sum()}")
    table = deciles(rows, placed)
    for said, was, size in table:
        print(f"  confidence {said:.3f}: right {was:.3f} of {size}")
    print(f"  expected calibration error {calibration_error(table):.3f}")
    return float(right.mean())


def _trained(folder: Path, data: Path, rows: Sequence[Known]) -> Judges:
    """A small model that has seen nothing of the rows."""
    examples = {row.asked.example.id: row.asked.example for row in rows}
    lines = [json.dumps(_flat(one), ensure_ascii=False) + "\n" for one in examples.values()]
    (folder / "asked.jsonl").write_text("".join(lines), encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(STUDY.format(data=data, folder=folder), encoding="utf-8")
    bench = Workbench(open_study(study), folder / "run")
    run = RunFolder(bench.run_folder)
    run.create()
    store = Store(run.store_url(), "relocation")
    store.save_study(study.read_text(encoding="utf-8"))
    keep_validation(run, store, bench.data.public, bench.data.private)
    job = TrialJob(0, "e5", TrainingRun(TRIAL, 2e-4, 0), bench.run_folder)
    run_trial(job, bench, lambda message: None)
    return Judges(StudyRun(bench.bound.study, run, store), "asked")


def _flat(one: Example) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.document,
        "context": one.context,
        "question": one.question,
        "language": one.language,
        "answers": {
            "text": [answer.text for answer in one.answers],
            "answer_start": [answer.start for answer in one.answers],
        },
    }


def _constants(everything: Sequence[Sequence[Example]], rows: Sequence[Known]) -> None:
    """Prints what the package's constants are fitted to: everything, with no language left out."""
    lessons: list[Doubles] = []
    for examples in everything:
        places = Places(examples)
        lessons += places.lessons(unambiguous(examples)[:300])[0]
    usual = fit(lessons, [0] * len(lessons), np.zeros(lessons[0].shape[1]))
    weights = learn([row.trusted() for row in rows], NOTHING)
    for name, fitted in (
        ("evidence._USUAL", usual),
        ("evidence.TEXT_COEFFICIENTS", weights.text),
        ("relocate._WITH_MODELS", weights.with_models),
    ):
        print(f"{name} = {fitted.round(2).tolist()}")
