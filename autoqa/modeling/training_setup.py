"""A model made ready for training: head, dropout, gradient checkpoints, compilation."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from autoqa.api import TrainingProtocol
from autoqa.errors import ConfigError
from autoqa.modeling.frozen import FrozenLayers
from autoqa.modeling.heads.registry import fresh_head
from autoqa.modeling.load import (
    encoder_layers,
    load_inner,
    pick_device,
    read_configuration,
    resolve_precision,
)
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel, made_up_batch
from autoqa.modeling.packing import exclude_attention_from_compilation
from autoqa.recipes import Method

PLAIN = Method()
"""The defaults: linear schedule, two linear scores, span loss."""


def load_for_training(
    folder: Path,
    protocol: TrainingProtocol,
    seed: int,
    device: str = "auto",
    method: Method = PLAIN,
) -> SpanModel:
    """A pretrained model with a fresh answer head, set up as protocol and method say.

    Args:
        folder: Weights in Hugging Face layout.
        protocol: Dropout, freezing, gradient checkpointing, compilation.
        seed: Decides the head, and the dropout of what follows.
        device: ``auto``, ``cpu``, ``cuda``...
        method: Which head, and whether its input must be reachable for more dropout masks.

    Raises:
        MissingAssetError: The folder holds no model.
        ConfigError: The method's head is not registered, or the architecture does not take it, or
            the method's dropout, or gradient checkpointing.
    """
    torch.manual_seed(seed)
    inner = load_inner(folder, read_configuration(folder), pick_device(device))
    model = SpanModel(inner, fresh_head(method.head, inner))
    _check_method(model, method)
    if protocol.dropout is not None:
        for module in model.modules():
            if isinstance(module, nn.Dropout):
                module.p = protocol.dropout
    encoder = inner.base_model
    frozen: list[nn.Module] = []
    if protocol.freeze_embeddings:
        frozen.append(encoder.embeddings)
    frozen.extend(encoder_layers(model)[: protocol.frozen_layers])
    for module in frozen:
        module.requires_grad_(False)
    model.train()
    if protocol.cache_frozen:
        _run_frozen_apart(model, frozen, protocol.frozen_layers)
    if protocol.gradient_checkpointing:
        _checkpoint_gradients(inner)
    if protocol.compile:
        _compile(model, method, resolve_precision(protocol.precision, model.device))
    return model


def _run_frozen_apart(model: SpanModel, frozen: list[nn.Module], depth: int) -> None:
    """Lets what frozen layers give be computed once per window, or notes why it cannot be."""
    layers = encoder_layers(model)
    dropout = any(
        isinstance(part, nn.Dropout) and part.p for each in frozen for part in each.modules()
    )
    if dropout:
        why = "there is dropout in them, so they give something else each time; set dropout = 0"
    elif not model.freeze(FrozenLayers(layers, min(depth, len(layers)))):
        why = f"{type(model.inner).__name__} does not run from the middle"
    else:
        return
    model.notes += (f"what the frozen layers give is not kept: {why}",)


def _check_method(model: SpanModel, method: Method) -> None:
    settings = []
    if model.head is not None:
        settings.append((f'head = "{method.head}"', f'head = "{PLAIN.head}"'))
    if method.dropout_samples > 1:
        settings.append((f"dropout_samples = {method.dropout_samples}", "dropout_samples = 1"))
    if settings and not model.splits():
        raise ConfigError(
            *(
                f"{setting} needs a model whose answer head is one linear layer on the encoder's "
                f"output, which {type(model.inner).__name__} is not; set {instead} or take "
                "another backbone."
                for setting, instead in settings
            )
        )


def _checkpoint_gradients(inner: Any) -> None:
    if not inner.supports_gradient_checkpointing:
        raise ConfigError(
            f"gradient_checkpointing = true needs an architecture that transformers can do it for, "
            f"which {type(inner).__name__} is not; set gradient_checkpointing = false and a lower "
            "micro_tokens to save memory."
        )
    # The older name is deprecated where there is a newer one.
    newer = getattr(inner, "activation_checkpointing_enable", None)
    (newer or inner.gradient_checkpointing_enable)({"use_reentrant": False})
    # Only re-entrant checkpoints need gradients at frozen embeddings; they cost a backward pass.
    inner.disable_input_require_grads()


def _compile(model: SpanModel, method: Method, dtype: torch.dtype) -> None:
    """Compiles the encoder, and tries it at once: the backward pass is compiled only when used."""
    exclude_attention_from_compilation()
    model.compile_encoder()
    device = model.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            with torch.autocast(device.type, dtype, dtype != torch.float32):
                loss = training_loss(model, made_up_batch(model), method)
            torch.autograd.backward(loss)
        except Exception as error:  # compilers, linkers and drivers raise what they like
            if not model.compiled:
                raise
            model.run_uncompiled(error)
    model.zero_grad(set_to_none=True)
