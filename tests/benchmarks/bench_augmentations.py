"""Is sentence-drop worth anything? The same runs with and without it, on the same questions.

MiniLM, a share of TyDi QA's English training questions, two passes; Jaccard on questions about
eleven documents of XQuAD English, which are drawn anew for the interval. Scores of the seeds are
averaged question by question, so the interval says nothing of other seeds. Needs ``AUTOQA_DATA``;
``AUTOQA_BENCH_SEEDS`` (2) says how many runs of each kind, ``AUTOQA_BENCH_SHARE`` (0.08, 296
questions) how many rows each draws: 40 seconds of one core a run, in proportion.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from autoqa.analysis.stored_predictions import StoredPart
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.scores.bootstrap import paired
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, RecipeCard, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench

from .harness import Comparison, record

STUDY = """
name = "augmentations"
[sources.tydi]
type = "file"
path = "{data}/tydiqa-goldp.en.train.jsonl.gz"
[sources.xquad]
type = "file"
path = "{data}/xquad.en.even-articles.json"
language = "en"
[backbones.it]
type = "minilm-l6"
[backbones.it.protocol]
epochs = 2
length = 256
stride = 64
[recipe]
portions = [{{ source = "tydi" }}]
[validation]
source = "xquad"
share = 0.6
public = 0.8
[search]
checkpoints = 0
"""
SHARE = float(os.environ.get("AUTOQA_BENCH_SHARE", "0.08"))
ARMS = {
    "without": (),
    "with": (AugmentationUse("sentence-drop", (("share", 0.1),)),),
}


def _scores(bench: Workbench, number: int, arm: str, seed: int) -> np.ndarray:
    """Jaccard of each public question, float64 ``[Q]``."""
    protocol = bench.bound.backbones["it"].protocol
    stage = Stage((Portion("tydi", share=SHARE),), protocol.length, protocol.stride, ARMS[arm])
    run = TrainingRun(Recipe((stage,)), protocol.learning_rate, seed)
    messages: list[Message] = []
    begin = time.process_time()
    run_trial(TrialJob(number, "it", run, bench.run_folder, only=1.0), bench, messages.append)
    (taken,) = (each.candidate for each in messages if isinstance(each, SnapshotTaken))
    (card,) = (each for each in messages if isinstance(each, RecipeCard))
    logits = load_logits(RunFolder(bench.run_folder), taken.id, "public")
    windows = bench.backbone("it").public
    part = StoredPart(bench.public, {taken.group: windows}, {taken.id: logits}, "jaccard")
    scores = part.question_scores(
        EnsemblePlan([Member(taken.id, taken.group, 1)], tie_group=taken.group)
    )
    spent = time.process_time() - begin
    print(f"\n{arm}, seed {seed}: {scores.mean():.4f}, {spent:.0f} s;{card.lines[1]}", flush=True)
    return scores


def test_sentence_drop(tmp_path: Path) -> None:
    data = os.environ.get("AUTOQA_DATA")
    if data is None:
        pytest.skip("AUTOQA_DATA is not set")
    seeds = range(int(os.environ.get("AUTOQA_BENCH_SEEDS", "2")))
    (tmp_path / "study.toml").write_text(STUDY.format(data=data))
    bench = Workbench(open_study(tmp_path / "study.toml"), tmp_path / "runs" / "augmentations")
    runs = [(arm, seed) for seed in seeds for arm in ARMS]
    scores = {own: _scores(bench, number, *own) for number, own in enumerate(runs)}
    means = {arm: np.mean([scores[arm, seed] for seed in seeds], axis=0) for arm in ARMS}
    found = paired(means["with"], means["without"], [e.document for e in bench.public])
    print(
        f"\nsentence-drop: {means['without'].mean():.4f} without, {means['with'].mean():.4f} with, "
        f"gain {found.gain:+.4f} ({found.low:+.4f} to {found.high:+.4f}), {len(bench.public)} "
        f"questions about {len({e.document for e in bench.public})} documents, {len(seeds)} seeds"
    )
    record(
        Comparison(
            name="sentence_drop",
            ratio=round(float(means["with"].mean() / means["without"].mean()), 4),
            a=round(float(means["without"].mean()), 4),
            b=round(float(means["with"].mean()), 4),
            unit="jaccard of the same questions",
            equal=True,
            rounds=len(seeds),
        )
    )
