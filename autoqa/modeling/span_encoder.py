"""Encoders that transformers has no question-answering class for, with two linear scores on top.

Encoder-decoder models whose encoder is used alone elsewhere (T5 and its kin) are among them: a
decoder reads from left to right, and would double the work.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModel
from transformers.initialization import no_init_weights
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES as ANSWERING,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES as ENCODING,
)

from autoqa.errors import BundleError
from autoqa.modeling.heads.registry import HEAD_PREFIX

_UNSUITED = ("big_bird",)
"""Kinds whose class for questions is not used: BigBird's guesses where the question ends, and sets
its logits to -1e6, which half precision does not hold."""


@dataclass(frozen=True, slots=True)
class SpanScores:
    """What :class:`SpanEncoder` gives, float32 or as computed, ``[batch, length]`` each."""

    start_logits: torch.Tensor
    end_logits: torch.Tensor


class SpanEncoder(nn.Module):
    """An encoder and a linear layer ``qa_outputs``; what a transformers model has, as far as used.

    Args:
        encoder: A transformers model whose first output is ``[batch, length, H]``.
        whole_config: The configuration that the model was made from, and is made from again; an
            encoder's own may no longer tell of its decoder.
    """

    def __init__(self, encoder: Any, whole_config: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.config, self.whole_config = encoder.config, whole_config
        self.qa_outputs = nn.Linear(self.config.hidden_size, 2)
        spread = getattr(self.config, "initializer_range", 0.02)
        nn.init.normal_(self.qa_outputs.weight, std=spread)
        nn.init.zeros_(self.qa_outputs.bias)

    @property
    def base_model(self) -> Any:
        """The encoder."""
        return self.encoder

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.qa_outputs.weight.device

    @property
    def supports_gradient_checkpointing(self) -> bool:
        """Whether the encoder can compute activations again."""
        return bool(self.encoder.supports_gradient_checkpointing)

    def forward(self, **arguments: Any) -> SpanScores:
        """Scores of each token as the answer's first and last, for what the encoder takes."""
        start, end = self.qa_outputs(self.encoder(**arguments)[0]).unbind(-1)
        return SpanScores(start, end)

    def get_input_embeddings(self) -> nn.Module:
        """The table of word embeddings."""
        embeddings: nn.Module = self.encoder.get_input_embeddings()
        return embeddings

    def activation_checkpointing_enable(self, arguments: dict[str, Any]) -> None:
        """Has the encoder compute activations again in the backward pass."""
        newer = getattr(self.encoder, "activation_checkpointing_enable", None)
        (newer or self.encoder.gradient_checkpointing_enable)(arguments)

    def disable_input_require_grads(self) -> None:
        """Takes back what only re-entrant checkpoints need."""
        self.encoder.disable_input_require_grads()

    def set_attn_implementation(self, name: str) -> None:
        """Has the encoder compute attention by another of transformers' functions."""
        self.encoder.set_attn_implementation(name)

    def _init_weights(self, module: nn.Module) -> None:
        self.encoder._init_weights(module)


def has_own_head(config: Any) -> bool:
    """Whether a model gets :class:`SpanEncoder` in place of transformers' class for questions.

    Args:
        config: A transformers configuration; weights that were saved with a class keep it.
    """
    stored = (getattr(config, "architectures", None) or [""])[0]
    if stored == SpanEncoder.__name__:
        return True
    if stored in ANSWERING.values():
        return False
    kind = config.model_type
    if kind not in ANSWERING or kind in _UNSUITED:
        return True
    return bool(config.is_encoder_decoder) and kind in ENCODING


def load_span_encoder(folder: Path, config: Any, **arguments: Any) -> SpanEncoder:
    """A pretrained encoder with fresh scores, or one that was saved with its scores.

    Args:
        folder: Weights in Hugging Face layout.
        config: Its configuration.
        arguments: Further ones of ``from_pretrained``.

    Raises:
        BundleError: Saved weights are damaged, or not those of the configuration.
        ValueError: The architecture does not take an attention that is not its own.
    """
    config.use_cache = False  # of keys and values, for which there is no later token
    if (getattr(config, "architectures", None) or [""])[0] != SpanEncoder.__name__:
        return _headed(AutoModel.from_pretrained(folder, config=config, **arguments))
    with no_init_weights():
        model = _headed(AutoModel.from_config(config, **arguments))
    try:
        state = load_file(folder / "model.safetensors")
        model.load_state_dict({k: v for k, v in state.items() if not k.startswith(HEAD_PREFIX)})
    except (OSError, RuntimeError, SafetensorError) as error:
        raise BundleError(
            f"{folder / 'model.safetensors'} does not hold the weights of the {config.model_type} "
            "encoder that config.json describes: copy or export the model again."
        ) from error
    return model


def _headed(whole: Any) -> SpanEncoder:
    decodes = bool(whole.config.is_encoder_decoder)
    return SpanEncoder(whole.get_encoder() if decodes else whole, whole.config)
