"""Windows a second of a small model on a machine that computes something else at the same time.

A waits as OpenMP does by default, spinning; B as autoqa makes it, asleep. Every measurement is a
process of its own, because the policy is read once, and beside each of them as many others compute
as there are processors.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from autoqa.env import cache_folder

from .harness import compare
from .studies import minilm

QUESTIONS, ROUNDS = 40, 3

FORWARD = """
import json, sys
from pathlib import Path
from autoqa.api import TrainingProtocol
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.modeling.forward import predict
from autoqa.modeling.training_setup import load_for_training
from tests.benchmarks.texts import paragraphs

folder = Path(sys.argv[1])
examples = paragraphs()[:int(sys.argv[2])]
windows = cut(encode(QATokenizer.from_folder(folder), examples), 256, 64)
model = load_for_training(folder, TrainingProtocol(), 0, "cpu")
start, end = predict(model, windows, precision="fp32")
print(json.dumps([len(windows), float(start.sum()), float(end.sum())]))
"""
SPIN = "while True: sum(range(1000))"


@contextmanager
def busy() -> Iterator[None]:
    """As many processes that compute as there are processors."""
    others = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def forward(policy: str | None) -> list[float]:
    """Windows, and sums of their logits, from a process with this policy; ``None`` is autoqa's."""
    dropped = ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {key: value for key, value in os.environ.items() if key not in dropped}
    if policy is not None:
        environment["OMP_WAIT_POLICY"] = policy
    command = [sys.executable, "-c", FORWARD, str(minilm(cache_folder())), str(QUESTIONS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_answers_beside_other_work() -> None:
    with busy():
        compare(
            "infer_busy",
            lambda: forward("ACTIVE"),
            lambda: forward(None),
            rounds=ROUNDS,
            unit="windows/s",
            equal=lambda spinning, asleep: spinning == asleep,
            amount=lambda asleep: asleep[0],
            warmup=False,
        )
