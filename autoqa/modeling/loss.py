"""Losses over spans, with nothing but possible answers in their softmax."""

import torch
from torch import nn

from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch
from autoqa.recipes import Method

OVERLAP = 0.5
"""Least token overlap (Jaccard) with the labelled span at which a near-by token is rewarded."""

SOFTNESS = 0.5
"""Share of the soft part of a Jaccard-aware target; the rest is on the label."""


def training_loss(model: SpanModel, batch: Batch, method: Method) -> torch.Tensor:
    """The loss that a method trains with: the mean over its dropout masks.

    Args:
        model: In training mode, with the head that the method names.
        batch: The windows with their labels.
        method: Which loss, how many dropout masks.

    Returns:
        A scalar, float32, in nats.
    """
    loss = {"span": span_loss, "jaccard": jaccard_loss}[method.loss]
    pairs = model.training_logits(batch, method.dropout_samples)
    return torch.stack([loss(start, end, batch) for start, end in pairs]).mean()


def span_loss(start: torch.Tensor, end: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Mean over windows of the cross-entropies of the first and the last answer token.

    The usual loss of question-answering models lets question and padding tokens into the softmax,
    so it depends on how much padding a batch happens to have; here only context tokens and the
    window's first token ("no answer") compete.

    Args:
        start: Logits ``[T]``.
        end: Logits ``[T]``; minus infinity takes a token out of the softmax.
        batch: The windows the logits belong to.

    Returns:
        A scalar, in nats.
    """
    losses = [
        nn.functional.cross_entropy(_allowed_only(logits, batch), target)
        for logits, target in zip((start, end), batch.label.unbind(1), strict=True)
    ]
    return (losses[0] + losses[1]) / 2


def jaccard_loss(start: torch.Tensor, end: torch.Tensor, batch: Batch) -> torch.Tensor:
    """As :func:`span_loss`, with the targets of :func:`jaccard_targets`."""
    losses = []
    for logits, target in zip((start, end), jaccard_targets(batch), strict=True):
        logs = _allowed_only(logits, batch).log_softmax(1)
        # Minus infinity times a target of zero is no number.
        losses.append(-(target * logs.masked_fill(target == 0, 0.0)).sum(1).mean())
    return (losses[0] + losses[1]) / 2


def jaccard_targets(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Distributions over starts and over ends that reward tokens near the label.

    Start s gets a share proportional to the Jaccard overlap of the span from s to the labelled end
    with the labelled span, where that is at least :data:`OVERLAP`; ends likewise, with the
    labelled start. Mixed with the label itself, :data:`SOFTNESS` to 1 - SOFTNESS. The score of the
    project counts words; here tokens are counted, for the loss does not see the text. Windows
    without an answer keep their plain label. (Soft labels from the Jaccard overlap were the
    practice of Kaggle's Tweet Sentiment Extraction, 2020.)

    Args:
        batch: W windows, the longest with L tokens.

    Returns:
        Two float32 ``[W, L]`` whose rows sum to 1.
    """
    inside = batch.pad(batch.positions, -1)
    candidate = batch.pad(batch.allowed, False) & (inside > 0)
    first, last = batch.label[:, :1], batch.label[:, 1:]
    targets = []
    for from_, to, label in ((inside, last, first), (first, inside, last)):
        shared = torch.minimum(to, last) - torch.maximum(from_, first) + 1
        joined = torch.maximum(to, last) - torch.minimum(from_, first) + 1
        overlap = shared / joined
        near = candidate & (from_ <= to) & (overlap >= OVERLAP) & (last > 0)
        soft = overlap.masked_fill(~near, 0.0)
        total = soft.sum(1, keepdim=True)
        hard = nn.functional.one_hot(label.squeeze(1), inside.shape[1]).float()
        mixed = (1 - SOFTNESS) * hard + SOFTNESS * soft / total.clamp(min=1e-9)
        targets.append(torch.where(total > 0, mixed, hard))
    return targets[0], targets[1]


def chance_loss(batch: Batch) -> float:
    """The span loss of a model that finds all allowed tokens equally likely, in nats."""
    return float(batch.pad(batch.allowed.float(), 0.0).sum(1).log().mean())


def _allowed_only(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Logits ``[W, longest]``, minus infinity where no answer can start or end."""
    nothing = float("-inf")
    return batch.pad(logits.masked_fill(~batch.allowed, nothing), nothing)
