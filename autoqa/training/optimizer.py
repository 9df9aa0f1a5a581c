"""The optimizer of a run: AdamW, with learning rates per layer."""

import torch
from torch import nn

from autoqa.api import TrainingProtocol
from autoqa.modeling.load import encoder_layers
from autoqa.modeling.model import SpanModel


def make_optimizer(
    model: SpanModel, protocol: TrainingProtocol, learning_rate: float
) -> torch.optim.AdamW:
    """AdamW with the protocol's learning rates per layer.

    The head learns at ``learning_rate * head_multiplier``; encoder layer i of n at
    ``learning_rate * layer_decay ** (n - 1 - i)`` and the embeddings one step below layer 0
    (layer-wise decay as in ULMFiT and ELECTRA). Adapters learn at ``adapter_multiplier`` times the
    rate of their layer, and the head at no lower rate than they. Biases and norms have no weight
    decay. Each group keeps its rate as ``peak`` beside ``lr``, which the schedule changes.
    """
    encoder_factor, head_factor = 1.0, protocol.head_multiplier
    if protocol.adapter_rank:
        encoder_factor = protocol.adapter_multiplier
        head_factor = max(head_factor, encoder_factor)
    depth: dict[nn.Parameter, int] = {}
    layers = encoder_layers(model)
    encoder = model.inner.base_model
    for parameter in encoder.parameters():
        depth[parameter] = 0
    for index, layer in enumerate(layers):
        for parameter in layer.parameters():
            depth[parameter] = index + 1
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        if parameter in depth:
            rate = learning_rate * protocol.layer_decay ** (len(layers) - depth[parameter])
            rate *= encoder_factor
        else:
            rate = learning_rate * head_factor
        decay = protocol.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": p, "lr": rate, "peak": rate, "weight_decay": decay}
            for (rate, decay), p in groups.items()
        ],
        fused=True,
    )
