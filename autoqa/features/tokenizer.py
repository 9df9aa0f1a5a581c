"""A fast tokenizer from one file, and the special tokens it puts around a question and a context.

Only :mod:`tokenizers` is needed: a bundle predicts without importing transformers.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers

from autoqa.errors import ConfigError, MissingAssetError

_PROBES = ("a", "0", "e", "1", "?")
_MASK_NAMES = ("[MASK]", "<mask>", "[mask]", "<MASK>")
_UNKNOWN_NAMES = ("[UNK]", "<unk>", "[unk]", "<UNK>")


@dataclass(frozen=True, slots=True)
class Special:
    """Special tokens at one place of a pair: ids and segment ids, int32 ``[n]`` each."""

    ids: npt.NDArray[np.int32]
    type_ids: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Template:
    """How a pair is laid out: prefix, question, middle, context, suffix.

    Attributes:
        prefix: Before the question, such as ``[CLS]``; never empty, since position 0 is where
            "no answer here" points.
        middle: Between the two, such as ``[SEP]`` or ``</s></s>``.
        suffix: After the context.
        question_type: Segment id of question tokens.
        context_type: Segment id of context tokens.
    """

    prefix: Special
    middle: Special
    suffix: Special
    question_type: int
    context_type: int

    @property
    def specials(self) -> int:
        """How many special tokens every window carries."""
        return len(self.prefix) + len(self.middle) + len(self.suffix)


class QATokenizer:
    """A ``tokenizer.json`` with truncation and padding switched off.

    Attributes:
        key: Twelve hex digits of the file's SHA-256; equal keys tokenize equally.
        template: The special tokens around a question and a context.
        core: The tokenizer itself.
    """

    def __init__(self, content: bytes, name: str) -> None:
        """Reads a tokenizer.

        Args:
            content: The bytes of a ``tokenizer.json``.
            name: What error messages call it.

        Raises:
            ConfigError: The content is not a tokenizer, or does not lay out a pair as question
                first, context second, a special token in front.
        """
        self.key = hashlib.sha256(content).hexdigest()[:12]
        self._name = name
        try:
            self.core: Any = tokenizers.Tokenizer.from_str(content.decode("utf-8"))
        except Exception as error:  # tokenizers raises bare Exception
            raise ConfigError(
                f"{name} cannot be read as a fast tokenizer ({error}); save it again with "
                f"transformers' save_pretrained."
            ) from error
        self.core.no_truncation()
        self.core.no_padding()
        self.template = _find_template(self.core, name)

    @classmethod
    def from_folder(cls, folder: Path) -> "QATokenizer":
        """Reads ``tokenizer.json`` in a folder of Hugging Face layout.

        Raises:
            MissingAssetError: The folder has no such file.
            ConfigError: The file cannot be used, see :class:`QATokenizer`.
        """
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise MissingAssetError(
                f"{path} does not exist: a backbone folder must hold the fast tokenizer's file; "
                f"slow tokenizers are converted by transformers' AutoTokenizer and "
                f"save_pretrained."
            )
        return cls(path.read_bytes(), str(path))

    @property
    def mask_id(self) -> int:
        """The mask token's id, or the unknown token's where there is no mask.

        Raises:
            ConfigError: The tokenizer has neither.
        """
        for name in (*_MASK_NAMES, *_UNKNOWN_NAMES):
            token_id = self.core.token_to_id(name)
            if token_id is not None:
                return int(token_id)
        unknown = self.unknown_id
        if unknown is None:
            raise ConfigError(
                f"{self._name} has neither a mask nor an unknown token, so nothing can be masked: "
                f"remove masking augmentations such as cutout from recipes with this backbone."
            )
        return unknown

    @property
    def unknown_id(self) -> int | None:
        """The id of what the vocabulary does not have; ``None`` where it has everything."""
        model = json.loads(self.core.to_str())["model"]
        unknown = model.get("unk_id")
        if unknown is None and model.get("unk_token"):
            unknown = self.core.token_to_id(model["unk_token"])
        return None if unknown is None else int(unknown)


def _find_template(core: Any, name: str) -> Template:
    """Encodes a pair and reads off what stands around its two halves."""
    for probe in _PROBES:
        encoding = core.encode(probe, probe)
        sides = encoding.sequence_ids
        if 0 in sides and 1 in sides:
            break
    else:
        raise ConfigError(
            f"{name} turns none of the texts {', '.join(map(repr, _PROBES))} into tokens, so it "
            f"cannot be used; is its vocabulary complete?"
        )
    question, context = sides.index(0), sides.index(1)
    question_end, context_end = question + sides.count(0), context + sides.count(1)
    if not 0 < question < question_end <= context:
        layout = " ".join(encoding.tokens)
        raise ConfigError(
            f"{name} lays out the pair ({probe!r}, {probe!r}) as {layout!r}; autoqa needs a "
            f"special token, then the question, then the context: set its post-processor "
            f"accordingly."
        )
    ids = np.array(encoding.ids, dtype=np.int32)
    types = np.array(encoding.type_ids, dtype=np.int32)

    def cut(start: int, stop: int) -> Special:
        return Special(ids[start:stop], types[start:stop])

    return Template(
        prefix=cut(0, question),
        middle=cut(question_end, context),
        suffix=cut(context_end, len(ids)),
        question_type=int(types[question]),
        context_type=int(types[context]),
    )
