"""Turns a packed multilingual-e5-small into a folder that transformers reads."""

import unicodedata
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autoqa_backbones.e5_file import PackedModel, parse
from autoqa_backbones.folders import write_json

SPECIAL = {
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}

_SPACE = "▁"
_INDIC = (range(0x0900, 0x0A00), range(0x0B80, 0x0C80))
"""Blocks of Devanagari and Bengali, and of Tamil and Telugu."""

# (part of a layer's name in the packed file, in transformers)
_LAYER = (
    ("q", "attention.self.query"),
    ("k", "attention.self.key"),
    ("v", "attention.self.value"),
    ("ao", "attention.output.dense"),
    ("aln", "attention.output.LayerNorm"),
    ("fi", "intermediate.dense"),
    ("fo", "output.dense"),
    ("oln", "output.LayerNorm"),
)


def convert(model: bytes, folder: Path, *, latin: bytes | None) -> None:
    """Writes config, weights and tokenizer.

    Weights stay float32: it is what training starts from, transformers loads the type it finds,
    and each 4-bit weight times its scale is exact in it.

    Args:
        model: Content of the packed multilingual file.
        folder: An empty folder.
        latin: Content of the packed English and Portuguese file, whose pieces say which Latin
            ones to keep (see :func:`kept_piece_ids`); ``None`` keeps all pieces of all scripts.
    """
    packed = parse(model)
    if latin is None:
        piece_ids = np.arange(len(packed.pieces))
    else:
        piece_ids = kept_piece_ids(packed.pieces, frozenset(parse(latin).pieces))
    from safetensors.numpy import save_file

    save_file(_weights(packed, piece_ids), folder / "model.safetensors", metadata={"format": "pt"})
    pieces = [(packed.pieces[i], float(packed.scores[i])) for i in piece_ids.tolist()]
    write_tokenizer(pieces, folder, packed.positions)
    write_json(folder / "config.json", _config(packed, len(piece_ids), pieces))


def kept_piece_ids(pieces: Sequence[str], latin: Container[str]) -> npt.NDArray[np.int64]:
    """Ids of the pieces that Indic and English text is cut into, ascending.

    Kept: pieces with an Indic character; pieces without any letter (digits, punctuation, marks of
    every script, so that none turns into an unknown token); pieces whose letters are all Latin
    and that the English and Portuguese vocabulary has.
    """
    return np.array([i for i, piece in enumerate(pieces) if _is_kept(piece, latin)], np.int64)


def _is_kept(piece: str, latin: Container[str]) -> bool:
    if piece in SPECIAL.values() or any(ord(c) in block for c in piece for block in _INDIC):
        return True
    letters = [c for c in piece if c != _SPACE and _is_letter(c)]
    if not letters:
        return True
    return piece in latin and all("LATIN" in unicodedata.name(c, "") for c in letters)


def _is_letter(char: str) -> bool:
    """Letters, vowel signs and accents.

    Unassigned code points count too: a later Python may know them, and the pieces kept, thus the
    tokenizer's fingerprint, must not depend on it.
    """
    category = unicodedata.category(char)
    return category[0] in "LM" or category == "Cn"


def _weights(
    packed: PackedModel, piece_ids: npt.NDArray[np.int64]
) -> dict[str, npt.NDArray[np.float32]]:
    """Tensors under the names that ``BertForQuestionAnswering`` gives them, less the head."""
    hidden = packed.hidden
    prefix = "bert.embeddings."
    tensors = {
        prefix + "word_embeddings.weight": packed.tensor("emb.word", hidden)[piece_ids],
        prefix + "position_embeddings.weight": packed.tensor("emb.pos", hidden),
        prefix + "token_type_embeddings.weight": packed.tensor("emb.type", hidden),
        prefix + "LayerNorm.weight": packed.tensor("emb.ln.w", hidden)[0],
        prefix + "LayerNorm.bias": packed.tensor("emb.ln.b", hidden)[0],
    }
    for layer in range(packed.layers):
        for short, name in _LAYER:
            inputs = packed.feed_forward if short == "fo" else hidden
            outputs = packed.feed_forward if short == "fi" else hidden
            key = f"bert.encoder.layer.{layer}.{name}."
            weight = packed.tensor(f"l{layer}.{short}.w", inputs)
            tensors[key + "weight"] = weight[0] if short in ("aln", "oln") else weight
            tensors[key + "bias"] = packed.tensor(f"l{layer}.{short}.b", outputs)[0]
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def _config(
    packed: PackedModel, vocabulary: int, pieces: Sequence[tuple[str, float]]
) -> dict[str, object]:
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    return {
        "architectures": ["BertForQuestionAnswering"],
        "model_type": "bert",
        "vocab_size": vocabulary,
        "hidden_size": packed.hidden,
        "num_hidden_layers": packed.layers,
        "num_attention_heads": packed.heads,
        "intermediate_size": packed.feed_forward,
        "hidden_act": "gelu",
        "max_position_embeddings": packed.positions,
        "type_vocab_size": packed.types,
        "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02,
        "bos_token_id": ids["<s>"],
        "eos_token_id": ids["</s>"],
        "pad_token_id": ids["<pad>"],
        "dtype": "float32",
    }


def write_tokenizer(pieces: list[tuple[str, float]], folder: Path, positions: int) -> None:
    """XLM-R's tokenizer over these pieces: same ids (if all are kept) and offsets."""
    from tokenizers import AddedToken, Regex, Tokenizer
    from tokenizers.decoders import Metaspace as MetaspaceDecoder
    from tokenizers.models import Unigram
    from tokenizers.normalizers import NFKC, Nmt, Replace, Sequence
    from tokenizers.pre_tokenizers import Metaspace
    from tokenizers.processors import TemplateProcessing

    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    tokenizer = Tokenizer(Unigram(pieces, unk_id=ids["<unk>"], byte_fallback=False))
    tokenizer.normalizer = Sequence([Nmt(), NFKC(), Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = Metaspace(replacement=_SPACE, prepend_scheme="always")
    tokenizer.decoder = MetaspaceDecoder(replacement=_SPACE, prepend_scheme="always")
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    tokenizer.add_special_tokens(
        [
            AddedToken(token, lstrip=token == "<mask>", normalized=False, special=True)
            for token in dict.fromkeys(SPECIAL.values())
        ]
    )
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": positions,
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            **SPECIAL,
        },
    )
