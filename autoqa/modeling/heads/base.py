"""What every answer head provides; new ones are named in :data:`autoqa.recipes.HEADS`."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import torch
from torch import nn

from autoqa.modeling.packing import Batch

LogitTensors = tuple[torch.Tensor, torch.Tensor]
"""Logits of every token as the first and as the last of the answer, float32 ``[T]`` each."""


class AnswerHead(nn.Module, ABC):
    """Turns the encoder's output and the inner model's linear scores into start and end logits.

    Its parameters are trained with the head's learning rate, and stored beside the inner model's.
    """

    no_onnx: ClassVar[str] = "which has no counterpart in ONNX"
    """Why it cannot be written as ONNX: goes on from "candidate X has a Y answer head, "."""

    @classmethod
    @abstractmethod
    def fresh(cls, config: Any) -> Self:
        """A head that is not trained yet.

        Args:
            config: The encoder's ``transformers`` configuration.
        """

    @abstractmethod
    def training_logits(
        self, hidden: torch.Tensor, linear: LogitTensors, batch: Batch
    ) -> LogitTensors:
        """Logits to compute the loss from; they may depend on the labels.

        Args:
            hidden: The encoder's output ``[T, H]``.
            linear: What the inner model's linear layer makes of it.
            batch: The windows with their labels.

        Returns:
            Minus infinity takes a token out of the loss's softmax.
        """

    @abstractmethod
    def answer_logits(
        self, hidden: torch.Tensor, linear: LogitTensors, batch: Batch
    ) -> LogitTensors:
        """Logits to find answers with; labels are not known, and every value is finite.

        Args:
            hidden: The encoder's output ``[T, H]``.
            linear: What the inner model's linear layer makes of it.
            batch: The windows.
        """
