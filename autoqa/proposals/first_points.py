"""Points that are tried before the sampler: a backbone's protocol, then the study file's own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from autoqa.errors import ConfigError
from autoqa.proposals.space import Space

_SHARES = ("share", "negatives", "similar", "unanswerable")


@dataclass(frozen=True)
class Point:
    """Full parameters of one trial to try.

    Attributes:
        origin: ``protocol``, or ``enqueued 1`` and so on.
        parameters: Full names and values.
    """

    origin: str
    parameters: dict[str, Any]


def protocol_parameters(space: Space) -> dict[str, Any]:
    """The backbone's published way: all slots in the file's order, fewest stages.

    Choices without a published value take 1 where it is among them, else the first; what the
    study file leaves to the search (augmentations, restarts) stays off.
    """
    protocol = space.protocol
    slots = [portion.slot for portion in space.recipe.portions]
    values: dict[str, Any] = {}
    for name, distribution in space.distributions().items():
        slot, _, last = space.key(name).rpartition(".")
        if isinstance(distribution, FloatDistribution) and last == "learning_rate":
            value: Any = min(max(protocol.learning_rate, distribution.low), distribution.high)
        elif last.startswith("length_") and isinstance(distribution, IntDistribution):
            value = _nearest(distribution, protocol.length)
        elif last == "position":
            middle = (slots.index(slot) + 0.5) / len(slots)
            if isinstance(distribution, CategoricalDistribution):
                positions: Any = distribution.choices
                value = min(positions, key=lambda position: abs(position - middle))
            else:
                value = middle
        elif isinstance(distribution, IntDistribution):
            value = distribution.low
        elif isinstance(distribution, CategoricalDistribution) and last in _SHARES:
            value = 1.0 if 1.0 in distribution.choices else distribution.choices[0]
        elif isinstance(distribution, CategoricalDistribution) and slot in ("", "method"):
            value = distribution.choices[0]  # the first choice of a switch is off
        else:
            value = True  # slots and languages
        values[name] = value
    return values


def points(
    spaces: Mapping[str, Space], enqueue: tuple[Mapping[str, Any], ...]
) -> dict[str, list[Point]]:
    """Each backbone's first points, in order.

    Args:
        spaces: One per backbone.
        enqueue: ``[search].enqueue`` of the study file. Names may leave out the backbone; what a
            point does not name is as in the backbone's protocol.

    Raises:
        ConfigError: All points that the space does not hold.
    """
    first = {name: [Point("protocol", protocol_parameters(spaces[name]))] for name in spaces}
    problems: list[str] = []
    for index, table in enumerate(enqueue):
        where = f"search.enqueue[{index}]"
        values = {key: value for key, value in table.items() if key != "backbone"}
        backbone = str(table.get("backbone", next(iter(spaces)) if len(spaces) == 1 else ""))
        if backbone not in spaces:
            problems.append(f"{where}.backbone: {backbone!r} is none of {', '.join(spaces)}")
            continue
        parameters = dict(first[backbone][0].parameters)
        space = spaces[backbone]
        distributions = space.distributions()
        for key, value in _flat(values):
            problem = fault(distributions, space.name(key), value)
            if problem:
                problems.append(f"{where}.{key}: {problem}")
            parameters[space.name(key)] = value
        first[backbone].append(Point(f"enqueued {index + 1}", parameters))
    if problems:
        raise ConfigError(*problems)
    return first


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def fault(distributions: Mapping[str, BaseDistribution], name: str, value: Any) -> str:
    """What is wrong with a value of a parameter, in words; empty where nothing is."""
    if name not in distributions:
        close = get_close_matches(name, distributions, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"the space has no parameter {name}{hint} (`--dry-run` lists all)"
    distribution = distributions[name]
    if isinstance(distribution, CategoricalDistribution):
        # 1 equals True in Python; a switch that reads 1 is likelier a slip than meant.
        switch = isinstance(distribution.choices[0], bool)
        valid = value in distribution.choices and isinstance(value, bool) == switch
        choices = ", ".join(str(choice).lower() for choice in distribution.choices)
        return "" if valid else f"{value!r} is none of {choices}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"{value!r} is not a number"
    assert isinstance(distribution, (FloatDistribution, IntDistribution))
    if not distribution._contains(float(value)):
        span = f"{distribution.low:g} to {distribution.high:g}"
        return f"{value!r} is outside {span}, or between its steps"
    return ""


def _nearest(distribution: IntDistribution, value: int) -> int:
    steps = round((value - distribution.low) / distribution.step)
    most = (distribution.high - distribution.low) // distribution.step
    return distribution.low + distribution.step * min(max(steps, 0), most)
