"""One optimizer and one learning-rate schedule over a whole recipe."""

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from autoqa.api import TrainingProtocol
from autoqa.modeling.load import encoder_layers
from autoqa.modeling.model import SpanModel


def make_optimizer(
    model: SpanModel, protocol: TrainingProtocol, learning_rate: float
) -> torch.optim.AdamW:
    """AdamW with the protocol's learning rates per layer.

    The head learns at ``learning_rate * head_multiplier``; encoder layer i of n at
    ``learning_rate * layer_decay ** (n - 1 - i)`` and the embeddings one step below layer 0
    (layer-wise decay as in ULMFiT and ELECTRA). Biases and norms have no weight decay.
    """
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
        else:
            rate = learning_rate * protocol.head_multiplier
        decay = protocol.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": p, "lr": lr, "weight_decay": wd} for (lr, wd), p in groups.items()],
        fused=True,
    )


def make_schedule(optimizer: torch.optim.Optimizer, steps: int, warmup_ratio: float) -> LambdaLR:
    """Linear warm-up to the peak, then linear decay to zero after ``steps`` steps."""
    warmup = max(1, round(steps * warmup_ratio))

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / (warmup + 1)
        return max(0.0, (steps - step) / max(1, steps - warmup))

    return LambdaLR(optimizer, factor)
