"""The moment at which a run begins to train: its first forward pass that wants gradients."""

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.utils.hooks import RemovableHandle

MARK = "training begins"


class FirstStepReached(BaseException):
    """Ends a run at its first step; no ``except Exception`` on the way catches it."""


def at_first_step(then: Callable[[], None]) -> RemovableHandle:
    """Calls ``then`` when any model of this process begins a training step.

    Args:
        then: Ends the process or the run; if it returns, it is called again and again.
    """

    def hook(module: nn.Module, inputs: Any) -> None:
        if module.training and torch.is_grad_enabled():
            then()

    return register_module_forward_pre_hook(hook)


def end_at_first_step() -> None:
    """Prints :data:`MARK` and ends the process when it begins a training step."""

    def end() -> None:
        print(MARK, flush=True)
        os._exit(0)

    at_first_step(end)
