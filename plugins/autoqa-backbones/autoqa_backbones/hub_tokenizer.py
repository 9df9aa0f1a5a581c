"""A pair of texts laid out as autoqa needs it: a special token first, which stands for "no answer".

T5's tokenizers begin with the question, those of decoders add nothing at all. Their own special
tokens are put around the two texts then.
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from autoqa_backbones.folders import write_json

_ROLES = ("cls_token", "bos_token", "sep_token", "eos_token", "pad_token")


def begins_with_text(folder: Path) -> bool:
    """Whether the first token of a pair is one of its first text.

    Args:
        folder: With ``tokenizer.json``; one that cannot be read is for others to complain about.
    """
    try:
        encoding = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("a 0", "0 a")
    except Exception:  # tokenizers raises bare Exception
        return False
    return bool(encoding.sequence_ids) and encoding.sequence_ids[0] is not None


def surround(source: Path, target: Path) -> None:
    """Writes a ``tokenizer.json`` that puts special tokens before, between and after two texts.

    Args:
        source: A folder with ``tokenizer.json`` and ``tokenizer_config.json``.
        target: Where the new ``tokenizer.json`` goes.

    Raises:
        ValueError: The tokenizer has no special token.
    """
    content = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    specials = _specials(json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8")))
    names = {
        role: name for role, name in specials.items() if tokenizer.token_to_id(name) is not None
    }
    first = next((names[role] for role in _ROLES if role in names), None)
    if first is None:
        raise ValueError("has no special token to put before the question")
    after = names.get("sep_token") or names.get("eos_token") or first
    ids = {name: int(tokenizer.token_to_id(name) or 0) for name in (first, after)}
    template = _template(first, after, ids)
    kept = [part for part in _parts(content.get("post_processor")) if part["type"] == "ByteLevel"]
    content["post_processor"] = {"type": "Sequence", "processors": [*kept, template]}
    write_json(target / "tokenizer.json", content)


def name_texts(source: Path, target: Path) -> None:
    """Writes a ``tokenizer.json`` that lays a pair out as ``question: ... context: ...</s>``.

    The way in which T5 was taught to answer questions (Raffel et al. 2020, appendix D.15).

    Args:
        source: A folder with ``tokenizer.json`` and ``tokenizer_config.json``.
        target: Where the new ``tokenizer.json`` goes.

    Raises:
        ValueError: The tokenizer has no token that ends a text, or none for the names.
    """
    content = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    config = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    end = _specials(config).get("eos_token", "")
    number = tokenizer.token_to_id(end)
    if number is None:
        raise ValueError("has no token that ends a text")
    pieces = {end: ([number], [end])}
    for name in ("question:", "context:"):
        encoding = tokenizer.encode(name, add_special_tokens=False)
        if not encoding.ids:
            raise ValueError(f"makes no token of {name!r}")
        pieces[name] = encoding.ids, encoding.tokens
    template = {
        "type": "TemplateProcessing",
        "single": [_text("A"), _special(end)],
        "pair": [
            *(_special("question:"), _text("A"), _special("context:"), _text("B")),
            _special(end),
        ],
        "special_tokens": {
            name: {"id": name, "ids": ids, "tokens": tokens}
            for name, (ids, tokens) in pieces.items()
        },
    }
    write_json(target / "tokenizer.json", {**content, "post_processor": template})


def _special(name: str) -> dict[str, Any]:
    return {"SpecialToken": {"id": name, "type_id": 0}}


def _text(which: str) -> dict[str, Any]:
    return {"Sequence": {"id": which, "type_id": 0}}


def _specials(config: dict[str, Any]) -> dict[str, str]:
    found = {}
    for role in _ROLES:
        value = config.get(role)
        name = value.get("content") if isinstance(value, dict) else value
        if isinstance(name, str):
            found[role] = name
    return found


def _parts(processor: Any) -> list[dict[str, Any]]:
    if not processor:
        return []
    return list(processor["processors"]) if processor["type"] == "Sequence" else [processor]


def _template(first: str, after: str, ids: dict[str, int]) -> dict[str, Any]:
    single = [_special(first), _text("A"), _special(after)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, _text("B"), _special(after)],
        "special_tokens": {
            n: {"id": n, "ids": [number], "tokens": [n]} for n, number in ids.items()
        },
    }
