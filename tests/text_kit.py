"""A tiny mT5 with random weights and a tokenizer of its own, and a study that has it."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import MT5Config, MT5ForConditionalGeneration

from tests import bundle_kit
from tests.toy_study import write_study

_SPECIALS = ("<pad>", "</s>", "<unk>")

BACKBONE = """
[backbones.text]
type = "mt5"
model = "{folder}/text"
licence = "Apache-2.0"
[backbones.text.protocol]
learning_rate = 3e-3
batch_size = 8
epochs = 2.0
length = 96
stride = 16
precision = "fp32"
dropout = 0.0
"""


def write_text_backbone(folder: Path, seed: int = 0) -> Path:
    """A folder as mT5 is published: a Unigram tokenizer that puts ``</s>`` behind each text."""
    folder.mkdir(parents=True)
    core = Tokenizer(models.Unigram())
    core.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=list(_SPECIALS), unk_token="<unk>", show_progress=False
    )
    texts = [f"{e.question} {e.context}" for e in bundle_kit.examples(40)]
    core.train_from_iterator([*texts, "question: context: airport past new stay"], trainer)
    core.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    core.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": "</s>",
                "pad_token": "<pad>",
                "unk_token": "<unk>",
            }
        )
    )
    torch.manual_seed(seed)
    config = MT5Config(
        vocab_size=core.get_vocab_size(),
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        tie_word_embeddings=False,
    )
    MT5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def write_text_study(folder: Path, tail: str = "", *, alone: bool = False) -> Path:
    """The toy study with a backbone that generates beside the one that scores tokens.

    Args:
        folder: Where to.
        tail: What follows at the end of the study file, that is in its table ``[search]``.
        alone: Leave the other backbone out.
    """
    path = write_study(folder, tail)
    write_text_backbone(folder / "text")
    text = path.read_text()
    before, recipe, after = text.partition("[recipe]")
    if alone:
        before = before.partition("[backbones.toy]")[0]
    path.write_text(before + BACKBONE.format(folder=folder) + recipe + after)
    return path
