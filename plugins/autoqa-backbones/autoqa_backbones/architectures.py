"""What can be said of a model by its ``config.json``, before anything is loaded.

Which types of model there are is read in the source of the installed transformers: importing it
takes seconds, and what it knows changes from version to version. Whatever this lets pass is probed
by autoqa when the weights are there.
"""

import ast
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

_BASE = "MODEL_MAPPING_NAMES"
_SPEECH = "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES"
_CAUSAL = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"
_TEXT = (
    "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
)
_ENCODING = (
    "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
)
"""Types that are in one of these attend to both sides, also where a causal class exists, too."""

_BOTH_SIDES = ("xlnet", "bert-generation")
"""The same for types that only the causal list has."""

_UNFIT = {
    "reformer": "hashes tokens at random, so that a window does not get the same logits twice",
    "nystromformer": "takes windows of certain lengths only",
    "lxmert": "answers questions about pictures",
    "layoutlmv2": "reads pictures of pages",
    "layoutlmv3": "reads pictures of pages",
    "tapas": "reads tables",
    "perceiver": "takes windows of one length only",
}

GENERATING_KINDS = ("t5", "mt5", "umt5")
"""Types that were pretrained to go on with texts from their padding token, and end them by
``</s>``."""

TAKE = "take an encoder of text such as bert, xlm-roberta, deberta-v2 or modernbert"


def refusal(config: dict[str, Any]) -> str | None:
    """Why a model cannot be trained to find answers: goes on from "the model", with the way out.

    Args:
        config: Content of a ``config.json``.
    """
    kind = config.get("model_type")
    if not isinstance(kind, str):
        return f"states no model_type in its config.json; name a model that does, or {TAKE}"
    lead = f"has model_type {kind!r}"
    types = installed_types()
    if kind not in types.get(_BASE, ()):
        remote = " with code of its own, which autoqa never runs," if "auto_map" in config else ""
        return f"{lead}{remote} for which the installed transformers has no model; {TAKE}"
    if kind in _UNFIT:
        return f"{lead}, which {_UNFIT[kind]}; {TAKE}"
    if attends_to_both_sides(config):
        return None
    if kind in types.get(_SPEECH, ()):
        return f"{lead}, which is no encoder of text; {TAKE}"
    if config.get("is_decoder") is True and not config.get("is_encoder_decoder"):
        return f"{lead} and is_decoder = true, {_left_to_right(kind)}"
    known = any(kind in types.get(name, ()) for name in _ENCODING) or kind in _BOTH_SIDES
    if kind in types.get(_CAUSAL, ()) and not known:
        return f"{lead}, {_left_to_right(kind)}"
    if not known and not any(kind in types.get(name, ()) for name in _TEXT):
        return None if "vocab_size" in config else f"{lead}, which is no encoder of text; {TAKE}"
    return None


def _left_to_right(kind: str) -> str:
    way_out = ""
    if kind not in ("falcon", "gptj", "mpt", "bloom", "gpt2", "gpt_neo"):
        way_out = (
            ". Where its weights were trained to attend to both sides (IndicBERT v3's were), set "
            "`bidirectional = true`"
        )
    return (
        "so it reads from left to right: what it gives for a token knows nothing of what follows, "
        f"such as the rest of an answer; {TAKE}{way_out}"
    )


def attends_to_both_sides(config: dict[str, Any]) -> bool:
    """Whether a ``config.json`` says so of a type that mostly reads from left to right."""
    return config.get("use_bidirectional_attention") is True or config.get("is_causal") is False


def both_sides(config: dict[str, Any]) -> dict[str, Any]:
    """A ``config.json`` that says so, in the words of its type."""
    if str(config.get("model_type")).startswith("gemma3"):
        return {**config, "use_bidirectional_attention": True}
    return {**config, "is_causal": False}


@lru_cache(maxsize=1)
def installed_types() -> dict[str, frozenset[str]]:
    """Names of transformers' lists of classes to the types of model that are in them.

    Raises:
        FileNotFoundError: transformers is not installed, or keeps its lists elsewhere.
    """
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("transformers is not installed")
    path = Path(spec.origin).parent / "models" / "auto" / "modeling_auto.py"
    lists = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and target.id.endswith("MAPPING_NAMES"):
            rows = [
                row for each in ast.walk(node) if isinstance(each, ast.List) for row in each.elts
            ]
            first = [row.elts[0] for row in rows if isinstance(row, ast.Tuple) and row.elts]
            names = [each.value for each in first if isinstance(each, ast.Constant)]
            lists[target.id] = frozenset(name for name in names if isinstance(name, str))
    return lists
