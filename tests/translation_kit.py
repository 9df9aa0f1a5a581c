"""Translation models of random weights, in the layouts of real ones; made in a moment."""

import json
from pathlib import Path

import torch
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    MarianConfig,
    MarianMTModel,
    NllbTokenizer,
)

LANGUAGES = ("eng_Latn", "hin_Deva", "tam_Taml")
LETTERS = "abcdefghijklmnopqrstuvwxyz?"
_SIZES = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "max_position_embeddings": 128,
    "init_std": 1.0,
}


def write_nllb(folder: Path, seed: int = 0) -> Path:
    """A model that knows three languages by tokens, as NLLB and M2M100 do."""
    vocab = {token: place for place, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", "▁"])}
    vocab |= {letter: len(vocab) + place for place, letter in enumerate(LETTERS)}
    tokenizer = NllbTokenizer(vocab=vocab, merges=[], additional_special_tokens=list(LANGUAGES))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = M2M100Config(
        vocab_size=len(tokenizer),
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        **_SIZES,
    )
    M2M100ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def write_marian(folder: Path, seed: int = 0) -> Path:
    """A model of one direction, as those of Opus-MT; needs sentencepiece."""
    import sentencepiece

    folder.mkdir(parents=True)
    lines = folder / "lines.txt"
    lines.write_text("\n".join(" ".join(LETTERS[at:] + LETTERS[:at]) for at in range(27)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(lines),
        model_prefix=str(folder / "source"),
        vocab_size=32,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    lines.unlink()
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    pieces = (folder / "source.vocab").read_text().splitlines()
    (folder / "source.vocab").unlink()
    names = ["</s>", "<unk>", *(line.split("\t")[0] for line in pieces[3:]), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({name: n for n, name in enumerate(names)}))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "MarianTokenizer"}')
    torch.manual_seed(seed)
    pad = len(names) - 1
    config = MarianConfig(
        vocab_size=len(names),
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        **_SIZES,
    )
    MarianMTModel(config).save_pretrained(folder)
    return folder
