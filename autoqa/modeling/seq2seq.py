"""Sequence-to-sequence models that generate an answer, seen as models of starts and ends.

What such a model says of a window is a distribution over texts. It is asked about the fragments of
the window's context alone (:mod:`autoqa.modeling.generation`) and about the empty text, and told as
logits of the window's tokens, so that whatever decodes, compares and exports span models does it
for these, too:

* the first token, which stands for "no answer here", gets the log-probability of the empty text,
  as start and as end;
* each token gets as start the highest log-probability of a fragment that begins there, as end that
  of one that ends there, and :data:`UNREACHED` where there is none.

So the best span over all windows of a question is the likeliest fragment of any, exactly: with p
the highest log-probability, no start and no end is above p. What ranks behind it is as in span
models, whose starts and ends know nothing of each other: it may join the start of one fragment to
the end of another. A text that stands several times in a window counts where it stands first.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import AutoModelForSeq2SeqLM
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES as GENERATING,
)
from transformers.utils import logging as transformers_logging

from autoqa.arrays import Indices
from autoqa.errors import ConfigError
from autoqa.modeling.context_automaton import ContextAutomaton
from autoqa.modeling.generation import Generated, generate
from autoqa.modeling.heads.base import LogitTensors
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch
from autoqa.modeling.probing import evaluating, told

UNREACHED = -10_000.0
"""Logit of tokens where no generated fragment begins or ends; half precision holds it."""

_IGNORED = -100
"""Target that counts nothing."""


class TextModel(SpanModel):
    """A sequence-to-sequence model of transformers whose texts are fragments of the context.

    It learns to copy: the text of a window is that of its labelled tokens, or nothing.

    Args:
        inner: The transformers model; one whose encoder takes padded windows.
    """

    generates = True

    def state(self) -> dict[str, torch.Tensor]:
        """All weights by name; of those that are one and the same, the first name's alone."""
        first: dict[int, str] = {}
        return {
            name: tensor
            for name, tensor in super().state().items()
            if first.setdefault(tensor.data_ptr(), name) == name
        }

    def load_state(self, state: dict[str, torch.Tensor]) -> None:
        """Copies weights, named as :meth:`state` names them, into the model.

        Raises:
            RuntimeError: A weight is missing, unknown or of another shape.
        """
        own = super().state()
        place = {tensor.data_ptr(): name for name, tensor in self.state().items()}
        again = {name: place[own[name].data_ptr()] for name in own.keys() - self.state().keys()}
        twins = {name: state[first] for name, first in again.items() if first in state}
        super().load_state(state | twins)

    def generated(self, batch: Batch, fragments: Sequence[ContextAutomaton]) -> list[Generated]:
        """What the model says of each window.

        Args:
            batch: The windows.
            fragments: Those of each window's context.
        """
        arguments = self._arguments.padded(batch)
        encoded = self.inner.get_encoder()(**arguments)[0]
        mask, most = arguments["attention_mask"], batch.max_answer_tokens
        return generate(self.inner, encoded, mask, fragments, most=most)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean over windows of the mean cross-entropy of their text's tokens, in nats.

        Each window counts as much as another, however long its answer is, so that it does not
        matter which windows share a forward pass.

        Args:
            batch: The windows with their labels.
        """
        targets = self._targets(batch)
        logits = self.inner(
            **self._arguments.padded(batch),
            decoder_input_ids=self.inner.prepare_decoder_input_ids_from_labels(labels=targets),
            use_cache=False,
        ).logits
        costs = nn.functional.cross_entropy(
            logits.float().flatten(0, 1),
            targets.flatten(),
            ignore_index=_IGNORED,
            reduction="none",
        ).view(targets.shape)
        return (costs.sum(1) / (targets != _IGNORED).sum(1)).mean()

    def _targets(self, batch: Batch) -> torch.Tensor:
        """Tokens of each window's answer and the one that ends a text, int64 ``[W, longest]``."""
        written = batch.input_ids if batch.unhidden is None else batch.unhidden
        end = torch.tensor(self._ends[:1], device=written.device)
        rows = [
            torch.cat([window[first : last + 1] if last else window[:0], end])
            for window, (first, last) in zip(
                torch.split(written, batch.lengths), batch.label.tolist(), strict=True
            )
        ]
        return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=_IGNORED)

    @cached_property
    def _ends(self) -> list[int]:
        """Ids that end a text; the first of them is learned."""
        ends = self.inner.config.eos_token_id
        return list(ends) if isinstance(ends, (list, tuple)) else [int(ends)]

    def _inner_logits(self, batch: Batch) -> LogitTensors:
        ids = np.split(batch.input_ids.cpu().numpy(), np.cumsum(batch.lengths)[:-1])
        inside = np.split(batch.allowed.cpu().numpy(), np.cumsum(batch.lengths)[:-1])
        barred = frozenset({*self._ends, self.inner.config.pad_token_id})
        context = [np.flatnonzero(allowed[1:]) + 1 for allowed in inside]
        fragments = [
            ContextAutomaton(window[where].tolist(), barred)
            for window, where in zip(ids, context, strict=True)
        ]
        logits = [
            fragment_logits(said, places, len(window), where)
            for said, places, window, where in zip(
                self.generated(batch, fragments), fragments, ids, context, strict=True
            )
        ]
        start, end = torch.from_numpy(np.concatenate(logits, axis=1)).to(batch.input_ids.device)
        return start, end

    def _choose_layout(self) -> None:
        """Windows are padded; that the model can be run on text at all is tried."""
        with evaluating(self.inner):
            try:
                self.loss(self.made_up_batch())
            except Exception as error:  # architectures raise what they like
                self.fault = told(error)


