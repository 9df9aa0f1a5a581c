"""How a recipe is trained, beyond the backbone's protocol."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Schedule = Literal["linear", "cosine", "wsd"]


Head = str
"""A key of :data:`HEADS`."""

HEADS = {
    "independent": "",
    "conditional": "autoqa.modeling.heads.conditional_end:ConditionalEnd",
}
"""Answer heads by name: ``module:class`` of an :class:`autoqa.modeling.heads.base.AnswerHead`.

Nothing is imported until a model with the head is made. The empty one is the two linear scores
that a transformers model brings along.
"""


Loss = Literal["span", "jaccard"]


Averaging = Literal["none", "ema", "swa"]


Adversary = Literal["none", "awp", "fgm"]


Answers = Literal["first", "each", "draw"]


_LATER = {"later": True}
"""Marks a field that version 0.1.0 did not have."""


@dataclass(frozen=True, slots=True)
class Method:
    """How a recipe is trained, beyond the backbone's protocol; the defaults are the plain way.

    Attributes:
        schedule: Learning rate after the warm-up: ``linear`` or ``cosine`` decay over the whole
            recipe, or ``wsd``: constant, with linear decay in the last stage only.
        restart: Reset optimizer and schedule before the last stage (the two-stage practice).
        head: ``independent`` scores starts and ends apart; ``conditional`` scores an end given a
            start, for a beam of starts.
        loss: ``span`` is cross-entropy with the labelled ends; ``jaccard`` also rewards ends near
            them, by the token overlap of the span they make.
        dropout_samples: Dropout masks over the encoder's output that the loss is averaged over;
            1 is the plain head.
        averaging: Whether snapshots hold the weights as trained, their exponential moving average
            (``ema``), or their mean over the last quarter of the run (``swa``).
        adversary: What each step is done a second time against: perturbed weights of the encoder
            (``awp``), or perturbed word embeddings (``fgm``).
        adversary_size: How far the adversary goes, as a multiple of the usual.
        rdrop: Weight of the divergence between two passes with different dropout; 0 is one pass.
        reinit_layers: How many of the encoder's top layers begin as if never pretrained.
        mlm_epochs: Passes of masked-language training over the target's texts, before all stages.
        mlm_whole_words: Whether that masks all tokens of a word or none.
        answers: What windows of rows with several different answers are labelled with: the
            ``first`` one, ``each`` that they hold, or one of those by ``draw``.
    """

    schedule: Schedule = "linear"
    restart: bool = False
    head: Head = "independent"
    loss: Loss = "span"
    dropout_samples: int = 1
    averaging: Averaging = "none"
    adversary: Adversary = field(default="none", metadata=_LATER)
    adversary_size: float = field(default=1.0, metadata=_LATER)
    rdrop: float = field(default=0.0, metadata=_LATER)
    reinit_layers: int = field(default=0, metadata=_LATER)
    mlm_epochs: float = field(default=0.0, metadata=_LATER)
    mlm_whole_words: bool = field(default=False, metadata=_LATER)
    answers: Answers = field(default="first", metadata=_LATER)

    def changed(self) -> dict[str, Any]:
        """Fields that are not the plain way, with their values."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != each.default
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON values; what version 0.1.0 did not know is left out at its default.

        Stored recipes, and all that is named by a recipe's text, stay as they were then.
        """
        later = {each.name for each in fields(self) if each.metadata.get("later")}
        absent = later - self.changed().keys()
        return {key: value for key, value in asdict(self).items() if key not in absent}
