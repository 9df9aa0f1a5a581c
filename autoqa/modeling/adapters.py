"""Adapters of low rank beside an encoder's linear layers, trained in place of its weights.

LoRA (Hu et al. 2021, arXiv:2106.09685): a layer with weights W, which stay as they are, computes
``W x + scale * B (A x)``, and only the thin matrices A and B learn; B begins at zero. Whoever asks
for a model's weights gets ``W + scale * B A`` under the layer's own name, so that nothing that is
stored, averaged or exported knows of adapters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from autoqa.api import TrainingProtocol
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.registry.bound import missing_for_adapters

_ATTENTION = re.compile(r"att(entio)?n", re.IGNORECASE)
"""In the names of attention's modules: BERT's ``attention``, ModernBERT's ``attn``, Gemma's
``self_attn``, T5's ``SelfAttention``."""

_WRAPPED, _OWN = ".base_layer.", re.compile(r"\.lora_[A-Za-z_]+\.")
"""Parts of names in peft's layers: of what a layer was before, and of what was added."""


def add_adapters(encoder: Any, layers: Sequence[nn.Module], protocol: TrainingProtocol) -> None:
    """Puts adapters beside the linear layers of an encoder; nothing else of it is trained then.

    PyTorch's generator decides where they begin.

    Args:
        encoder: A transformers model.
        layers: Those of its layers that get adapters.
        protocol: Rank, scale, dropout and kinds of layers.

    Raises:
        MissingAssetError: The package peft is not installed.
        ConfigError: The architecture has no linear layer of the kind.
    """
    problem = missing_for_adapters(protocol)
    if problem is not None:
        raise MissingAssetError(problem)
    from peft import LoraConfig, inject_adapter_in_model

    names = _linear_layers(encoder, layers, attention=protocol.adapter_modules == "attention")
    if not names:
        raise ConfigError(
            f'adapter_modules = "{protocol.adapter_modules}" finds no linear layer in the '
            f"{len(layers)} layers of {type(encoder).__name__} that are trained; "
            + (
                'take "all", or adapter_rank = 0.'
                if protocol.adapter_modules == "attention" and layers
                else "set adapter_rank = 0, or fewer frozen_layers."
            )
        )
    rank, alpha = protocol.adapter_rank, protocol.adapter_alpha
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank if alpha is None else alpha,
        lora_dropout=protocol.adapter_dropout,
        target_modules=names,
    )
    inject_adapter_in_model(config, encoder)
    for _, layer in _adapted(encoder):
        # Autocasting does it, and casting twice takes time and memory.
        layer.cast_input_dtype_enabled = False


def _linear_layers(
    encoder: nn.Module, layers: Sequence[nn.Module], *, attention: bool
) -> list[str]:
    chosen = {id(module) for layer in layers for module in layer.modules()}
    kept = {id(layer): name for name, layer in encoder.named_modules() if layer in layers}
    names = []
    for name, module in encoder.named_modules():
        if id(module) not in chosen or type(module) is not nn.Linear:
            continue
        above = next(top for top in kept.values() if name.startswith(f"{top}."))
        if not attention or _ATTENTION.search(name.removeprefix(above)):
            names.append(name)
    return names


def _adapted(module: nn.Module) -> Iterator[tuple[str, Any]]:
    """Names and layers that have an adapter."""
    for name, each in module.named_modules():
        if hasattr(each, "lora_A") and hasattr(each, "base_layer"):
            yield name, each


def plain_state(module: nn.Module) -> dict[str, torch.Tensor]:
    """A module's weights by the names that they have without adapters, which are added to them.

    Not copied where there are none, or where they are switched off.
    """
    state: dict[str, torch.Tensor] = module.state_dict()
    adapted = dict(_adapted(module))
    if not adapted:
        return dict(state)
    plain = {}
    for name, tensor in state.items():
        layer, wrapped, leaf = name.partition(_WRAPPED)
        if wrapped and leaf == "weight" and not adapted[layer].disable_adapters:
            with torch.no_grad():
                plain[f"{layer}.{leaf}"] = tensor + adapted[layer].get_delta_weight("default")
        elif not _OWN.search(name):
            plain[name.replace(_WRAPPED, ".")] = tensor
    return plain


def load_plain(module: nn.Module, plain: Mapping[str, torch.Tensor]) -> None:
    """Copies weights named as :func:`plain_state` names them; adapters stay as they are.

    Raises:
        RuntimeError: A weight is missing, unknown or of another shape.
    """
    names = {name.replace(_WRAPPED, "."): name for name in module.state_dict()}
    own = {name: t for name, t in module.state_dict().items() if _OWN.search(name)}
    module.load_state_dict(own | {names.get(name, name): t for name, t in plain.items()})


@contextmanager
def switched_off(module: nn.Module) -> Iterator[None]:
    """Layers compute without their adapters inside."""
    adapted = [layer for _, layer in _adapted(module)]
    for layer in adapted:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in adapted:
            layer.enable_adapters(True)
