"""What an engine is made of, as plain values: every process of a run makes the same one."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from autoqa.api import BackboneKind, TrainingProtocol
from autoqa.modeling.masked_language import masked_language_head, masked_language_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.seq2seq import TextModel
from autoqa.modeling.training_setup import load_for_training
from autoqa.parallel.peers import OtherRanks
from autoqa.recipes import Method
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedWords:
    """What a masked-language stage needs besides.

    Attributes:
        tokens: Ids that compete, distinct and ascending.
        mask_id: What a hidden token becomes.
        whole_words: Whether all tokens of a word are to be told or none.
    """

    tokens: tuple[int, ...]
    mask_id: int
    whole_words: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePlan:
    """How to make a model and an engine for it.

    Attributes:
        folder: Pretrained weights.
        protocol: How the backbone is fine-tuned.
        method: What the model is set up for.
        head_seed: Decides the answer head.
        learning_rate: Peak rate of the encoder.
        rates: The schedule.
        seed: The run's seed.
        micro_scale: Factor on the tokens of a forward pass.
        kind: Whether the model scores tokens or generates texts.
        masked: Set where hidden tokens are learned in place of answers.
    """

    folder: Path
    protocol: TrainingProtocol
    method: Method
    head_seed: int
    learning_rate: float
    rates: LearningRate
    seed: int
    micro_scale: float
    kind: BackboneKind = "span"
    masked: MaskedWords | None = None

    def model(self) -> SpanModel:
        """Loads the model as the run begins with it; raises as ``load_for_training`` does."""
        return load_for_training(
            self.folder, self.protocol, self.head_seed, method=self.method, kind=self.kind
        )

    @contextmanager
    def engine(self, model: SpanModel, peers: OtherRanks) -> Iterator[Engine]:
        """An engine; what it adds to the model is gone afterwards.

        Args:
            model: As :meth:`model` gives it, or trained further.
            peers: The other processes of the run.
        """
        if self.masked is None:
            yield self.plain(model, peers)
            return
        tokens = torch.tensor(self.masked.tokens, device=model.device)
        with masked_language_head(model, tokens, self.seed) as head:
            yield Engine(
                model,
                self.protocol,
                self.learning_rate,
                self.rates,
                seed=self.seed,
                micro_scale=self.micro_scale,
                loss=partial(
                    masked_language_loss,
                    model=model,
                    head=head,
                    mask_id=self.masked.mask_id,
                    whole_words=self.masked.whole_words,
                ),
                chance=lambda _: math.log(len(tokens)),
                peers=peers,
            )

    def plain(self, model: SpanModel, peers: OtherRanks) -> Engine:
        """An engine that learns answers."""
        text: dict[str, Any] = {}
        if isinstance(model, TextModel):
            tokens = model.inner.get_output_embeddings().weight.shape[0]
            text = {"loss": model.loss, "chance": lambda _: math.log(tokens)}
        return Engine(
            model,
            self.protocol,
            self.learning_rate,
            self.rates,
            seed=self.seed,
            micro_scale=self.micro_scale,
            peers=peers,
            **text,
        )