def fragment_logits(
    said: Generated, fragments: ContextAutomaton, length: int, context: Indices
) -> npt.NDArray[np.float32]:
    """Start and end logits of a window's tokens.

    Args:
        said: What the model says of the window.
        fragments: Those of its context.
        length: Tokens of the window.
        context: Where in it the context's tokens stand.

    Returns:
        float32 ``[2, length]``.
    """
    logits = np.full((2, length), UNREACHED, np.float32)
    logits[:, 0] = said.nothing
    for text, value in said.texts.items():
        place = fragments.first(text)
        if place is not None:
            for side, token in zip(logits, place, strict=True):
                side[context[token]] = max(side[context[token]], value)
    return logits


def quieten_transformers() -> None:
    """Switches off what transformers says of fresh weights, and its bars of progress."""
    # "newly initialized" warnings are the point of fine-tuning, and noise at inference.
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def generates(architectures: Sequence[str] | None) -> bool:
    """Whether a configuration that is saved beside weights is of a model that generates.

    Args:
        architectures: The names of classes that it states.
    """
    return (architectures or [""])[0] in GENERATING.values()


def load_text_model(folder: Path, config: Any, device: torch.device) -> TextModel:
    """A sequence-to-sequence model in single precision.

    Args:
        folder: Weights in Hugging Face layout.
        config: The configuration in it.
        device: Where the weights go.

    Raises:
        ConfigError: transformers has no such class for the model, or it cannot be run on text.
    """
    quieten_transformers()
    kind = config.model_type
    if kind not in GENERATING or not config.is_encoder_decoder:
        raise ConfigError(
            f"the {kind} model in {folder} does not generate texts from texts; take mt5 or another "
            "model of the T5 family, or a backbone whose kind is span."
        )
    inner = AutoModelForSeq2SeqLM.from_pretrained(folder, config=config, dtype=torch.float32)
    model = TextModel(inner.to(device))
    if model.fault is not None:
        raise ConfigError(
            f"the {kind} model in {folder} cannot be trained to generate answers ({model.fault}); "
            "take mt5 or another model of the T5 family."
        )
    return model
