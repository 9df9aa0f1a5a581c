"""The backbone passes the checks of all backbones but one, with a model of random weights."""

import json
import tempfile
from pathlib import Path

import torch
from autoqa_plugin_example.backbone import FolderOptions, spec
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from autoqa.testing.cases import BackboneCase

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def made(folder: Path) -> Path:
    """A model folder: an encoder of bytes."""
    vocabulary = [*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    numbers = {token: number for number, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.BPE(numbers, merges=[], unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    folder.mkdir()
    config.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    )
    weights = BertModel(config, add_pooling_layer=False).state_dict()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


class TestFolder(BackboneCase):
    spec = spec
    options = FolderOptions(folder=made(Path(tempfile.mkdtemp()) / "model"))
    languages = ("en", "hi", "th")
    exempt = {  # noqa: RUF012
        "overfitting": "its weights are random, and its learning rate is for pretrained ones"
    }
