"""The model that is trained and exported: an encoder of transformers and an answer head.

Whether a model really computes the same packed and padded is probed once, after loading.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from autoqa.modeling.frozen import FrozenLayers
from autoqa.modeling.heads.base import AnswerHead, LogitTensors
from autoqa.modeling.heads.registry import HEAD_PREFIX
from autoqa.modeling.packing import ATTENTION, Batch

DROPOUT = 0.5
"""Rate of each mask of multi-sample dropout: dropout's classic rate before an output layer."""


class SpanModel(nn.Module):
    """A transformers question-answering model behind one packed-or-padded forward pass.

    Args:
        inner: The transformers model, with ``start_logits`` and ``end_logits`` in its output.
        head: Scores in place of the inner model's own; needs a model that :meth:`splits`.

    Attributes:
        inner: The transformers model.
        head: The extra head, or ``None``.
        packs: Whether it computes the same packed as padded; if so, it is run packed.
        compiled: Whether the encoder is compiled where it trains.
        frozen: The lowest layers, if what they give may be computed once per window.
        notes: Sentences for people about what is not done as the protocol says.
    """

    def __init__(self, inner: Any, head: AnswerHead | None = None) -> None:
        super().__init__()
        self.inner = inner
        self.head = head
        self.compiled = False
        self.frozen: FrozenLayers | None = None
        self.notes: tuple[str, ...] = ()
        self.takes_types = "token_type_ids" in inspect.signature(inner.forward).parameters
        embeddings = getattr(inner.base_model, "embeddings", None)
        # RoBERTa-like models count positions from padding_idx + 1.
        roberta_like = hasattr(embeddings, "create_position_ids_from_input_ids")
        self.first_position = int(inner.config.pad_token_id) + 1 if roberta_like else 0
        self.packs = True
        self.packs = _packs(self)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        device: torch.device = self.inner.device
        return device

    def forward(self, batch: Batch) -> LogitTensors:
        """Logits of every token as the answer's first and as its last, float32 ``[T]`` each."""
        if self.head is None:
            return self._inner_logits(batch)
        hidden = self.hidden(batch)
        return self.head.answer_logits(hidden, self._scores(hidden), batch)

    def training_logits(self, batch: Batch, dropout_samples: int = 1) -> Iterator[LogitTensors]:
        """Start and end logits to compute the loss from, one pair per dropout mask.

        Multi-sample dropout (Inoue 2019, arXiv:1905.09788) runs the encoder once and masks its
        output anew for each pair.

        Args:
            batch: The windows with their labels.
            dropout_samples: How many masks; 1 leaves the encoder's output as it is.

        Yields:
            float32 ``[T]`` each; an extra head may rule tokens out by minus infinity.
        """
        if self.head is None and dropout_samples == 1:
            yield self._inner_logits(batch)
            return
        hidden = self.hidden(batch)
        for _ in range(dropout_samples):
            masked = hidden
            if dropout_samples > 1:
                masked = nn.functional.dropout(hidden, DROPOUT, self.training)
            scores = self._scores(masked)
            yield scores if self.head is None else self.head.training_logits(masked, scores, batch)

    def hidden(self, batch: Batch) -> torch.Tensor:
        """The encoder's output ``[T, H]``."""
        return self._flat(self._run(self.inner.base_model, batch)[0], batch)

    @torch.no_grad()
    def lower(self, batch: Batch) -> torch.Tensor:
        """What the frozen layers make of windows, float32 ``[T, H]``; see :attr:`frozen`."""
        if self.frozen is None:
            raise ValueError("the model has no frozen layers")
        with self.frozen.alone() as given:
            self._run(self.inner.base_model, batch)
        return self._flat(given[0], batch).float()

    def freeze(self, layers: FrozenLayers) -> bool:
        """Takes layers as :attr:`frozen`, if the model computes the same from their output on."""
        batch = made_up_batch(self)
        self.frozen = layers
        with _evaluating(self.inner):
            try:
                two_steps = self._inner_logits(replace(batch, lower=self.lower(batch)))
                same = _close(two_steps, self._inner_logits(batch))
            except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
                same = False  # the architecture wants more of its layers than hidden states
        if not same:
            self.frozen = None
        return same

    def splits(self) -> bool:
        """Whether the logits are a linear layer ``qa_outputs`` on the encoder's output.

        An extra head and multi-sample dropout go in between. Some architectures have further
        layers there, so the logits of made-up windows are computed both ways.
        """
        layer = getattr(self.inner, "qa_outputs", None)
        if not isinstance(layer, nn.Linear) or layer.out_features != 2:
            return False
        with _evaluating(self.inner):
            batch = made_up_batch(self)
            hidden = self.hidden(batch)
            if hidden.shape[-1] != layer.in_features:
                return False
            return _close(self._scores(hidden), self._inner_logits(batch))

    def state(self) -> dict[str, torch.Tensor]:
        """All weights by name, not copied; an extra head's have a prefix of their own."""
        state = dict(self.inner.state_dict())
        if self.head is not None:
            extra = self.head.state_dict()
            state |= {f"{HEAD_PREFIX}{name}": tensor for name, tensor in extra.items()}
        return state

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Copies weights, named as :meth:`state` names them, into the model.

        Raises:
            RuntimeError: A weight is missing, unknown or of another shape.
        """
        inner = {k: v for k, v in state.items() if not k.startswith(HEAD_PREFIX)}
        self.inner.load_state_dict(inner)
        if self.head is not None:
            extra = {k.removeprefix(HEAD_PREFIX): state[k] for k in state.keys() - inner.keys()}
            self.head.load_state_dict(extra)

    def compile_encoder(self) -> None:
        """Compiles the encoder for training; falls back in :meth:`run_uncompiled` if it cannot."""
        encoder = self.inner.base_model
        encoder.forward = torch.compile(encoder.forward, dynamic=True)
        self.compiled = True

    def run_uncompiled(self, error: Exception) -> None:
        """Undoes :meth:`compile_encoder`, and notes why."""
        del self.inner.base_model.forward  # the class's own shows again
        self.compiled = False
        first_line = str(error).strip().partition("\n")[0]
        self.notes += (
            f"torch.compile failed ({type(error).__name__}: {first_line:.200}); "
            "the model is trained uncompiled.",
        )

    def _inner_logits(self, batch: Batch) -> LogitTensors:
        output = self._run(self.inner, batch)
        start, end = output.start_logits, output.end_logits
        return self._flat(start, batch).float(), self._flat(end, batch).float()

    def _scores(self, hidden: torch.Tensor) -> LogitTensors:
        start, end = self.inner.qa_outputs(hidden).float().unbind(-1)
        return start, end

    def _run(self, module: nn.Module, batch: Batch) -> Any:
        """Runs the inner model or its encoder, compiled only where it trains.

        Candidates are evaluated as the exported model will run, uncompiled.
        """
        arguments = self._packed(batch) if self.packs else self._padded(batch)
        if batch.lower is not None:
            if self.frozen is None:
                raise ValueError("a model without frozen layers needs windows from the beginning")
            lower = batch.lower[None] if self.packs else batch.pad(batch.lower, 0.0)
            with self.frozen.giving(lower):
                return module(**arguments)
        if not self.compiled:
            return module(**arguments)
        if self.training:
            from torch._dynamo.exc import TorchDynamoException

            try:
                return module(**arguments)
            except TorchDynamoException as error:
                self.run_uncompiled(error)
                return module(**arguments)
        with torch.compiler.set_stance("force_eager"):
            return module(**arguments)

    def _packed(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One row, no padding."""
        return {
            "input_ids": batch.input_ids[None],
            "position_ids": batch.positions[None] + self.first_position,
            "segments": torch.tensor(batch.lengths),
            **({"token_type_ids": batch.type_ids[None]} if self.takes_types else {}),
        }

    def _padded(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One row per window, padded to the longest."""
        return {
            "input_ids": batch.pad(batch.input_ids, self.inner.config.pad_token_id or 0),
            "attention_mask": batch.pad(torch.ones_like(batch.input_ids), 0),
            **({"token_type_ids": batch.pad(batch.type_ids, 0)} if self.takes_types else {}),
        }

    def _flat(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        return output[0] if self.packs else batch.unpad(output)


def made_up_batch(model: SpanModel) -> Batch:
    """Two windows of different length, to probe a model with."""
    # Padding has no position of its own in some families, so the padding token is not among them.
    pad_id = model.inner.config.pad_token_id or 0
    ids = (torch.arange(1, 13, device=model.device) + pad_id) % model.inner.config.vocab_size
    label = torch.zeros(2, 2, dtype=torch.int64, device=model.device)
    return Batch(ids, torch.zeros_like(ids), [7, 5], ids >= 0, label, ids >= 0)


def _packs(model: SpanModel) -> bool:
    """Compares packed and padded logits on made-up windows; leaves ``model.packs`` off."""
    if model.inner.config._attn_implementation != ATTENTION:
        return False
    batch = made_up_batch(model)
    with _evaluating(model.inner):
        try:
            packed = model._inner_logits(batch)
        except TypeError:  # the architecture does not hand the segments down to its attention
            return False
        model.packs = False
        return _close(packed, model._inner_logits(batch))


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    """No dropout, no gradients; the module is as it was afterwards."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(was_training)


def _close(some: tuple[torch.Tensor, ...], others: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.allclose(a, b, atol=1e-4) for a, b in zip(some, others, strict=True))
