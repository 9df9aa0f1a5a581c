"""Optimizer steps of a large model on a GPU: padded as usual, packed in autoqa, both in bfloat16.

The model has the shape of MuRIL-large (24 layers of 1024, 197,285 word pieces) and random weights;
windows of 384 tokens are cut from paragraphs, 32 to a step. Beside the ratio stands autoqa's share
of the device's peak. Equality is that of :mod:`bench_train`, of a smaller model of the same kind:
rounding alone moves 24 random layers further.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    BertConfig,
    BertForQuestionAnswering,
)

from autoqa.api import TrainingProtocol
from autoqa.modeling.training_setup import load_for_training

from .bench_train import (
    ROUNDS,
    STEPS,
    Work,
    make_work,
    packed_steps,
    padded_steps,
    same_step,
    same_windows,
    small_bert,
)
from .harness import compare
from .texts import backbone_folder, paragraphs

WINDOWS = 32
MURIL_LARGE = BertConfig(
    vocab_size=197_285,
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)
PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L4": 121e12, "4090": 165e12}
"""Dense bfloat16 operations per second, from the makers' data sheets."""


def operations(config: BertConfig, lengths: Sequence[int]) -> float:
    """Floating-point operations of a training step's matrix products over real tokens.

    Six per weight and token, two forward and four backward, and the same for the two products of
    attention (Narayanan et al. 2021, arXiv:2104.04473, appendix).
    """
    width, inner = config.hidden_size, config.intermediate_size
    weights = config.num_hidden_layers * (4 * width * width + 2 * width * inner)
    products = config.num_hidden_layers * 2 * width
    return 6.0 * sum(weights * n + products * n * n for n in lengths)


def peak() -> float | None:
    """Operations per second that the maker promises, or ``None`` for a card not in the table."""
    name = torch.cuda.get_device_name()
    return next((rate for card, rate in PEAK.items() if card in name), None)


def equal_steps(folder: Path, work: Work) -> bool:
    """Whether a small model's loss and gradients agree on the GPU in bfloat16."""
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder).cuda()
    ours = load_for_training(folder, TrainingProtocol(), seed=0, device="cuda")
    return same_windows(work) and same_step(theirs, ours, work, torch.bfloat16)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_train_large(tmp_path: Path) -> None:
    work = make_work(backbone_folder(), paragraphs(), WINDOWS)
    equal = equal_steps(small_bert(tmp_path / "small", backbone_folder()), work)
    torch.manual_seed(0)
    folder = tmp_path / "large"
    BertForQuestionAnswering(MURIL_LARGE).save_pretrained(folder)
    AutoTokenizer.from_pretrained(backbone_folder()).save_pretrained(folder)
    theirs = AutoModelForQuestionAnswering.from_pretrained(folder).cuda().train()
    ours = load_for_training(folder, TrainingProtocol(), seed=0, device="cuda")
    outcome = compare(
        "train_short_gpu",
        padded_steps(theirs, work, torch.bfloat16),
        packed_steps(ours, work, "bf16"),
        rounds=ROUNDS,
        unit="windows/s",
        equal=lambda one, other: equal and one == other == WINDOWS * STEPS,
        amount=float,
    )
    lengths = work.windows.lengths.tolist()
    per_window = operations(MURIL_LARGE, lengths) / len(lengths)
    promised = peak()
    share = f"{outcome.b * per_window / promised:.1%}" if promised else "unknown share"
    print(f"{torch.cuda.get_device_name()}: {share} of the bfloat16 peak")
