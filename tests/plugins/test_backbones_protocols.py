"""Protocols, for the configurations of published models."""

from typing import Any

import pytest
from autoqa_backbones.protocols import (
    DEBERTA,
    ELECTRA,
    ELECTRA_LARGE,
    GEMMA,
    GENERIC,
    LARGE,
    LONG,
    MODERN,
    MODERN_LARGE,
    MODERN_SMALL,
    MURIL,
    REMBERT,
    SMALL,
    T5,
    XLMR_LARGE,
    by_config,
    by_name,
    size,
)

from autoqa.api import TrainingProtocol


def bert(kind: str, width: int, layers: int, inner: int, vocabulary: int, **more: Any) -> Any:
    return {
        "model_type": kind,
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, width // 64),
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        **more,
    }


GROUPED: dict[str, Any] = {"head_dim": 256, "num_key_value_heads": 1}

# id, what its config.json says, body and table in millions as published or counted, protocol
PUBLISHED: list[tuple[str, Any, float, float, TrainingProtocol]] = [
    ("intfloat/multilingual-e5-small", bert("bert", 384, 12, 1536, 250037), 21, 96, SMALL),
    ("all-MiniLM-L6-v2", bert("bert", 384, 6, 1536, 30522), 10.6, 11.7, SMALL),
    ("microsoft/MiniLM-L12-H384-uncased", bert("bert", 384, 12, 1536, 30522), 21, 11.7, SMALL),
    ("jhu-clsp/mmBERT-small", bert("modernbert", 384, 22, 1152, 256000), 42, 98, MODERN_SMALL),
    ("jhu-clsp/mmBERT-base", bert("modernbert", 768, 22, 1152, 256000), 110, 197, MODERN),
    ("answerdotai/ModernBERT-base", bert("modernbert", 768, 22, 1152, 50368), 110, 39, MODERN),
    ("ModernBERT-large", bert("modernbert", 1024, 28, 2624, 50368), 343, 52, MODERN_LARGE),
    ("EuroBERT/EuroBERT-210m", bert("eurobert", 768, 12, 3072, 128256), 113, 98, MODERN),
    ("FacebookAI/xlm-roberta-base", bert("xlm-roberta", 768, 12, 3072, 250002), 85, 192, GENERIC),
    ("xlm-roberta-large", bert("xlm-roberta", 1024, 24, 4096, 250002), 302, 256, XLMR_LARGE),
    ("google/muril-large-cased", bert("bert", 1024, 24, 4096, 197285), 302, 202, MURIL),
    ("google/muril-base-cased", bert("bert", 768, 12, 3072, 197285), 85, 151.5, MURIL),
    ("microsoft/mdeberta-v3-base", bert("deberta-v2", 768, 12, 3072, 251000), 85, 193, DEBERTA),
    ("microsoft/deberta-v3-large", bert("deberta-v2", 1024, 24, 4096, 128100), 302, 131, LARGE),
    (
        "google/rembert",
        bert("rembert", 1152, 32, 4608, 250300, input_embedding_size=256),
        510,
        64,
        REMBERT,
    ),
    (
        "google/embeddinggemma-300m",
        bert("gemma3_text", 768, 24, 1152, 262144, **GROUPED, num_attention_heads=3),
        101,
        201,
        GEMMA,
    ),
    ("bert-base-multilingual-cased", bert("bert", 768, 12, 3072, 119547), 85, 92, GENERIC),
    ("google-bert/bert-large-uncased", bert("bert", 1024, 24, 4096, 30522), 302, 31, LARGE),
    ("allenai/longformer-base-4096", bert("longformer", 768, 12, 3072, 50265), 85, 39, LONG),
    ("google/bigbird-roberta-base", bert("big_bird", 768, 12, 3072, 50358), 85, 39, LONG),
    (
        "google/mt5-base",
        {
            "model_type": "mt5",
            "d_model": 768,
            "d_ff": 2048,
            "d_kv": 64,
            "num_heads": 12,
            "num_layers": 12,
            "feed_forward_proj": "gated-gelu",
            "vocab_size": 250112,
        },
        85,
        192,
        T5,
    ),
    (
        "distilbert/distilbert-base-multilingual-cased",
        {
            "model_type": "distilbert",
            "dim": 768,
            "hidden_dim": 3072,
            "n_heads": 12,
            "n_layers": 6,
            "vocab_size": 119547,
        },
        42.5,
        92,
        GENERIC,
    ),
    (
        "google/electra-base-discriminator",
        bert("electra", 768, 12, 3072, 30522, embedding_size=768),
        85,
        23,
        ELECTRA,
    ),
    (
        "google/electra-large-discriminator",
        bert("electra", 1024, 24, 4096, 30522, embedding_size=1024),
        302,
        31,
        ELECTRA_LARGE,
    ),
]  # fmt: skip


@pytest.mark.parametrize("name, config, body, table, protocol", PUBLISHED)
def test_published_models(
    name: str, config: Any, body: float, table: float, protocol: TrainingProtocol
) -> None:
    counted = size(config)
    assert counted.body / 1e6 == pytest.approx(body, rel=0.02)
    assert counted.table / 1e6 == pytest.approx(table, rel=0.02)
    assert by_config(config, name) == protocol
    assert by_name(name) in (protocol, None)  # the same before the model is downloaded


def test_an_mmbert_small_is_no_e5_small() -> None:
    """As wide, but twice the body, and made otherwise."""
    wide = [bert(kind, 384, layers, inner, vocabulary) for kind, layers, inner, vocabulary in (
        ("bert", 12, 1536, 250037), ("modernbert", 22, 1152, 256000),
    )]  # fmt: skip
    e5, mmbert = map(by_config, wide)
    assert (e5.learning_rate, e5.head_multiplier, e5.length) == (2e-4, 10.0, 256)
    assert (mmbert.learning_rate, mmbert.head_multiplier, mmbert.length) == (8e-5, 1.0, 384)


def test_a_name_alone_decides_as_the_config_will() -> None:
    named = {name: protocol for name, _, _, _, protocol in PUBLISHED}
    for name in (
        *("jhu-clsp/mmBERT-small", "jhu-clsp/mmBERT-base", "ModernBERT-large"),
        *("EuroBERT/EuroBERT-210m", "microsoft/mdeberta-v3-base", "microsoft/deberta-v3-large"),
        *("google/mt5-base", "allenai/longformer-base-4096", "google/embeddinggemma-300m"),
    ):
        assert by_name(name) == named[name], name


def test_what_a_config_does_not_state_makes_the_usual_protocol() -> None:
    assert by_config({"model_type": "bert", "hidden_size": 384}) == GENERIC
    assert by_config({}) == GENERIC
    assert by_config({"model_type": "bert", "hidden_size": "wide"}) == GENERIC
