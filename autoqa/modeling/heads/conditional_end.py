"""An answer head that scores an answer's end given its start."""

from typing import Any, Self

import torch
from torch import nn

from autoqa.modeling.heads.base import AnswerHead, LogitTensors
from autoqa.modeling.packing import Batch

BEAM = 5
"""Starts that ends are scored for at inference; XLNet's fine-tuning code has the same number."""

UNREACHED = 10.0
"""Nats by which a token before every start of the beam lies below the least likely other one."""


class ConditionalEnd(AnswerHead):
    """Scores an answer's end given its start, as XLNet's fine-tuning code does.

    The score of token i as the end of an answer that starts at token s is
    ``w . LayerNorm(tanh(W [h_i ; h_s] + b)) + c`` (Yang et al. 2019, arXiv:1906.08237, and the end
    scorer of the code released with it). An answer cannot end before it starts; the window's
    first token, which stands for "no answer", competes as an end whatever the start.

    Args:
        hidden_size: Size H of the encoder's output.
        epsilon: Of the layer norm.
        spread: Standard deviation of fresh weights.
    """

    no_onnx = "whose search over starts has no counterpart in ONNX"

    def __init__(self, hidden_size: int, epsilon: float = 1e-12, spread: float = 0.02) -> None:
        super().__init__()
        self.join = nn.Linear(2 * hidden_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size, eps=epsilon)
        self.score = nn.Linear(hidden_size, 1)
        for layer in (self.join, self.score):
            nn.init.normal_(layer.weight, std=spread)
            nn.init.zeros_(layer.bias)

    @classmethod
    def fresh(cls, config: Any) -> Self:
        """A head of the encoder's size, drawn as the encoder's own layers are."""
        return cls(
            config.hidden_size,
            epsilon=getattr(config, "layer_norm_eps", 1e-12),
            spread=getattr(config, "initializer_range", 0.02),
        )

    def training_logits(
        self, hidden: torch.Tensor, linear: LogitTensors, batch: Batch
    ) -> LogitTensors:
        """Linear starts, and ends given the labelled start."""
        return linear[0], self(hidden, batch.label[:, 0], batch)

    def answer_logits(
        self, hidden: torch.Tensor, linear: LogitTensors, batch: Batch
    ) -> LogitTensors:
        """Linear starts, and ends summed over a beam of starts."""
        return linear[0], self.marginal(hidden, linear[0], batch)

    def forward(self, hidden: torch.Tensor, start: torch.Tensor, batch: Batch) -> torch.Tensor:
        """End logits given one start per window.

        Args:
            hidden: The encoder's output ``[T, H]``.
            start: Position of the start inside each window, int64 ``[W]``.
            batch: The windows.

        Returns:
            float32 ``[T]``; minus infinity where no answer can end.
        """
        return self._given(self._token_part(hidden), hidden, start, batch)

    def marginal(
        self, hidden: torch.Tensor, start_logits: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        """One end logit per token: log of the sum over a beam of starts of P(start) P(end | start).

        The beam is each window's best :data:`BEAM` allowed starts; P(start) sums to 1 over it, and
        P(end | start) over the ends allowed for that start. A token that no start of the beam
        reaches would be minus infinity, and decide a mean over models alone; it is set
        :data:`UNREACHED` below the window's least likely token instead.

        Args:
            hidden: The encoder's output ``[T, H]``.
            start_logits: ``[T]``.
            batch: The windows.

        Returns:
            float32 ``[T]``, finite.
        """
        nothing = float("-inf")
        starts = batch.pad(start_logits.masked_fill(~batch.allowed, nothing), nothing)
        beam_logits, beam = starts.topk(min(BEAM, starts.shape[1]), dim=1)
        # A window may have fewer allowed tokens than the beam is wide.
        beam = beam.masked_fill(beam_logits == nothing, 0)
        log_shares = beam_logits.log_softmax(1)
        token_part = self._token_part(hidden)
        ends = []
        for log_share, start in zip(log_shares.unbind(1), beam.unbind(1), strict=True):
            end = self._given(token_part, hidden, start, batch)
            end = batch.pad(end.masked_fill(~batch.allowed, nothing), nothing)
            ends.append(log_share[:, None] + end.log_softmax(1))
        total = torch.stack(ends).logsumexp(0)
        unreached = total == nothing
        lowest = total.masked_fill(unreached, float("inf")).amin(1, keepdim=True) - UNREACHED
        return batch.unpad(torch.where(unreached, lowest, total))

    def _token_part(self, hidden: torch.Tensor) -> torch.Tensor:
        """What a token adds to the joint layer whatever the start: computed once per beam."""
        return nn.functional.linear(hidden, self.join.weight[:, : hidden.shape[1]])

    def _given(
        self, token_part: torch.Tensor, hidden: torch.Tensor, start: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        weight = self.join.weight[:, hidden.shape[1] :]
        start_part = nn.functional.linear(hidden[batch.tokens(start)], weight, self.join.bias)
        joint = self.norm(torch.tanh(token_part + start_part[batch.rows]))
        logits: torch.Tensor = self.score(joint).squeeze(-1).float()
        inside = batch.positions
        reached = (inside >= start[batch.rows]) | (inside == 0)
        return logits.masked_fill(~reached, float("-inf"))
