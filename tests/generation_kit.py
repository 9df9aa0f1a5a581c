"""Models that ask and answer: one of random weights, one whose weights say what it answers."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

SPECIAL = ("<pad>", "</s>", "<unk>", "<s>")


def _write_tokenizer(folder: Path, texts: Iterable[str], template: tuple[str, str]) -> list[str]:
    words = {word for text in texts for word in re.findall(r"\w+|[^\w\s]", text)}
    known = [*SPECIAL, *sorted(words - set(SPECIAL))]
    vocabulary = {word: place for place, word in enumerate(known)}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single=template[0], pair=template[1], special_tokens=[("<s>", 3), ("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=512,
    ).save_pretrained(folder)
    return known


def write_asker(folder: Path, texts: Sequence[str], seed: int = 0) -> Path:
    """A T5 of random weights that asks in words of some texts."""
    words = _write_tokenizer(folder, texts, ("$A </s>", "$A </s> $B </s>"))
    torch.manual_seed(seed)
    config = T5Config(
        vocab_size=len(words),
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
        initializer_factor=8.0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def write_answerer(folder: Path, texts: Sequence[str], answers: Iterable[str]) -> Path:
    """A model without layers that answers with the words it is told, whatever the question."""
    words = _write_tokenizer(folder, texts, ("<s> $A </s>", "<s> $A </s> $B:1 </s>:1"))
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=4,
        num_hidden_layers=0,
        num_attention_heads=1,
        intermediate_size=4,
        max_position_embeddings=512,
        pad_token_id=0,
    )
    model = BertForQuestionAnswering(config)
    told = set(answers)
    with torch.no_grad():
        embeddings = model.bert.embeddings
        embeddings.position_embeddings.weight.zero_()
        embeddings.token_type_embeddings.weight.zero_()
        for place, word in enumerate(words):
            embeddings.word_embeddings.weight[place] = torch.eye(4)[int(word in told)]
        model.qa_outputs.weight.copy_(torch.tensor([[-1.0, 1.0, 0.0, 0.0]] * 2))
        model.qa_outputs.bias.zero_()
    model.save_pretrained(folder)
    return folder
