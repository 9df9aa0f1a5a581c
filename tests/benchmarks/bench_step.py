"""One optimizer step of a small encoder: as it was, as it is, and above frozen layers.

``train_vs_before`` trains all layers of e5-small above its frozen embeddings. A is the step of
version 0.1.0, whose attention was made of plain operations; losses must be equal to the last bit.

``train_frozen_cached`` trains the upper half. A is again the old step, on all layers; B finds what
the frozen half gives in a warm cache, as every run but the first does. The gradients of what is
trained must be those of training through the frozen half within 1e-2 (relative, as one vector).
``train_frozen`` is the same without the cache: what freezing alone brings.

One thread computes all the time, so its processor time is what counts, on a busy machine, too.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from autoqa_backbones.e5 import SPEC

from autoqa.api import TrainingProtocol
from autoqa.env import cache_folder
from autoqa.features.cache import FeatureCache
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling import packing
from autoqa.modeling.loss import span_loss
from autoqa.modeling.packing import make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.training.engine import Engine
from autoqa.training.lower_layers import LowerLayers
from autoqa.training.schedule import LearningRate

from .harness import compare
from .texts import paragraphs

OPTIONS = SPEC.options()
STEPS, ROUNDS, RATE = 4, 3, 2e-4
BF16 = torch.bfloat16

pytestmark = pytest.mark.skipif(
    bool(SPEC.missing(OPTIONS)) or not torch.cpu._is_avx512_bf16_supported(),
    reason="needs e5-small, and a processor with instructions for bfloat16",
)


def plain_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: list[int], scale: float
) -> torch.Tensor:
    """The attention of version 0.1.0."""
    parts = zip(*(torch.split(t, lengths, dim=2) for t in (query, key, value)), strict=True)
    outputs = [packing._attend(q, k, v, 0.0, scale) for q, k, v in parts]
    return torch.cat(outputs, dim=2).transpose(1, 2).contiguous()


def half_frozen(*, cached: bool) -> TrainingProtocol:
    changes = {"frozen_layers": 6, "cache_frozen": cached}
    return SPEC.protocol(OPTIONS).model_copy(update=changes)


@pytest.fixture(scope="module")
def folder() -> Path:
    return SPEC.prepare(OPTIONS, cache_folder())


@pytest.fixture(scope="module")
def windows(folder: Path) -> Windows:
    """Of XQuAD's Hindi paragraphs, in the protocol's length."""
    protocol = SPEC.protocol(OPTIONS)
    found = cut(
        encode(QATokenizer.from_folder(folder), paragraphs()), protocol.length, protocol.stride
    )
    return take(found, np.random.default_rng(0).permutation(len(found)))


def make_engine(folder: Path, protocol: TrainingProtocol) -> Engine:
    model = load_for_training(folder, protocol, seed=0)
    assert model.packs
    return Engine(model, protocol, RATE, LearningRate(Method(), (1000,), 0.1), seed=0)


def with_cache(engine: Engine, folder: Path) -> Engine:
    """The engine with what its frozen layers give of the windows it will see."""
    engine.lower = LowerLayers(engine.model, BF16, FeatureCache(folder).activations, 6)
    return engine


def steps(
    engine: Engine, windows: Windows, size: int, *, before: bool
) -> Callable[[], list[float]]:
    """Each call trains on the next windows and gives the losses."""
    turns: Iterator[np.ndarray] = iter(np.arange(len(windows))[: len(windows) // size * size])

    def run() -> list[float]:
        kept = packing.attend_windows
        if before:
            packing.attend_windows = plain_attention
        try:
            rows = [[next(turns) for _ in range(size)] for _ in range(STEPS)]
            return [engine.train(take(windows, each)).loss for each in rows]
        finally:
            packing.attend_windows = kept

    return run


def gradients(engine: Engine, windows: Windows) -> torch.Tensor:
    """Of one batch, as one vector."""
    batch = make_batch(windows, engine.model.device)
    if engine.lower is not None:
        batch = engine.lower.fill(batch)
    with torch.autocast("cpu", BF16):
        loss = span_loss(*engine.model(batch), batch)
    loss.backward()
    parts = [p.grad.flatten() for p in engine.model.parameters() if p.grad is not None]
    engine.model.zero_grad(set_to_none=True)
    return torch.cat(parts)


def test_train_vs_before(folder: Path, windows: Windows) -> None:
    protocol = SPEC.protocol(OPTIONS)
    compare(
        "train_vs_before",
        steps(make_engine(folder, protocol), windows, protocol.batch_size, before=True),
        steps(make_engine(folder, protocol), windows, protocol.batch_size, before=False),
        rounds=ROUNDS,
        clock=time.process_time,
        unit="windows/s",
        equal=lambda one, other: one == other,
        amount=lambda _: float(STEPS * protocol.batch_size),
    )


@pytest.mark.parametrize("cached", [False, True])
def test_train_frozen(folder: Path, windows: Windows, tmp_path: Path, cached: bool) -> None:
    protocol = SPEC.protocol(OPTIONS)
    size = protocol.batch_size
    apart = make_engine(folder, half_frozen(cached=cached))
    through = gradients(apart, take(windows, range(size)))
    if cached:
        with_cache(apart, tmp_path)
        for begin in range(0, STEPS * (ROUNDS + 1) * size, size):
            apart.lower.fill(
                make_batch(take(windows, range(begin, begin + size)), torch.device("cpu"))
            )
    found = gradients(apart, take(windows, range(size)))
    difference = float((found - through).norm() / through.norm())
    print(f"\nrelative difference of gradients {difference:.1e}", end="")
    compare(
        "train_frozen_cached" if cached else "train_frozen",
        steps(make_engine(folder, protocol), windows, size, before=True),
        steps(apart, windows, size, before=False),
        rounds=ROUNDS,
        clock=time.process_time,
        unit="windows/s",
        equal=lambda one, other: difference < 1e-2 and len(one) == len(other),
        amount=lambda _: float(STEPS * size),
    )
