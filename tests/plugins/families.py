"""Tiny models of the families that have a name: their own classes, sizes, tokenizers and files.

Weights are random and tokenizers are made of the kit's texts. Everything else is as published:
what the folder holds, how windows are laid out, and what is particular about the architecture.
"""

import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import torch
import transformers as t
from safetensors.torch import load_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from autoqa.testing.samples import TEXTS, generated_examples

TEXT = (
    *TEXTS.values(),
    *(text for each in generated_examples() for text in (each.question, each.context)),
)
_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "initializer_range": 0.2,
}
_GROUPED = {"num_key_value_heads": 1, "head_dim": 16}


def write_config(folder: Path, **content: Any) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(content))


def word_pieces(folder: Path, *, lower: bool) -> int:
    """A ``vocab.txt`` alone, as MuRIL and ELECTRA have."""
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=lower, strip_accents=lower)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(
        vocab_size=4000, special_tokens=special, show_progress=False
    )
    core.train_from_iterator(TEXT, trainer)
    vocabulary = core.get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)))
    if lower:  # ELECTRA's says no more
        write_config(folder, do_lower_case=True)
    else:
        write_config(folder, do_lower_case=False, strip_accents=False, model_max_length=512)
    return len(vocabulary)


def sentence_pieces(path: Path, **ids: Any) -> int:
    """A Unigram model of sentencepiece."""
    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 3),
        model_writer=made,
        model_type="unigram",
        vocab_size=900,
        character_coverage=1.0,
        hard_vocab_limit=False,
        minloglevel=2,
        **ids,
    )
    path.write_bytes(made.getvalue())
    return int(sentencepiece.SentencePieceProcessor(model_file=str(path)).get_piece_size())


def pairs(core: Tokenizer, first: str, last: str) -> None:
    core.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B {last}",
        special_tokens=[(name, core.token_to_id(name)) for name in (first, last)],
    )


def byte_level(folder: Path, special: Sequence[str], first: str, last: str | None) -> int:
    """BPE over bytes, as ModernBERT's and EuroBERT's."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(TEXT, trainer)
    if last is not None:
        pairs(core, first, last)
    core.save(str(folder / "tokenizer.json"))
    return int(core.get_vocab_size())


def gemma(folder: Path) -> int:
    """Gemma's: spaces become a letter of their own, and what is unknown becomes bytes."""
    core = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    core.normalizer = normalizers.Replace(" ", "▁")
    core.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(f"<0x{n:02X}>" for n in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=special, show_progress=False)
    core.train_from_iterator(TEXT, trainer)
    content = json.loads(core.to_str())
    content["added_tokens"] = [each for each in content["added_tokens"] if each["id"] < 5]
    core = Tokenizer.from_str(json.dumps(content))
    pairs(core, "<bos>", "<eos>")
    core.save(str(folder / "tokenizer.json"))
    write_config(
        folder,
        tokenizer_class="PreTrainedTokenizerFast",
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )
    return int(core.get_vocab_size())


def save(folder: Path, model: Any, *, pickled: bool = False, dtype: Any = torch.float32) -> None:
    """Weights as the hub has them."""
    model.to(dtype).save_pretrained(folder)
    if pickled:
        weights = folder / "model.safetensors"
        torch.save(load_file(weights), folder / "pytorch_model.bin")
        weights.unlink()


def muril(folder: Path) -> None:
    size = word_pieces(folder, lower=False)
    config = t.BertConfig(**_SIZES, vocab_size=size, max_position_embeddings=512)
    save(folder, t.BertModel(config), pickled=True)


