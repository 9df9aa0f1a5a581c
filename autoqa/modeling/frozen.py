"""The lowest layers of an encoder, run alone or left out.

Layers take each other's place by their ``forward``, so that whatever else an encoder does before,
between and after its layers is done as ever. Whether an architecture bears it is for the caller to
probe.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class FrozenLayers:
    """The lowest layers of an encoder whose output no training changes.

    Args:
        layers: All layers of the encoder, from the lowest up.
        depth: How many of them are frozen, at least one.
    """

    def __init__(self, layers: Sequence[nn.Module], depth: int) -> None:
        self._lower, self._upper = tuple(layers[:depth]), tuple(layers[depth:])
        self._further: tuple[None, ...] | None = None  # what stands beside the output in a tuple

    @contextmanager
    def alone(self) -> Iterator[list[torch.Tensor]]:
        """Layers above the frozen ones do nothing inside; what those gave is in the list."""
        given: list[torch.Tensor] = []

        def catch(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, tuple):
                self._further = (None,) * (len(output) - 1)
                output = output[0]
            given.append(output)

        hook = self._lower[-1].register_forward_hook(catch)
        try:
            with _replaced(self._upper, lambda hidden, *_, **__: self._formed(hidden)):
                yield given
        finally:
            hook.remove()

    @contextmanager
    def giving(self, output: torch.Tensor) -> Iterator[None]:
        """The frozen layers give this inside, without computing anything."""
        with _replaced(self._lower, lambda *_, **__: self._formed(output)):
            yield

    def _formed(self, hidden: torch.Tensor) -> Any:
        return hidden if self._further is None else (hidden, *self._further)


@contextmanager
def _replaced(modules: Sequence[nn.Module], forward: Callable[..., Any]) -> Iterator[None]:
    for module in modules:
        module.forward = forward
    try:
        yield
    finally:
        for module in modules:
            module.__dict__.pop("forward", None)  # the class's own shows again
