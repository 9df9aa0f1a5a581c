"""Tiny models of many architectures: transformers' own classes, random weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as t

_COMMON = {
    "vocab_size": 60,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "hidden_size": 32,
    "intermediate_size": 64,
    "max_position_embeddings": 96,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
    "initializer_range": 0.3,
}
_GROUPED = {**_COMMON, "num_key_value_heads": 1, "head_dim": 16}
_MODERN = {"cls_token_id": 2, "sep_token_id": 3, "global_attn_every_n_layers": 2}
_LOCAL_AND_ALL = ["sliding_attention", "full_attention"]
_T5 = {
    "vocab_size": 60,
    "d_model": 32,
    "d_kv": 16,
    "d_ff": 64,
    "num_layers": 2,
    "num_heads": 2,
    "initializer_factor": 3.0,
}
_BOTH = {
    "vocab_size": 60,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "pad_token_id": 1,
    "init_std": 0.3,
}

CONFIGS: dict[str, Callable[[], Any]] = {
    # as ModernBERT and mmBERT: each second layer sees its neighbourhood only
    "modernbert": lambda: t.ModernBertConfig(**_COMMON, **_MODERN, local_attention=16),
    "eurobert": lambda: t.EuroBertConfig(**_GROUPED),
    # as EmbeddingGemma
    "gemma3_text": lambda: t.Gemma3TextConfig(
        **_GROUPED,
        sliding_window=16,
        layer_types=_LOCAL_AND_ALL,
        use_bidirectional_attention=True,
    ),
    "nomic_bert": lambda: t.NomicBertConfig(**_COMMON),
    "gte": lambda: t.GteConfig(**_COMMON),
    "llama, both sides": lambda: t.LlamaConfig(**_GROUPED, is_causal=False),
    "longformer": lambda: t.LongformerConfig(
        **{**_COMMON, "pad_token_id": 1}, attention_window=8, sep_token_id=3
    ),
    "big_bird": lambda: t.BigBirdConfig(**_COMMON, block_size=4, num_random_blocks=1),
    "led": lambda: t.LEDConfig(
        **_BOTH,
        attention_window=8,
        max_encoder_position_embeddings=96,
        max_decoder_position_embeddings=96,
    ),
    "bart": lambda: t.BartConfig(**_BOTH, max_position_embeddings=96),
    "t5": lambda: t.T5Config(**_T5),
    "mt5": lambda: t.MT5Config(**_T5),
    "umt5": lambda: t.UMT5Config(**_T5),
    "longt5": lambda: t.LongT5Config(**_T5, local_radius=4),
    "rembert": lambda: t.RemBertConfig(
        **_COMMON, input_embedding_size=16, output_embedding_size=16
    ),
    "mpnet": lambda: t.MPNetConfig(**{**_COMMON, "pad_token_id": 1}),
    "splinter": lambda: t.SplinterConfig(**_COMMON),
    "deberta-v2": lambda: t.DebertaV2Config(
        **_COMMON, relative_attention=True, pos_att_type=["c2p", "p2c"], position_buckets=16
    ),
    "fnet": lambda: t.FNetConfig(
        **{k: v for k, v in _COMMON.items() if k != "num_attention_heads"}
    ),
    "modernbert-decoder": lambda: t.ModernBertDecoderConfig(
        **_COMMON, cls_token_id=2, sep_token_id=3, local_attention=16
    ),
    "llama": lambda: t.LlamaConfig(**_GROUPED),
    "gemma3_text, one side": lambda: t.Gemma3TextConfig(**_GROUPED, layer_types=_LOCAL_AND_ALL),
    "falcon": lambda: t.FalconConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=2
    ),
    "gptj": lambda: t.GPTJConfig(
        vocab_size=60, n_embd=32, n_layer=2, n_head=2, n_positions=96, rotary_dim=8
    ),
    "mpt": lambda: t.MptConfig(vocab_size=60, d_model=32, n_heads=2, n_layers=2, max_seq_len=96),
    "lxmert": lambda: t.LxmertConfig(
        vocab_size=60, hidden_size=32, num_attention_heads=2, intermediate_size=64
    ),
}


def save_pretrained(folder: Path, architecture: str, seed: int = 0) -> Path:
    """A folder with pretrained weights, as they are published: without a trained head."""
    torch.manual_seed(seed)
    t.AutoModel.from_config(CONFIGS[architecture]()).save_pretrained(folder)
    return folder