def xlm_r(folder: Path) -> None:
    """The published piece model has no padding and no mask, so ids are one off from its own."""
    size = sentence_pieces(folder / "sentencepiece.bpe.model", unk_id=0, bos_id=1, eos_id=2)
    write_config(folder, model_max_length=512)
    config = t.XLMRobertaConfig(
        **_SIZES, vocab_size=size + 2, max_position_embeddings=514, type_vocab_size=1,
        pad_token_id=1, bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    save(folder, t.XLMRobertaForMaskedLM(config))


def infoxlm(folder: Path) -> None:
    """No tokenizer_config.json, and pickled weights."""
    xlm_r(folder)
    tokenizer = t.AutoTokenizer.from_pretrained(folder)
    (folder / "tokenizer_config.json").unlink()
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    state = load_file(folder / "model.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def rembert(folder: Path) -> None:
    """Word embeddings are narrower than the layers."""
    special = {"pad_id": 0, "unk_id": 1, "bos_id": 2, "eos_id": 3}
    names = {"bos_piece": "[CLS]", "eos_piece": "[SEP]", "pad_piece": "[PAD]", "unk_piece": "[UNK]"}
    size = sentence_pieces(
        folder / "sentencepiece.model", **special, **names, control_symbols=["[MASK]"]
    )
    write_config(folder, do_lower_case=False, keep_accents=True)
    config = t.RemBertConfig(
        **_SIZES, vocab_size=size + 8, input_embedding_size=24, output_embedding_size=40,
        max_position_embeddings=512,
    )  # fmt: skip
    save(folder, t.RemBertModel(config), pickled=True)


def mdeberta(folder: Path) -> None:
    """Positions are relative and share their projections; some of the pickled weights are half."""
    names = {"bos_piece": "[CLS]", "eos_piece": "[SEP]", "pad_piece": "[PAD]", "unk_piece": "[UNK]"}
    size = sentence_pieces(folder / "spm.model", pad_id=0, bos_id=1, eos_id=2, unk_id=3, **names)
    write_config(folder, do_lower_case=False, vocab_type="spm")
    config = t.DebertaV2Config(
        **_SIZES, vocab_size=size + 8, max_position_embeddings=512, relative_attention=True,
        position_buckets=32, norm_rel_ebd="layer_norm", share_att_key=True,
        pos_att_type=["p2c", "c2p"], position_biased_input=False, type_vocab_size=0,
        max_relative_positions=-1,
    )  # fmt: skip
    save(folder, t.DebertaV2Model(config))
    state = load_file(folder / "model.safetensors")
    half = {name: w.half() if "attention" in name else w for name, w in state.items()}
    torch.save({f"deberta.{name}": w for name, w in half.items()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def indicbert_v3(folder: Path) -> None:
    """Gemma 3, whose configuration says that it reads from left to right; bfloat16."""
    config = t.Gemma3TextConfig(
        **_SIZES, **_GROUPED, vocab_size=gemma(folder), sliding_window=24,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
        pad_token_id=0, eos_token_id=1, bos_token_id=2, max_position_embeddings=2048,
    )  # fmt: skip
    save(folder, t.Gemma3TextModel(config), dtype=torch.bfloat16)


def mmbert(folder: Path) -> None:
    """ModernBERT with Gemma 2's tokenizer: each third layer sees all, the others near tokens."""
    config = t.ModernBertConfig(
        **_SIZES, vocab_size=gemma(folder), local_attention=16, global_attn_every_n_layers=3,
        pad_token_id=0, bos_token_id=2, cls_token_id=2, eos_token_id=1, sep_token_id=1,
        max_position_embeddings=2048,
    )  # fmt: skip
    save(folder, t.ModernBertForMaskedLM(config))


def modernbert(folder: Path) -> None:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    size = byte_level(folder, special, "[CLS]", "[SEP]")
    write_config(
        folder,
        tokenizer_class="PreTrainedTokenizerFast",
        **{f"{name[1:-1].lower()}_token": name for name in special},
    )
    config = t.ModernBertConfig(
        **_SIZES, vocab_size=size, local_attention=16, global_attn_every_n_layers=3,
        pad_token_id=0, bos_token_id=2, cls_token_id=2, eos_token_id=3, sep_token_id=3,
        max_position_embeddings=2048,
    )  # fmt: skip
    save(folder, t.ModernBertForMaskedLM(config))


def eurobert(folder: Path) -> None:
    """Llama's layers and norms; its tokenizer puts nothing around two texts."""
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|mask|>", "<|pad|>"]
    size = byte_level(folder, special, special[0], None)
    write_config(
        folder,
        tokenizer_class="PreTrainedTokenizerFast",
        bos_token=special[0],
        eos_token=special[1],
        mask_token=special[2],
        pad_token=special[3],
    )
    config = t.EuroBertConfig(
        **_SIZES, **_GROUPED, vocab_size=size, pad_token_id=3, bos_token_id=0, eos_token_id=1,
        mask_token_id=2, max_position_embeddings=2048,
    )  # fmt: skip
    save(folder, t.EuroBertForMaskedLM(config))


def electra(folder: Path) -> None:
    """A discriminator, with embeddings half as wide as the layers."""
    size = word_pieces(folder, lower=True)
    config = t.ElectraConfig(
        **_SIZES, vocab_size=size, embedding_size=16, max_position_embeddings=512
    )
    save(folder, t.ElectraForPreTraining(config), pickled=True)


FAMILIES: dict[str, Callable[[Path], None]] = {
    "muril-large": muril,
    "xlm-r-large": xlm_r,
    "infoxlm-large": infoxlm,
    "rembert": rembert,
    "mdeberta-v3-base": mdeberta,
    "indicbert-v3-270m": indicbert_v3,
    "mmbert-base": mmbert,
    "modernbert-base": modernbert,
    "eurobert-210m": eurobert,
    "electra-small": electra,
}
"""Name of a backbone to what writes a folder of its family."""


def write_family(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True)
    torch.manual_seed(0)
    FAMILIES[name](folder)
    return folder
