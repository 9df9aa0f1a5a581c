"""The model that is trained and exported: an encoder of transformers and an answer head.

How windows go through a model so that each gets what it gets alone is probed once, after loading.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from autoqa.modeling.adapters import load_plain, plain_state
from autoqa.modeling.arguments import ForwardArguments
from autoqa.modeling.attention import ATTENTION, noticed, windows_up_to
from autoqa.modeling.frozen import FrozenLayers
from autoqa.modeling.heads.base import AnswerHead, LogitTensors
from autoqa.modeling.heads.registry import HEAD_PREFIX
from autoqa.modeling.packing import Batch
from autoqa.modeling.probing import (
    PACKED,
    WindowLayout,
    choose_layout,
    close,
    evaluating,
    made_up_batch,
    reads_left_to_right,
    telling_lengths,
    told,
)

DROPOUT = 0.5
"""Rate of each mask of multi-sample dropout: dropout's classic rate before an output layer."""


class SpanModel(nn.Module):
    """A transformers question-answering model behind one packed-or-padded forward pass.

    Args:
        inner: The transformers model, with ``start_logits`` and ``end_logits`` in its output.
        head: Scores in place of the inner model's own; needs a model that :meth:`splits`.

    Attributes:
        generates: Whether its logits are made of texts that it generates
            (:mod:`autoqa.modeling.seq2seq`).
        inner: The transformers model.
        head: The extra head, or ``None``.
        layout: How windows go through it.
        fault: Why it cannot even be run on one window after the other; ``None`` where it can.
        compiled: Whether the encoder is compiled where it trains.
        frozen: The lowest layers, if what they give may be computed once per window.
        notes: Sentences for people about what is not done as the protocol says.
    """

    generates = False

    def __init__(self, inner: Any, head: AnswerHead | None = None) -> None:
        super().__init__()
        self.inner = inner
        self.head = head
        self.compiled = False
        self.frozen: FrozenLayers | None = None
        self.notes: tuple[str, ...] = ()
        self._arguments = ForwardArguments(inner)
        self.layout: WindowLayout = "padded"
        self.fault: str | None = None
        self._choose_layout()

    @property
    def packs(self) -> bool:
        """Whether windows go through it back to back."""
        return self.layout in PACKED

    @property
    def takes_types(self) -> bool:
        """Whether it has embeddings of question and context as such."""
        return self._arguments.takes_types

    @property
    def attention(self) -> str:
        """The name of what computes its attention, as transformers knows it."""
        return str(self._arguments.transformer.config._attn_implementation)

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
        if self.layout == "single" and len(batch.lengths) > 1:
            return torch.cat([self.hidden(each) for each in batch.windows()])
        return self._flat(self._run(self.inner.base_model, batch)[0], batch)

    @torch.no_grad()
    def lower(self, batch: Batch) -> torch.Tensor:
        """What the frozen layers make of windows, float32 ``[T, H]``; see :attr:`frozen`."""
        if self.frozen is None:
            raise ValueError("the model has no frozen layers")
        if self.layout == "single" and len(batch.lengths) > 1:
            return torch.cat([self.lower(each) for each in batch.windows()])
        with self.frozen.alone() as given:
            self._run(self.inner.base_model, batch)
        return self._flat(given[0], batch).float()

    def freeze(self, layers: FrozenLayers) -> bool:
        """Takes layers as :attr:`frozen`, if the model computes the same from their output on."""
        batch = self.made_up_batch()
        self.frozen = layers
        with evaluating(self.inner):
            try:
                two_steps = self._inner_logits(replace(batch, lower=self.lower(batch)))
                same = close(two_steps, self._inner_logits(batch))
            except Exception:  # the architecture wants more of its layers than hidden states
                same = False
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
        with evaluating(self.inner):
            batch = self.made_up_batch()
            hidden = self.hidden(batch)
            if hidden.shape[-1] != layer.in_features:
                return False
            return close(self._scores(hidden), self._inner_logits(batch))

    def reads_left_to_right(self) -> bool:
        """Whether what a token gives depends on what precedes it alone, as in decoders."""
        with evaluating(self.inner):
            return reads_left_to_right(self._inner_logits, self.made_up_batch())

    def made_up_batch(self, lengths: tuple[int, ...] = (5, 7)) -> Batch:
        """Windows of different length, to probe the model with."""
        return made_up_batch(self.inner.config, self.device, lengths)

    def state(self) -> dict[str, torch.Tensor]:
        """All weights by name, with adapters added to them; an extra head's have a prefix."""
        state = plain_state(self.inner)
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
        load_plain(self.inner, inner)
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
        self.notes += (f"torch.compile failed ({told(error)}); the model is trained uncompiled.",)

    def _choose_layout(self) -> None:
        def run(layout: WindowLayout, batch: Batch) -> LogitTensors:
            self.layout = layout
            return self._inner_logits(batch)

        batch = self.made_up_batch(telling_lengths(self.inner.config))
        chosen: WindowLayout = "padded"
        with evaluating(self.inner):
            try:
                dispatches = self._dispatches(batch)
                chosen, why = choose_layout(run, batch, dispatches=dispatches)
            except Exception as error:  # architectures raise what they like
                self.fault = told(error)
        self.layout = chosen
        if self.fault is None and why:
            how = "padded" if chosen == "padded" else "run one after the other"
            name = type(self._arguments.transformer).__name__
            self.notes += (f"windows are {how}, not packed, which is slower: {name} {why}",)

    def _dispatches(self, batch: Batch) -> bool:
        """Whether the packed attention does what the model's own does; if not, it has its own."""
        if self.attention != ATTENTION:
            return False
        self.layout = "single"
        ours = None
        with noticed() as called:
            try:
                ours = self._inner_logits(batch)
            except (NotImplementedError, ValueError):  # adds to the products what kernels do not
                called.clear()
        self._attend_by("eager")
        if not called or ours is None or not close(ours, self._inner_logits(batch)):
            return False
        self._attend_by(ATTENTION)
        return True

    def _attend_by(self, name: str) -> None:
        for module in self.inner.modules():  # some refuse set_attn_implementation
            if hasattr(module, "config"):
                module.config._attn_implementation = name

    def _inner_logits(self, batch: Batch) -> LogitTensors:
        if self.layout == "single" and len(batch.lengths) > 1:
            starts, ends = zip(*map(self._inner_logits, batch.windows()), strict=True)
            return torch.cat(starts), torch.cat(ends)
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
        if not self.packs:
            return self._called(module, batch, self._arguments.padded(batch))
        with windows_up_to(max(batch.lengths)):
            arguments = self._arguments.packed(batch, mask=self.layout == "masked")
            return self._called(module, batch, arguments)

    def _called(self, module: nn.Module, batch: Batch, arguments: dict[str, torch.Tensor]) -> Any:
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

    def _flat(self, output: torch.Tensor, batch: Batch) -> torch.Tensor:
        return output[0] if self.packs else batch.unpad(output)
