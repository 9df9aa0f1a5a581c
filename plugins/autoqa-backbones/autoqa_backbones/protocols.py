"""How each family of encoders is fine-tuned: published, from winners' logs, or measured."""

import re

from autoqa.api import TrainingProtocol

SMALL = TrainingProtocol(
    learning_rate=2e-4,
    batch_size=8,
    warmup_ratio=0.1,
    weight_decay=0.01,
    length=256,
    stride=64,
    head_multiplier=10.0,
    freeze_embeddings=True,
    dropout=0.0,
    precision="auto",
)
"""For encoders of width 384 on CPU: on 969 Hindi questions, 132 steps of multilingual-e5-small
gave Jaccard .43; on English ones, 140 steps of MiniLM-L6 gave .31. Random weights: .02."""

GENERIC = TrainingProtocol(
    learning_rate=3e-5,
    batch_size=32,
    warmup_ratio=0.1,
    weight_decay=0.01,
    length=384,
    stride=128,
)
"""The usual way of fine-tuning a BERT to answer questions."""

MURIL = GENERIC.model_copy(update={"learning_rate": 3e-5, "warmup_ratio": 0.1, "stride": 192})
"""MuRIL's publication; windows as in the system that won chaii (2021)."""

XLMR_LARGE = GENERIC.model_copy(update={"learning_rate": 1e-5, "warmup_ratio": 0.2, "stride": 192})
"""The system that won chaii; the publication's 3e-5 is for pure English SQuAD."""

REMBERT = GENERIC.model_copy(
    update={"learning_rate": 1e-5, "batch_size": 128, "warmup_ratio": 0.1, "stride": 192}
)
"""The system that won chaii."""

# Looked for in the lower-cased model id or folder name, in this order.
_BY_NAME = (
    (re.compile(r"muril"), MURIL),
    (re.compile(r"(xlm-?r(oberta)?|infoxlm)-(x?x?large|xl)"), XLMR_LARGE),
    (re.compile(r"rembert"), REMBERT),
    (re.compile(r"multilingual-e5-small|minilm-l\d+"), SMALL),
)


def by_name(name: str) -> TrainingProtocol | None:
    """The protocol of the family that a model's id or folder name shows, or ``None``."""
    lowered = name.lower()
    return next((protocol for pattern, protocol in _BY_NAME if pattern.search(lowered)), None)


def by_config(model_type: object, hidden_size: object) -> TrainingProtocol:
    """The protocol for what a ``config.json`` says of the architecture."""
    if model_type == "rembert":
        return REMBERT
    if model_type in ("xlm-roberta", "xlm-roberta-xl") and hidden_size in (1024, 2560, 4096):
        return XLMR_LARGE
    if hidden_size == 384:
        return SMALL
    return GENERIC
