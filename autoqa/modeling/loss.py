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


TEMPERATURE = 2.0
"""Softens teacher and pupil alike, so that unlikely tokens teach, too (Hinton et al. 2015,
arXiv:1503.02531); the value of DistilBERT's question-answering script."""


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
    if batch.teacher is not None:
        loss = distillation_loss
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


def distillation_loss(start: torch.Tensor, end: torch.Tensor, batch: Batch) -> torch.Tensor:
    """As :func:`span_loss`, and how far the teacher's distributions are from the model's.

    Mean over windows of ``weight[0] * cross-entropy of the label + weight[1] * T² *
    KL(teacher || model)``, both distributions at temperature T (:data:`TEMPERATURE`); the factor T²
    keeps the gradients' size whatever T is (Hinton et al. 2015, arXiv:1503.02531). The divergence
    differs from the paper's cross-entropy by the teacher's entropy, which has no gradient, and is
    zero for a perfect pupil.

    Args:
        start: Logits ``[T]``, finite at allowed tokens.
        end: The same for ends.
        batch: Windows with a teacher, whose mass lies on allowed tokens.

    Returns:
        A scalar, in nats.
    """
    losses = []
    for logits, target, teacher in zip(
        (start, end), batch.label.unbind(1), _softened(batch), strict=True
    ):
        allowed = _allowed_only(logits, batch)
        hard = nn.functional.cross_entropy(allowed, target, reduction="none")
        losses.append(_mixed(hard, teacher, (allowed / TEMPERATURE).log_softmax(1), batch))
    return (losses[0] + losses[1]) / 2


def _softened(batch: Batch) -> list[torch.Tensor]:
    """The teacher's log-probabilities of starts and of ends at the temperature ``[W, longest]``."""
    if batch.teacher is None:
        raise ValueError("the batch has no teacher")
    padded = batch.pad(batch.teacher / TEMPERATURE, float("-inf"))
    return [side.log_softmax(1) for side in padded.unbind(2)]


def _mixed(
    hard: torch.Tensor, teacher: torch.Tensor, pupil: torch.Tensor, batch: Batch
) -> torch.Tensor:
    """The label's loss and the divergence from the teacher, weighted; the mean over windows."""
    share = teacher.exp()
    # Minus infinity less minus infinity, where both have no mass, is no number.
    soft = (share * (teacher - pupil).masked_fill(share == 0, 0.0)).sum(1)
    if batch.weight is None:
        raise ValueError("the batch has a teacher without weights")
    return (batch.weight * torch.stack([hard, TEMPERATURE**2 * soft], 1)).sum(1).mean()


def chance_loss(batch: Batch) -> float:
    """The loss of a model that finds all allowed tokens equally likely, in nats."""
    allowed = batch.pad(batch.allowed, False)
    hard = allowed.sum(1).float().log()
    if batch.teacher is None:
        return float(hard.mean())
    pupil = (-hard[:, None]).expand(allowed.shape)
    parts = [_mixed(hard, teacher, pupil, batch) for teacher in _softened(batch)]
    return float(sum(parts)) / 2


def _allowed_only(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Logits ``[W, longest]``, minus infinity where no answer can start or end."""
    nothing = float("-inf")
    return batch.pad(logits.masked_fill(~batch.allowed, nothing), nothing)
