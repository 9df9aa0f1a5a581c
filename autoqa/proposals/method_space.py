"""How recipes are trained, as a part of the space: parameters, and back to a method."""

from collections.abc import Callable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution

from autoqa.api import BackboneKind, TrainingProtocol
from autoqa.config.method_table import MethodTable
from autoqa.config.phrases import shown
from autoqa.recipes import Method

Draw = Callable[[str], Any]
"""Parameter name (without the backbone) to its value."""

_SWITCH = CategoricalDistribution((False, True))

_GOVERNED = {"adversary_size": "adversary", "mlm_whole_words": "mlm_epochs"}
"""Keys that mean nothing where another one, which stands before them, is off."""

SPAN_ONLY = ("head", "loss", "dropout_samples", "rdrop", "mlm_epochs")
"""Keys that change how tokens are scored, or what an encoder learns alone."""


def searched_methods(table: MethodTable) -> dict[str, BaseDistribution]:
    """The parameters of a method, by ``method.KEY``."""
    searched: dict[str, BaseDistribution] = {}
    for key, value in table:
        if value == "search":
            searched[f"method.{key}"] = _SWITCH
        elif isinstance(value, tuple) and len(value) > 1:
            searched[f"method.{key}"] = CategoricalDistribution(value)
    return searched


def build_method(
    table: MethodTable, draw: Draw, searched: Mapping[str, BaseDistribution], stages: int
) -> Method:
    """Asks for the parameters that matter; one way of training is one method.

    Args:
        table: The study file's ``[recipe.method]``.
        draw: Gives the value of a parameter.
        searched: The parameters that exist.
        stages: Stages of the recipe.
    """
    plain = Method()
    values: dict[str, Any] = {}
    for key, value in table:
        name, governor = f"method.{key}", _GOVERNED.get(key)
        if governor is not None and values[governor] == getattr(plain, governor):
            continue
        values[key] = draw(name) if name in searched else first_value(value)
    # One stage has nothing before it to restart from: one recipe, one hash.
    values["restart"] = values["restart"] and stages > 1
    return Method(**values)


def method_problems(
    backbone: str, protocol: TrainingProtocol, table: MethodTable, kind: BackboneKind = "span"
) -> list[str]:
    """What of a method contradicts a backbone's protocol or kind, one sentence each.

    Args:
        backbone: Name in the study file.
        protocol: How it is fine-tuned.
        table: The study file's ``[recipe.method]``.
        kind: Whether it scores tokens or generates texts.
    """
    problems = _of_span_models(backbone, table) if kind == "text" else []
    undropped = protocol.dropout == 0 and 1 in _values(table.dropout_samples)
    if undropped and max(_values(table.rdrop)) > 0:
        problems.append(
            f"recipe.method.rdrop: compares two passes with different dropout, but backbone "
            f"{backbone!r} is trained with dropout = 0; set backbones.{backbone}.protocol.dropout "
            "to 0.1, or dropout_samples to 2 or more, or leave rdrop out"
        )
    if protocol.compile and "fgm" in _values(table.adversary):
        problems.append(
            f"recipe.method.adversary: 'fgm' reaches into the encoder, which backbone {backbone!r} "
            f"compiles; set backbones.{backbone}.protocol.compile to false, or take 'awp'"
        )
    if protocol.cache_frozen and "fgm" in _values(table.adversary):
        problems.append(
            f"recipe.method.adversary: 'fgm' needs to go through the embeddings, but backbone "
            f"{backbone!r} keeps what its frozen layers give; set backbones.{backbone}.protocol."
            "cache_frozen to false, or take 'awp'"
        )
    if protocol.adapter_rank and max(_values(table.reinit_layers)) > 0:
        problems.append(
            "recipe.method.reinit_layers: draws layers anew, which adapters cannot teach what they "
            f"knew, but backbone {backbone!r} has some; set backbones.{backbone}.protocol."
            "adapter_rank to 0, or leave reinit_layers out"
        )
    return problems


def _of_span_models(backbone: str, table: MethodTable) -> list[str]:
    """What there is for models that score tokens only, where a backbone generates texts."""
    plain = Method()
    settings = [
        (key, value, getattr(plain, key))
        for key in SPAN_ONLY
        for value in _values(getattr(table, key))
    ]
    settings += [
        ("adversary", value, "awp") for value in _values(table.adversary) if value == "fgm"
    ]
    return [
        f"recipe.method.{key}: {shown(value)} is for models that score tokens, but backbone "
        f"{backbone!r} generates answers; take {shown(instead)}, or another study for it"
        for key, value, instead in settings
        if value != instead
    ]


def _values(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def first_value(value: Any) -> Any:
    """What a list of choices means where nothing is searched."""
    return value[0] if isinstance(value, tuple) else value
