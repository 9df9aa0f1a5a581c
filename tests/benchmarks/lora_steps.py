"""Optimizer steps of a model as large as XLM-R base, weights random, in a process of their own.

``python -m tests.benchmarks.lora_steps RANK STEPS`` prints JSON: ``seconds`` of processor time per
step after the first, and ``peak``, the most memory that was resident, MiB. Rank 0 tunes all
weights.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import torch
import transformers

from autoqa.api import TrainingProtocol
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate
from tests.benchmarks.memory import status
from tests.modeling.conftest import make_windows

LENGTHS = [256] * 4
BASE = transformers.XLMRobertaConfig(
    vocab_size=250_002, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1
)


def measured(rank: int, steps: int) -> dict[str, float]:
    """Trains, and measures."""
    with tempfile.TemporaryDirectory() as scratch:
        torch.manual_seed(0)
        transformers.AutoModel.from_config(BASE).save_pretrained(scratch)
        protocol = TrainingProtocol(adapter_rank=rank)
        model = load_for_training(Path(scratch), protocol, seed=0)
    rates = LearningRate(Method(), (steps,), 0.1)
    engine = Engine(model, protocol, protocol.learning_rate, rates, seed=0)
    windows = make_windows(LENGTHS)
    engine.train(windows)
    begin = time.process_time()
    for _ in range(steps - 1):
        engine.train(windows)
    return {"seconds": (time.process_time() - begin) / (steps - 1), "peak": status("VmHWM")}


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]), int(sys.argv[2]))))
