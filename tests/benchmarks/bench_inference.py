"""Windows to logits.

The practice is what ``Trainer.predict`` does with the windows of the run_qa example: batches of
eight in the given order, padded to 384 tokens, in single precision, with the attention that
transformers chooses. autoqa packs windows of like length, without padding. Both have the same
weights: a pretrained encoder with a head drawn at random.

Single precision must give the same logits within 1e-4. Half precision cannot: there the logits of
context tokens must differ by no more than 2 % of their standard deviation (root mean square).
"""

import numpy as np
import pytest
import torch
from transformers import AutoModelForQuestionAnswering

from autoqa.api import Precision, TrainingProtocol
from autoqa.arrays import LogitPair
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import resolve_precision
from autoqa.modeling.packing import context_tokens
from autoqa.modeling.training_setup import load_for_training

from .harness import compare
from .practice_decode import padded
from .texts import backbone_folder, paragraphs

LENGTH, STRIDE, BATCH = 384, 128, 8
QUESTIONS = 200
"""Enough for a stable ratio; all would take minutes."""


def predict_padded(model: torch.nn.Module, tensors: dict[str, torch.Tensor]) -> LogitPair:
    """Start and end logits, ``[W, 384]`` each."""
    found = []
    with torch.no_grad():
        for at in range(0, len(tensors["input_ids"]), BATCH):
            output = model(**{name: rows[at : at + BATCH] for name, rows in tensors.items()})
            found.append((output.start_logits.numpy(), output.end_logits.numpy()))
    start, end = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return start, end


def padded_tensors(windows: Windows) -> dict[str, torch.Tensor]:
    flat = {
        "input_ids": windows.input_ids,
        "token_type_ids": windows.type_ids,
        "attention_mask": np.ones(len(windows.input_ids)),
    }
    return {
        name: torch.from_numpy(np.maximum(padded(windows, values, LENGTH), 0).astype(np.int64))
        for name, values in flat.items()
    }


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_inference(precision: Precision) -> None:
    cpu = torch.device("cpu")
    if precision == "bf16" and resolve_precision("auto", cpu) != torch.bfloat16:
        pytest.skip("this processor has no instructions for bfloat16")
    folder = backbone_folder()
    windows = cut(encode(QATokenizer.from_folder(folder), paragraphs()[:QUESTIONS]), LENGTH, STRIDE)
    ours = load_for_training(folder, TrainingProtocol(), seed=0, device="cpu").eval()
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
    theirs.load_state_dict(ours.inner.state_dict())
    theirs.eval()
    tensors = padded_tensors(windows)
    inside = tensors["attention_mask"].numpy() > 0
    context = context_tokens(windows)

    def close(practice: LogitPair, packed: LogitPair) -> bool:
        pairs = [(a[inside], b) for a, b in zip(practice, packed, strict=True)]
        if precision == "fp32":
            return all(np.allclose(a, b, atol=1e-4) for a, b in pairs)
        errors = [np.sqrt(np.mean((a - b)[context] ** 2)) / a[context].std() for a, b in pairs]
        print(f"\nroot mean square error / standard deviation: {max(errors):.4f}")
        return max(errors) <= 0.02

    compare(
        f"infer_{precision}",
        lambda: predict_padded(theirs, tensors),
        lambda: predict(ours, windows, precision=precision),
        rounds=3,
        unit="windows/s",
        equal=close,
        amount=lambda _: len(windows),
    )
