"""What an engine of rank 0 has the other ranks do."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from autoqa.api import Precision
from autoqa.arrays import Floats
from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.model import SpanModel
from autoqa.parallel import collectives
from autoqa.parallel.rank_orders import Ask, Begin, Learn, Order
from autoqa.parallel.ranks import RankProcesses
from autoqa.types import ProgressCallback


class Leader:
    """The other ranks, as one engine of rank 0 has them; :class:`autoqa.parallel.peers.OtherRanks`.

    Args:
        processes: The other ranks.
        plan: How they make the same engine.
    """

    rank = 0

    def __init__(self, processes: RankProcesses, plan: object) -> None:
        self._processes, self._plan = processes, plan
        self._device = torch.device("cpu")

    @property
    def gathered(self) -> bool:
        """Whether the others have this engine's state."""
        return self._processes.holder is self

    def dismiss(self) -> None:
        """Notes that they do not any more."""
        if self.gathered:
            self._processes.holder = None

    def gather(self, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]) -> None:
        """Has them make the engine, and gives them its state."""
        self._processes.start()
        state = {name: t for name, t in tensors.items() if not name.startswith("average.")}
        self._device = next(iter(state.values())).device
        like = tuple((name, tensor.shape, tensor.dtype) for name, tensor in state.items())
        with self._processes.guarded():
            self._tell(Begin(self._plan, dict(facts), like))
            collectives.send(state.values(), self._device)
            self._processes.holder = self

    def _tell(self, order: Order) -> None:
        for rank in range(1, self._processes.size):
            self._processes.tell(rank, order)

    @contextmanager
    def working(self) -> Iterator[None]:
        """An error of any rank ends them all."""
        with self._processes.guarded():
            yield

    def deal(self, windows: Windows, *, lower: bool) -> Windows:
        """Sends each its share; gives this one's."""
        own, *others = collectives.dealt(windows.lengths, self._processes.size)
        for rank, rows in enumerate(others, 1):
            self._processes.tell(rank, Learn(take(windows, rows), len(windows), lower))
        return take(windows, own)

    def summed(self, numbers: Sequence[float]) -> list[float]:
        """Each number's sum over all ranks."""
        return collectives.summed(numbers, self._device)

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Gives all ranks the sum of their gradients."""
        collectives.sum_gradients(parameters)

    def predict(
        self,
        model: SpanModel,
        windows: Windows,
        *,
        precision: Precision = "auto",
        progress: ProgressCallback | None = None,
    ) -> tuple[Floats, Floats]:
        """As :func:`autoqa.modeling.forward.predict`, each forward pass by one of the ranks.

        The passes are those of one process, so the logits are, too.
        """
        if not self.gathered:  # a run that goes on from a checkpoint, and begins by evaluating
            return predict(model, windows, precision=precision, progress=progress)
        with self.working():
            self._tell(Ask(windows, precision))
            state = model.state().values()
            collectives.send([t for t in state if t.is_floating_point()], self._device)
            share = (0, self._processes.size)
            start, end = predict(
                model, windows, precision=precision, progress=progress, share=share
            )
            for answer in self._processes.answers():
                start, end = start + answer.start, end + answer.end
        return start, end
