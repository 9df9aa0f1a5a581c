"""Optimizer steps on the same windows: padded as usual, packed in autoqa.

Both sides take batches of 8 windows in the same order, update all weights with fused AdamW, clip
gradients and follow a linear schedule; dropout is the model's own. The practice is a bare loop
over a ``datasets`` data set: Trainer's bookkeeping would only add to its time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from datasets import Dataset, disable_progress_bars
from torch import nn
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    BertConfig,
    BertForQuestionAnswering,
    default_data_collator,
    get_linear_schedule_with_warmup,
)
from transformers.utils import logging

from autoqa.api import Precision, TrainingProtocol
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.load import resolve_precision
from autoqa.modeling.loss import span_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate
from autoqa.types import Example

from .harness import compare
from .practice import with_labels
from .studies import BATCH, LENGTH, STRIDE, minilm
from .texts import articles, paragraphs

STEPS, ROUNDS, RATE = 4, 3, 3e-5
CPU = torch.device("cpu")

TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 3e-2}
"""Largest relative difference of losses, and of all gradients as one vector, that counts as equal.

bfloat16 has 8 significant bits, so single products differ by up to 0.4 %.
"""


@dataclass
class Work:
    """The same windows for both sides.

    Attributes:
        padded: What the practice trains on.
        windows: What autoqa trains on.
        separator: Id of the token between question and context.
        batch: Windows in a step.
    """

    padded: Dataset
    windows: Windows
    separator: int
    batch: int = BATCH

    def turns(self) -> Iterator[np.ndarray]:
        """Rows of each round's batches, ``[STEPS, batch]``.

        No round repeats another: packed batches have shapes of their own, whose kernels are made
        when they are first met, and a repeated round would find them made.
        """
        yield from np.arange(len(self.windows)).reshape(-1, STEPS, self.batch)


def make_work(folder: Path, examples: Sequence[Example], batch: int = BATCH) -> Work:
    """A sample of windows, the same rows of both sides' features."""
    disable_progress_bars()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    windows = cut(encode(QATokenizer.from_folder(folder), examples), LENGTH, STRIDE)
    chosen = np.random.default_rng(0).permutation(len(windows))[: batch * STEPS * (ROUNDS + 1)]
    columns = {
        "question": [e.question for e in examples],
        "context": [e.context for e in examples],
        "answers": [
            {"text": [e.answers[0].text], "answer_start": [e.answers[0].start]} for e in examples
        ],
    }
    made = with_labels(tokenizer, columns, LENGTH, STRIDE)
    padded = Dataset.from_dict({key: [rows[i] for i in chosen] for key, rows in made.items()})
    return Work(padded, take(windows, chosen), tokenizer.sep_token_id, batch)


def same_windows(work: Work) -> bool:
    """Whether both sides hold the same tokens and labels."""
    rows = work.padded.with_format("numpy")
    used = np.stack(rows["attention_mask"][:]) == 1
    labels = np.stack([rows["start_positions"][:], rows["end_positions"][:]], axis=1)
    return np.array_equal(
        np.stack(rows["input_ids"][:])[used], work.windows.input_ids
    ) and np.array_equal(labels, work.windows.label)


def masked_loss(
    start: torch.Tensor, end: torch.Tensor, batch: dict[str, torch.Tensor], separator: int
) -> torch.Tensor:
    """Cross-entropy over padded logits; only context tokens and the first token compete."""
    competes = (batch["token_type_ids"] == 1) & (batch["input_ids"] != separator)
    competes[:, 0] = True
    losses = [
        nn.functional.cross_entropy(logits.masked_fill(~competes, -torch.inf), batch[name])
        for logits, name in ((start, "start_positions"), (end, "end_positions"))
    ]
    return (losses[0] + losses[1]) / 2


