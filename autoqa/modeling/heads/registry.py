"""Answer heads by name: made fresh, named where they are stored, and read back."""

from importlib import import_module
from pathlib import Path
from typing import Any

from safetensors import safe_open

from autoqa.errors import BundleError, ConfigError, did_you_mean
from autoqa.modeling.heads.base import AnswerHead
from autoqa.recipes import HEADS

HEAD_PREFIX = "autoqa_head."
"""What the names of an extra head's tensors begin with where weights are stored."""

HEAD_KEY = "autoqa_head"
"""Key of ``config.json`` that names an extra answer head."""


def head_class(name: str) -> type[AnswerHead] | None:
    """The class of a registered head; ``None`` for the inner model's own two linear scores.

    Raises:
        ConfigError: No head has this name.
    """
    if name not in HEADS:
        hint = did_you_mean(name, HEADS) or f"; there are: {', '.join(HEADS)}"
        raise ConfigError(f"there is no answer head {name!r}{hint}")
    if not HEADS[name]:
        return None
    module, _, attribute = HEADS[name].partition(":")
    head_type: type[AnswerHead] = getattr(import_module(module), attribute)
    return head_type


def fresh_head(name: str, inner: Any) -> AnswerHead | None:
    """An untrained head for a transformers model, on its device; ``None`` where none is extra.

    Raises:
        ConfigError: No head has this name.
    """
    head_type = head_class(name)
    return None if head_type is None else head_type.fresh(inner.config).to(inner.device)


def head_name(head: AnswerHead) -> str:
    """The name that a head is registered under.

    Raises:
        ValueError: It is not registered.
    """
    path = f"{type(head).__module__}:{type(head).__qualname__}"
    for name, registered in HEADS.items():
        if registered == path:
            return name
    raise ValueError(f"{path} is not registered in autoqa.recipes.HEADS")


def stored_head(folder: Path, inner: Any) -> AnswerHead | None:
    """The extra head that a folder's weights come with.

    Args:
        folder: A fine-tuned model in Hugging Face layout.
        inner: The transformers model that was loaded from it.

    Raises:
        BundleError: The head is unknown, or its weights are missing or of another shape.
    """
    name = getattr(inner.config, HEAD_KEY, None)
    if name is None:
        return None
    names = [known for known in HEADS if HEADS[known]]
    if name not in names:
        raise BundleError(
            f"{folder / 'config.json'} names the answer head {name!r}, but this autoqa knows only "
            f"{', '.join(map(repr, names))}: install the version of autoqa that wrote the model."
        )
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        keys = [key for key in file.keys() if key.startswith(HEAD_PREFIX)]  # noqa: SIM118
        state = {key.removeprefix(HEAD_PREFIX): file.get_tensor(key).float() for key in keys}
    head = fresh_head(name, inner)
    assert head is not None
    try:
        head.load_state_dict(state)
    except RuntimeError as error:
        raise BundleError(
            f"{folder / 'model.safetensors'} does not hold the answer head {name!r} that "
            "config.json names: copy or export the model again."
        ) from error
    return head
