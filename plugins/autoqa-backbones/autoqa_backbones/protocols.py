"""How encoders are fine-tuned: as published, as in winners' logs, or as measured.

A protocol is chosen by the kind of architecture and by the parameters of the encoder's body, that
is without its table of word embeddings: width alone says little, since mmBERT-small is as wide as
e5-small and twice as deep, with a table of 256,000 words. Rates fall with the size of the body, as
in all publications named below. The machine does not decide: a study that goes on elsewhere must
mean the same runs. What a GPU would allow, such as larger batches for :data:`SMALL`, a study says.
"""

import re
from dataclasses import dataclass
from typing import Any

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
    adapter_multiplier=3.0,
)
"""For BERT-like bodies of 5 to 30 million parameters on CPU (e5-small has 21, MiniLM-L6 11): on
969 Hindi questions, 132 steps of multilingual-e5-small gave Jaccard .43; on English ones, 140 steps
of MiniLM-L6 gave .31. Random weights: .02. Its rate is ten times that of larger bodies, so adapters
get three times it: 80 steps of rank 16 gave .34 at three times, .07 at ten."""

GENERIC = TrainingProtocol(
    learning_rate=3e-5,
    batch_size=32,
    warmup_ratio=0.1,
    weight_decay=0.01,
    length=384,
    stride=128,
)
"""The usual way of fine-tuning a BERT to answer questions."""

LARGE = GENERIC.model_copy(update={"learning_rate": 1e-5, "warmup_ratio": 0.2})
"""Bodies above 250 million parameters of kinds not named here: the rate of XLM-R large."""

MURIL = GENERIC.model_copy(update={"learning_rate": 3e-5, "warmup_ratio": 0.1, "stride": 192})
"""MuRIL's publication; windows as in the system that won chaii (2021)."""

XLMR_LARGE = GENERIC.model_copy(update={"learning_rate": 1e-5, "warmup_ratio": 0.2, "stride": 192})
"""The system that won chaii; the publication's 3e-5 is for pure English SQuAD."""

REMBERT = GENERIC.model_copy(
    update={"learning_rate": 1e-5, "batch_size": 128, "warmup_ratio": 0.1, "stride": 192}
)
"""The system that won chaii."""

MODERN = GENERIC.model_copy(update={"learning_rate": 5e-5, "weight_decay": 1e-5})
"""ModernBERT, mmBERT, EuroBERT and kin: rotary positions, gated layers, norms in front.
ModernBERT's publication (arXiv:2412.13663) looks for its rate among 1e-5 to 8e-5 and for weight
decay up to 1e-5, EuroBERT's (arXiv:2503.05500) for its rate between 1e-5 and 1e-4; this is their
middle."""

MODERN_SMALL = MODERN.model_copy(
    update={"learning_rate": 8e-5, "batch_size": 16, "freeze_embeddings": True}
)
"""The same up to 60 million parameters (mmBERT-small has 42): the upper end of those rates. Seven
in ten of mmBERT-small's 140 million parameters are its table of words, most of them of languages
that a study never shows it; left alone, an optimizer step has a third of them to move."""

MODERN_LARGE = MODERN.model_copy(update={"learning_rate": 2e-5, "warmup_ratio": 0.2})
"""The same above 250 million parameters: the lower end."""

GEMMA = MODERN.model_copy(update={"learning_rate": 2e-5, "weight_decay": 0.01})
"""Gemma's encoders (EmbeddingGemma, IndicBERT v3) of any size: the rate of EmbeddingGemma's guide
to fine-tuning."""

DEBERTA = GENERIC.model_copy(update={"learning_rate": 2e-5})
"""DeBERTa v3 and mDeBERTa base: the rate of their authors' examples."""

ELECTRA = GENERIC.model_copy(update={"learning_rate": 1e-4, "layer_decay": 0.8})
"""ELECTRA's publication (arXiv:2003.10555), for base."""

ELECTRA_SMALL = ELECTRA.model_copy(update={"learning_rate": 3e-4, "adapter_multiplier": 3.0})
"""The same for small."""

ELECTRA_LARGE = ELECTRA.model_copy(update={"learning_rate": 5e-5, "layer_decay": 0.9})
"""The same for large."""

T5 = GENERIC.model_copy(update={"learning_rate": 1e-4, "dropout": 0.1})
"""Encoders of T5 and its kin: the lower end of what transformers' guide names for AdamW."""

GENERATING = T5.model_copy(update={"learning_rate": 3e-4})
"""mT5 small that generates answers: the upper end of the same guide. mT5's publication
(arXiv:2010.11934) has a constant 1e-3 and dropout 0.1, but for Adafactor."""

LONG = GENERIC.model_copy(update={"batch_size": 16, "length": 1024, "stride": 256})
"""Longformer, BigBird, LED: made for long windows, and padded to their attention's blocks in short
ones; Longformer's publication (arXiv:2004.05150) has 3e-5 for questions, too."""