def on(device: torch.device, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The batch's tensors on a device."""
    return {name: tensor.to(device) for name, tensor in batch.items()}


def same_step(theirs: nn.Module, ours: SpanModel, work: Work, dtype: torch.dtype) -> bool:
    """Whether loss and gradients of the first batch agree, dropout off and weights equal.

    The practice computes them in single precision, whatever ours are computed in.
    """
    theirs.load_state_dict(ours.inner.state_dict())
    theirs.eval()
    ours.eval()
    rows = np.arange(work.batch)
    device = ours.device
    padded = on(device, default_data_collator([work.padded[int(row)] for row in rows]))
    labels = {"start_positions": None, "end_positions": None}
    output = theirs(**{**padded, **labels})
    one = masked_loss(output.start_logits, output.end_logits, padded, work.separator)
    one.backward()
    batch = make_batch(take(work.windows, rows), device)
    with torch.autocast(device.type, dtype, dtype != torch.float32):
        logits = ours(batch)
    other = span_loss(*logits, batch)
    other.backward()
    gradients = [
        torch.cat([p.grad.flatten().double().cpu() for p in model.parameters()])
        for model in (theirs, ours.inner)
    ]
    loss = abs(one.item() - other.item()) / one.item()
    gradient = float((gradients[0] - gradients[1]).norm() / gradients[0].norm())
    print(f"\nrelative difference of loss {loss:.1e}, of gradients {gradient:.1e}", end="")
    for model in (theirs, ours):
        model.zero_grad(set_to_none=True)
        model.train()
    return max(loss, gradient) <= TOLERANCE[dtype]


def padded_steps(
    model: nn.Module, work: Work, dtype: torch.dtype = torch.float32
) -> Callable[[], int]:
    """The practice: each call trains on the next windows."""
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, 10, 1000)
    turns = work.turns()

    def run() -> int:
        done = 0
        rows = work.padded.select(next(turns).flatten())
        for batch in DataLoader(rows, batch_size=work.batch, collate_fn=default_data_collator):
            with torch.autocast(device.type, dtype, dtype != torch.float32):
                loss = model(**on(device, batch)).loss
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            loss.item()
            done += len(batch["input_ids"])
        return done

    return run


def packed_steps(model: SpanModel, work: Work, precision: Precision) -> Callable[[], int]:
    """autoqa's step over the same windows."""
    turns = work.turns()
    protocol = TrainingProtocol(weight_decay=0.0, batch_size=work.batch, precision=precision)
    engine = Engine(model, protocol, RATE, LearningRate(Method(), (1000,), 0.01), seed=0)

    def run() -> int:
        done = 0
        for rows in next(turns):
            engine.train(take(work.windows, rows))
            done += len(rows)
        return done

    return run


def small_bert(folder: Path, tokenizer: Path) -> Path:
    """Four layers of 256, random weights, MiniLM's tokenizer."""
    shape = {"hidden_size": 256, "num_hidden_layers": 4, "intermediate_size": 1024}
    config = BertConfig(vocab_size=30522, num_attention_heads=4, **shape)
    torch.manual_seed(0)
    BertForQuestionAnswering(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("model", ["minilm", "small"])
@pytest.mark.parametrize(
    "name, precision, examples",
    [
        ("train_short_fp32", "fp32", paragraphs),
        ("train_long_fp32", "fp32", articles),
        ("train_short_bf16", "bf16", paragraphs),
    ],
)
def test_train(
    name: str,
    precision: Precision,
    examples: Callable[[], Any],
    model: str,
    tmp_path: Path,
) -> None:
    if precision == "bf16" and resolve_precision("auto", CPU) != torch.bfloat16:
        pytest.skip("this CPU has no instructions for bfloat16")
    dtype = resolve_precision(precision, CPU)
    folder = minilm(tmp_path)
    if model == "small":
        folder, name = small_bert(tmp_path / "small", folder), f"{name}_4x256"
    work = make_work(folder, examples())
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder)
    ours = load_for_training(folder, TrainingProtocol(), seed=0)
    equal = same_windows(work) and same_step(theirs, ours, work, dtype)
    compare(
        name,
        padded_steps(theirs, work),
        packed_steps(ours, work, precision),
        rounds=ROUNDS,
        unit="windows/s",
        equal=lambda one, other: equal and one == other == work.batch * STEPS,
        amount=float,
    )
