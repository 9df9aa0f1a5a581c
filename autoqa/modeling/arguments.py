"""What a transformers model is called with for some windows, packed into one row or padded."""

import inspect
from typing import Any

import torch

from autoqa.modeling.packing import Batch
from autoqa.modeling.span_encoder import SpanEncoder


class ForwardArguments:
    """Keyword arguments of a model's forward pass, which depend on what the architecture takes.

    Args:
        inner: A transformers model, or autoqa's span head on one, which hands on whatever comes.

    Attributes:
        transformer: The transformers model itself.
        takes_types: Whether it has embeddings of question and context as such.
    """

    def __init__(self, inner: Any) -> None:
        self.transformer = inner.encoder if isinstance(inner, SpanEncoder) else inner
        self._takes = frozenset(inspect.signature(self.transformer.forward).parameters)
        self.takes_types = "token_type_ids" in self._takes
        config = inner.config
        embeddings = getattr(inner.base_model, "embeddings", None)
        # RoBERTa-like models count positions from padding_idx + 1.
        roberta_like = hasattr(embeddings, "create_position_ids_from_input_ids")
        self._first_position = int(config.pad_token_id) + 1 if roberta_like else 0
        self._pad_id = config.pad_token_id or 0
        self._separator = getattr(config, "sep_token_id", None)

    def packed(self, batch: Batch, *, mask: bool) -> dict[str, torch.Tensor]:
        """One row, no padding.

        Args:
            batch: The windows.
            mask: Whether a mask of ones is among the arguments.
        """
        ids = batch.input_ids[None]
        return {
            "input_ids": ids,
            "position_ids": batch.positions[None] + self._first_position,
            "segments": torch.tensor(batch.lengths),
            **({"attention_mask": torch.ones_like(ids)} if mask else {}),
            **({"token_type_ids": batch.type_ids[None]} if self.takes_types else {}),
        }

    def padded(self, batch: Batch) -> dict[str, torch.Tensor]:
        """One row per window, padded to the longest."""
        ids = batch.pad(batch.input_ids, self._pad_id)
        arguments = {
            "input_ids": ids,
            "attention_mask": batch.pad(torch.ones_like(batch.input_ids), 0),
            **({"token_type_ids": batch.pad(batch.type_ids, 0)} if self.takes_types else {}),
        }
        if "global_attention_mask" in self._takes:
            arguments["global_attention_mask"] = batch.question(ids, self._separator)
        return arguments
