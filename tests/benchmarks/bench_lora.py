"""Adapters beside full tuning: what a step costs, what it takes in memory, what is learned.

``lora_step`` and ``lora_memory`` train a model of XLM-R base's sizes with random weights, on one
thread, each run in a process of its own, in turns. ``lora_score`` trains e5-small on XQuAD's Hindi
articles but for every fourth, on which it is scored; all arms see the same windows in the same
order.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from autoqa_backbones.e5 import SPEC

from autoqa.api import TrainingProtocol, read_rows
from autoqa.decoding.decoder import SpanDecoder
from autoqa.env import cache_folder
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.modeling.forward import predict
from autoqa.modeling.training_setup import load_for_training
from autoqa.placing.examples import examples_from
from autoqa.placing.options import RowOptions
from autoqa.recipes import Method
from autoqa.scores.metrics import score
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate
from autoqa.types import Example

from .harness import Comparison, record

RANK, ROUNDS, STEPS = 16, 2, 4
SCORED_STEPS = 80


def steps_of(rank: int) -> dict[str, float]:
    """What a process of its own measures."""
    command = [sys.executable, "-m", "tests.benchmarks.lora_steps", str(rank), str(STEPS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_lora_step_and_memory() -> None:
    found: dict[int, list[dict[str, float]]] = {0: [], RANK: []}
    for _ in range(ROUNDS):
        for rank, results in found.items():
            results.append(steps_of(rank))
    print(f"\n{found}")
    for name, field, unit in (
        ("lora_step", "seconds", "steps/s"),
        ("lora_memory", "peak", "1/MiB"),
    ):
        full, adapted = (median(each[field] for each in found[rank]) for rank in (0, RANK))
        record(
            Comparison(
                name=name, ratio=round(full / adapted, 3), a=round(1 / full, 6),
                b=round(1 / adapted, 6), unit=unit, equal=True, rounds=ROUNDS,
            )
        )  # fmt: skip
        print(f"{name}: full {full:.2f}, adapters {adapted:.2f}: {full / adapted:.2f}")


def hindi(data: Path) -> tuple[list[Example], list[Example]]:
    """Questions to train on, and of every fourth article to score on."""
    path = data / "xquad.hi.even-articles.json"
    rows = list(examples_from(read_rows(path), RowOptions(language="hi"), "hi"))
    documents = list(dict.fromkeys(row.document for row in rows))
    held = set(documents[::4])
    return [r for r in rows if r.document not in held], [r for r in rows if r.document in held]


ARMS: dict[str, dict[str, float]] = {
    "full": {},
    "rank 16, rate x 10": {"adapter_rank": RANK},
    "rank 16, rate x 3": {"adapter_rank": RANK, "adapter_multiplier": 3.0},
}


@pytest.mark.skipif(SPEC.missing(SPEC.options()) is not None, reason="needs e5-small")
def test_lora_score(data_folder: Path) -> None:
    folder = SPEC.prepare(SPEC.options(), cache_folder())
    train, held = hindi(data_folder)
    own = SPEC.protocol(SPEC.options())
    tokenizer = QATokenizer.from_folder(folder)
    seen, asked = (cut(encode(tokenizer, rows), own.length, own.stride) for rows in (train, held))
    decoder = SpanDecoder(asked, [row.context for row in held])
    for arm, changes in ARMS.items():
        protocol: TrainingProtocol = own.model_copy(update=changes)
        model = load_for_training(folder, protocol, seed=0)
        rates = LearningRate(Method(), (SCORED_STEPS,), protocol.warmup_ratio)
        engine = Engine(model, protocol, protocol.learning_rate, rates, seed=0)
        order, losses = np.random.default_rng(0).permutation(len(seen)), []
        for rows in np.resize(order, (SCORED_STEPS, protocol.batch_size)):
            losses.append(engine.train(take(seen, rows)).loss)
        model.eval()
        answers = decoder.best(*predict(model, asked, precision=protocol.precision))
        mean = score([span.text for span in answers], held).mean()
        print(f"lora_score {arm}: last losses {np.mean(losses[-10:]):.2f}, {mean}", flush=True)
