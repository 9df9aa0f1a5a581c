"""The span loss, with nothing but possible answers in its softmax."""

import torch
from torch import nn

from autoqa.modeling.packing import Batch


def span_loss(start: torch.Tensor, end: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Mean over windows of the cross-entropies of the first and the last answer token.

    The usual loss of question-answering models lets question and padding tokens into the softmax,
    so it depends on how much padding a batch happens to have; here only context tokens and the
    window's first token ("no answer") compete.

    Args:
        start: Logits ``[T]``.
        end: Logits ``[T]``.
        batch: The windows the logits belong to.

    Returns:
        A scalar, in nats.
    """
    losses = [
        nn.functional.cross_entropy(
            batch.pad(logits.masked_fill(~batch.allowed, float("-inf")), float("-inf")), target
        )
        for logits, target in zip((start, end), batch.label.unbind(1), strict=True)
    ]
    return (losses[0] + losses[1]) / 2
