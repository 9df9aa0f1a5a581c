"""Losses over spans, with nothing but possible answers in their softmax."""

import torch
from torch import nn

from autoqa.modeling.heads.base import LogitTensors
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch
from autoqa.recipes import Method

OVERLAP = 0.5
"""Least token overlap (Jaccard) with the labelled span at which a near-by token is rewarded."""

SOFTNESS = 0.5
"""Share of the soft part of a Jaccard-aware target; the rest is on the label."""


def training_loss(model: SpanModel, batch: Batch, method: Method) -> torch.Tensor:
    """The loss that a method trains with: the mean over its dropout masks.

    R-Drop (Liang et al. 2021, arXiv:2106.14448) runs the encoder twice, each time with other
    dropout, and adds ``rdrop`` times the :func:`divergence` of the two, as the paper's code does.

    Args:
        model: In training mode, with the head that the method names.
        batch: The windows with their labels.
        method: Which loss, how many dropout masks, and the weight of R-Drop.

    Returns:
        A scalar, float32, in nats.
    """
    loss = {"span": span_loss, "jaccard": jaccard_loss}[method.loss]
    passes = [
        list(model.training_logits(batch, method.dropout_samples))
        for _ in range(2 if method.rdrop else 1)
    ]
    labelled = torch.stack([loss(*pair, batch) for pairs in passes for pair in pairs]).mean()
    if not method.rdrop:
        return labelled
    apart = [divergence(one, other, batch) for one, other in zip(*passes, strict=True)]
    return labelled + method.rdrop * torch.stack(apart).mean()


def divergence(one: LogitTensors, other: LogitTensors, batch: Batch) -> torch.Tensor:
    """How far two passes over the same windows are apart.

    The mean of KL(P || Q) and KL(Q || P), which is half the sum of (p - q) (log p - log q), for
    starts and for ends, averaged over both and over windows; only tokens that the loss allows.

    Args:
        one: Start and end logits ``[T]`` each; minus infinity takes a token out.
        other: The same of the other pass.
        batch: The windows the logits belong to.

    Returns:
        A scalar, in nats.
    """
    total = torch.zeros((), device=batch.input_ids.device)
    for first, second in zip(one, other, strict=True):
        logs, others = (_allowed_only(each, batch).log_softmax(1) for each in (first, second))
        # Minus infinity less itself is no number.
        gap = (logs - others).masked_fill(logs.isinf() | others.isinf(), 0.0)
        total = total + ((logs.exp() - others.exp()) * gap).sum(1).mean() / 4
    return total


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
