"""Small models with random weights: what is tested here does not depend on what they know."""

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from autoqa.features.windows import Windows


def save_tiny(folder: Path, family: str = "bert") -> Path:
    """A folder with a two-layer encoder of the given family and no trained head."""
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 60,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 80,
        "pad_token_id": 1,
    }
    configs = {
        "bert": lambda: transformers.BertConfig(**sizes),
        "xlm-roberta": lambda: transformers.XLMRobertaConfig(**sizes, type_vocab_size=1),
        "distilbert": lambda: transformers.DistilBertConfig(
            vocab_size=60, dim=32, n_layers=2, n_heads=2, hidden_dim=64, pad_token_id=1
        ),
        "mpnet": lambda: transformers.MPNetConfig(**sizes),
        "albert": lambda: transformers.AlbertConfig(**sizes, embedding_size=16),
        "deberta-v2": lambda: transformers.DebertaV2Config(
            **sizes, position_biased_input=False, relative_attention=True, pos_att_type=["c2p"]
        ),
        "modernbert": lambda: transformers.ModernBertConfig(**sizes),
    }
    model = transformers.AutoModel.from_config(configs[family]())
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny-bert"))


def make_windows(lengths: list[int], seed: int = 0) -> Windows:
    """Windows of random tokens: first token special, three of a question, the rest context."""
    rng = np.random.default_rng(seed)
    total = sum(lengths)
    ends = np.array(lengths, np.int32)
    context = np.stack([np.full(len(lengths), 4, np.int32), ends], axis=1)
    label = np.array([[4, n - 1] if i % 2 else [0, 0] for i, n in enumerate(lengths)], np.int32)
    return Windows(
        input_ids=rng.integers(2, 60, total).astype(np.int32),
        type_ids=np.zeros(total, np.int32),
        offsets=np.zeros((total, 2), np.int32),
        starts_word=np.zeros(total, bool),
        bounds=np.concatenate([[0], np.cumsum(lengths)]),
        example=np.arange(len(lengths), dtype=np.int32),
        context=context,
        label=label,
    )