_MODERN_KINDS = ("modernbert", "eurobert", "gte", "nomic_bert", "ultrabert", "jina_embeddings_v3")
_LONG_KINDS = ("longformer", "big_bird", "led", "bigbird_pegasus")
_T5_KINDS = ("t5", "mt5", "umt5", "longt5", "t5gemma", "switch_transformers")
_XLMR_KINDS = ("xlm-roberta", "xlm-roberta-xl")

_MILLION = 1_000_000
_TINY_BODY, _SMALL_BODY, _SMALL_MODERN_BODY, _LARGE_BODY = (
    millions * _MILLION for millions in (5, 30, 60, 250)
)

# Looked for in the lower-cased model id or folder name, in this order: what by_config gives for the
# models that are published under such names.
_BY_NAME = (
    (re.compile(r"muril"), MURIL),
    (re.compile(r"(xlm-?r(oberta)?|infoxlm)-(x?x?large|xl)"), XLMR_LARGE),
    (re.compile(r"rembert"), REMBERT),
    (re.compile(r"mmbert-small|ettin-encoder-(17|32)m"), MODERN_SMALL),
    (re.compile(r"modernbert-large|eurobert-(610m|2\.1b)"), MODERN_LARGE),
    (re.compile(r"mmbert|modernbert|eurobert"), MODERN),
    (re.compile(r"embeddinggemma|indicbert-v3"), GEMMA),
    (re.compile(r"deberta-v3-large"), LARGE),
    (re.compile(r"deberta-v3"), DEBERTA),
    (re.compile(r"longformer|bigbird|led-base"), LONG),
    (re.compile(r"\bu?mt5-|\bt5-"), T5),
    (re.compile(r"multilingual-e5-small|minilm-l\d+"), SMALL),
)


@dataclass(frozen=True, slots=True)
class Size:
    """Parameters of an encoder, as its ``config.json`` tells.

    Attributes:
        body: Of its layers; of one layer where they share their weights.
        table: Of its word embeddings.
    """

    body: int
    table: int


def by_name(name: str) -> TrainingProtocol | None:
    """The protocol of the family that a model's id or folder name shows, or ``None``."""
    lowered = name.lower()
    return next((protocol for pattern, protocol in _BY_NAME if pattern.search(lowered)), None)


def by_config(config: dict[str, Any], name: str = "") -> TrainingProtocol:
    """The protocol for an architecture.

    Args:
        config: Content of its ``config.json``.
        name: The model's id or folder name, for what was published about MuRIL: by its config it
            is a BERT as any other.
    """
    kind, body = str(config.get("model_type")), size(config).body
    large = body > _LARGE_BODY
    if kind == "bert" and "muril" in name.lower():
        return MURIL
    if kind == "rembert":
        return REMBERT
    if kind in _MODERN_KINDS:
        small = body <= _SMALL_MODERN_BODY
        return MODERN_LARGE if large else MODERN_SMALL if small else MODERN
    if kind.startswith(("gemma", "embedding_gemma")):
        return GEMMA
    if kind in _LONG_KINDS:
        return LONG
    if kind in _T5_KINDS:
        return T5
    if kind == "electra" and body > _SMALL_BODY:
        return ELECTRA_LARGE if large else ELECTRA
    if kind in ("deberta", "deberta-v2") and body > _SMALL_BODY:
        return LARGE if large else DEBERTA
    if large:
        return XLMR_LARGE if kind in _XLMR_KINDS else LARGE
    return SMALL if _TINY_BODY < body <= _SMALL_BODY else GENERIC


def size(config: dict[str, Any]) -> Size:
    """Parameters by the shapes that a ``config.json`` states; 0 where it does not.

    Biases and norms, less than one in a hundred, are left out. Checked with the published counts
    of multilingual-e5-small (21 and 96 million), mmBERT-small (42 and 98) and mmBERT-base (110
    and 197).
    """

    def number(*names: str) -> int:
        values = (config.get(name) for name in names)
        return next((value for value in values if isinstance(value, int)), 0)

    width = number("hidden_size", "d_model", "dim", "emb_dim", "n_embd")
    layers = number("num_hidden_layers", "num_layers", "encoder_layers", "n_layers", "n_layer")
    inner = number("intermediate_size", "d_ff", "encoder_ffn_dim", "hidden_dim") or 4 * width
    heads = number("num_attention_heads", "num_heads", "encoder_attention_heads", "n_heads") or 1
    head_size = number("head_dim", "d_kv") or width // heads
    shared = number("num_key_value_heads") or heads
    gated = str(config.get("feed_forward_proj", "")).startswith("gated") or (
        str(config.get("model_type")).startswith(("gemma", "embedding_gemma", *_MODERN_KINDS[:-1]))
    )
    attention = 2 * width * head_size * (heads + shared)
    if config.get("model_type") == "albert":
        layers = 1
    body = layers * (attention + (3 if gated else 2) * width * inner)
    return Size(
        body, number("vocab_size") * (number("embedding_size", "input_embedding_size") or width)
    )
