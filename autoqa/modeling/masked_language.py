"""Masked-language training: an encoder learns a kind of text by filling gaps in it.

The loss of BERT (Devlin et al. 2019, arXiv:1810.04805). Backbones mostly come without the head that
they were pretrained with, so a small fresh one is tied to the table of word embeddings.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import nn

from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch

SHARE = 0.15
"""Share of the context's tokens, or words, that are to be told."""

MASKED, RANDOM = 0.8, 0.1
"""Of the tokens to be told, those that become the mask and those that become any other; the rest
stay as they are."""


class MaskedLanguageHead(nn.Module):
    """Scores of tokens from the encoder's output, as BERT's head makes them.

    Only tokens that the texts hold compete: a fresh head could learn of the others only that they
    never come, at many times the cost.

    Args:
        hidden_size: Size H of the encoder's output.
        embeddings: The encoder's table of word embeddings, ``[V, D]``.
        tokens: Ids of the C tokens that compete, distinct and ascending, int64 ``[C]``.
    """

    tokens: torch.Tensor

    def __init__(self, hidden_size: int, embeddings: nn.Parameter, tokens: torch.Tensor) -> None:
        super().__init__()
        size = embeddings.shape[1]
        self.join = nn.Linear(hidden_size, size)
        self.norm = nn.LayerNorm(size)
        self.bias = nn.Parameter(torch.zeros(len(tokens)))
        nn.init.normal_(self.join.weight, std=0.02)
        nn.init.zeros_(self.join.bias)
        # In a tuple, so that the table is not a part of the head's own weights.
        self._embeddings = (embeddings,)
        self.register_buffer("tokens", tokens, persistent=False)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits ``[M, C]`` of M tokens with the encoder's output ``[M, H]``."""
        joined = self.norm(nn.functional.gelu(self.join(hidden)))
        return nn.functional.linear(joined, self._embeddings[0][self.tokens], self.bias)


@contextmanager
def masked_language_head(
    model: SpanModel, tokens: torch.Tensor, seed: int
) -> Iterator[MaskedLanguageHead]:
    """A fresh head as a part of the model, to be trained with it; gone afterwards.

    Args:
        model: Whose encoder is trained.
        tokens: See :class:`MaskedLanguageHead`.
        seed: Decides the head's weights.
    """
    torch.manual_seed(seed)
    embeddings = model.inner.get_input_embeddings().weight
    head = MaskedLanguageHead(model.inner.config.hidden_size, embeddings, tokens).to(model.device)
    model.add_module("masked_language", head)
    try:
        yield head
    finally:
        del model.masked_language


def mask(
    batch: Batch, mask_id: int, tokens: torch.Tensor, *, whole_words: bool = False
) -> tuple[Batch, torch.Tensor]:
    """Hides tokens of the contexts; PyTorch's generator decides which.

    Args:
        batch: Windows with T tokens.
        mask_id: What a hidden token becomes.
        tokens: What a token becomes that is replaced by another, drawn from these ids.
        whole_words: Whether all tokens of a word are to be told or none.

    Returns:
        The batch as the encoder sees it, and which of its tokens are to be told, bool ``[T]``.
    """
    device = batch.input_ids.device
    context = batch.allowed & (batch.positions > 0)
    if whole_words:
        word = batch.starts_word.cumsum(0)
        told = context & (torch.rand(int(word[-1]) + 1, device=device) < SHARE)[word]
    else:
        told = context & (torch.rand(len(context), device=device) < SHARE)
    fate = torch.rand(len(context), device=device)
    others = tokens[torch.randint(len(tokens), context.shape, device=device)]
    ids = batch.input_ids.masked_fill(told & (fate < MASKED), mask_id)
    ids = torch.where(told & (fate >= MASKED) & (fate < MASKED + RANDOM), others, ids)
    return replace(batch, input_ids=ids), told


def masked_language_loss(
    batch: Batch,
    model: SpanModel,
    head: MaskedLanguageHead,
    mask_id: int,
    *,
    whole_words: bool = False,
) -> torch.Tensor:
    """Cross-entropy of the tokens to be told, averaged in each window and then over windows.

    A window without any counts as zero, so that the loss of a batch is the mean of those of its
    parts, however it is cut.

    Args:
        batch: The windows as they are.
        model: In training mode.
        head: What :func:`masked_language_head` put on it.
        mask_id: What a hidden token becomes.
        whole_words: Whether all tokens of a word are to be told or none.

    Returns:
        A scalar, float32, in nats.
    """
    hidden_batch, told = mask(batch, mask_id, head.tokens, whole_words=whole_words)
    logits = head(model.hidden(hidden_batch)[told]).float()
    wanted = torch.searchsorted(head.tokens, batch.input_ids[told])
    losses = nn.functional.cross_entropy(logits, wanted, reduction="none")
    window = batch.rows[told]
    count = torch.bincount(window, minlength=len(batch.lengths))
    return (losses / count[window]).sum() / len(batch.lengths)
