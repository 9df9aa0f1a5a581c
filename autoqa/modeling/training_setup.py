"""A model made ready for training: head, dropout, gradient checkpoints, compilation."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from autoqa.api import BackboneKind, TrainingProtocol
from autoqa.errors import ConfigError
from autoqa.modeling.adapters import add_adapters
from autoqa.modeling.attention import exclude_attention_from_compilation
from autoqa.modeling.frozen import FrozenLayers
from autoqa.modeling.heads.registry import fresh_head
from autoqa.modeling.load import (
    embedding_modules,
    encoder_layers,
    load_inner,
    pick_device,
    read_configuration,
    resolve_precision,
)
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.seq2seq import load_text_model
from autoqa.recipes import Method

PLAIN = Method()
"""The defaults: linear schedule, two linear scores, span loss."""


def load_for_training(
    folder: Path,
    protocol: TrainingProtocol,
    seed: int,
    device: str = "auto",
    method: Method = PLAIN,
    kind: BackboneKind = "span",
) -> SpanModel:
    """A pretrained model with a fresh answer head, set up as protocol and method say.

    Args:
        folder: Weights in Hugging Face layout.
        protocol: Dropout, freezing, adapters, gradient checkpointing, compilation.
        seed: Decides the head, and the dropout of what follows.
        device: ``auto``, ``cpu``, ``cuda``...
        method: Which head, whether its input must be reachable for more dropout masks, and which
            layers begin anew.
        kind: Whether the model scores tokens or generates texts.

    Raises:
        MissingAssetError: The folder holds no model, or there is no package for adapters.
        ConfigError: The method's head is not registered, or the architecture does not take it, or
            the method's dropout, or gradient checkpointing; or the method contradicts the protocol.
    """
    torch.manual_seed(seed)
    model: SpanModel
    if kind == "text":
        model = load_text_model(folder, read_configuration(folder), pick_device(device))
    else:
        inner = load_inner(folder, read_configuration(folder), pick_device(device))
        model = SpanModel(inner, fresh_head(method.head, inner))
        _check_architecture(model, folder)
    _check_method(model, method, protocol)
    _reinitialise(model, method.reinit_layers)
    if protocol.dropout is not None:
        for module, name in _dropouts(model):
            setattr(module, name, protocol.dropout)
    if protocol.adapter_rank:
        layers = encoder_layers(model)[protocol.frozen_layers :]
        add_adapters(model.inner.base_model, layers, protocol)
    _check_dropout(model, method)
    frozen: list[nn.Module] = []
    if protocol.freeze_embeddings:
        frozen.extend(embedding_modules(model))
    frozen.extend(encoder_layers(model)[: protocol.frozen_layers])
    for module in frozen:
        module.requires_grad_(False)
    model.train()
    if protocol.cache_frozen:
        _run_frozen_apart(model, frozen, protocol.frozen_layers)
    if protocol.gradient_checkpointing:
        _checkpoint_gradients(model.inner)
    if protocol.compile:
        _compile(model, method, resolve_precision(protocol.precision, model.device))
    return model


def _dropouts(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """Where rates of dropout stand: in modules of their own, or as numbers of others (BART)."""
    found: list[tuple[nn.Module, str]] = []
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            found.append((module, "p"))
        for name in ("dropout", "attention_dropout"):
            if isinstance(vars(module).get(name), (int, float)):
                found.append((module, name))
    return found


def _run_frozen_apart(model: SpanModel, frozen: list[nn.Module], depth: int) -> None:
    """Lets what frozen layers give be computed once per window, or notes why it cannot be."""
    layers = encoder_layers(model)
    if any(getattr(*where) for each in frozen for where in _dropouts(each)):
        why = "there is dropout in them, so they give something else each time; set dropout = 0"
    elif not model.freeze(FrozenLayers(layers, min(depth, len(layers)))):
        why = f"{type(model.inner).__name__} does not run from the middle"
    else:
        return
    model.notes += (f"what the frozen layers give is not kept: {why}",)


def _check_architecture(model: SpanModel, folder: Path) -> None:
    name = f"the {model.inner.config.model_type} model in {folder}"
    if model.fault is not None:
        raise ConfigError(
            f"{name} cannot be run on text alone ({model.fault}); take an encoder of text such as "
            "bert, xlm-roberta, deberta-v2 or modernbert."
        )
    if model.reads_left_to_right():
        raise ConfigError(
            f"{name} reads from left to right: what it gives for a token knows nothing of what "
            "follows, such as the rest of an answer; take an encoder. Weights that were trained to "
            "see both sides need `is_causal: false` (Gemma: `use_bidirectional_attention: true`) "
            "in config.json."
        )


def _check_method(model: SpanModel, method: Method, protocol: TrainingProtocol) -> None:
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
    layers = len(encoder_layers(model))
    if method.reinit_layers > layers - protocol.frozen_layers:
        frozen = f", of which {protocol.frozen_layers} are frozen" if protocol.frozen_layers else ""
        raise ConfigError(
            f"reinit_layers = {method.reinit_layers} is more than can begin anew: "
            f"{type(model.inner).__name__} has {layers} layers{frozen}; set reinit_layers = "
            f"{max(0, layers - protocol.frozen_layers)} or less."
        )
    if method.reinit_layers and protocol.adapter_rank:
        raise ConfigError(
            f"reinit_layers = {method.reinit_layers} draws layers anew, which adapters of rank "
            f"{protocol.adapter_rank} cannot teach what they knew; set reinit_layers = 0, or the "
            "protocol's adapter_rank = 0."
        )
    if method.adversary == "fgm" and protocol.cache_frozen:
        raise ConfigError(
            'adversary = "fgm" changes what embeddings give, and cache_frozen begins above them; '
            'set the protocol\'s cache_frozen = false, or adversary = "awp".'
        )
    if method.adversary == "fgm" and protocol.compile:
        raise ConfigError(
            'adversary = "fgm" reaches into an encoder that is compiled; set the protocol\'s '
            'compile = false, or adversary = "awp".'
        )


def _check_dropout(model: SpanModel, method: Method) -> None:
    rates = [getattr(*where) for where in _dropouts(model)]
    if method.rdrop and method.dropout_samples == 1 and not any(rates):
        raise ConfigError(
            f"rdrop = {method.rdrop:g} compares two passes with different dropout, but the model "
            "is trained without any; set the protocol's dropout = 0.1, or dropout_samples = 2 or "
            "more, or rdrop = 0."
        )


def _reinitialise(model: SpanModel, count: int) -> None:
    """Draws the top layers as the model's own code draws fresh ones.

    After Zhang et al. 2020, arXiv:2006.05987: the top layers are the most bound to what they were
    pretrained for.
    """
    layers = encoder_layers(model)
    for layer in layers[len(layers) - count :]:
        for parameter in layer.parameters():
            # Set where weights were loaded; transformers leaves what has it alone.
            parameter._is_hf_initialized = False  # type: ignore[attr-defined]
        layer.apply(model.inner._init_weights)


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
                loss = training_loss(model, model.made_up_batch(), method)
            torch.autograd.backward(loss)
        except Exception as error:  # compilers, linkers and drivers raise what they like
            if not model.compiled:
                raise
            model.run_uncompiled(error)
    model.zero_grad(set_to_none=True)
