"""Metrics of plugins, imported when one is named and not before."""

import math
from dataclasses import replace
from importlib.metadata import EntryPoint

from autoqa.api import API_VERSION, MetricSpec
from autoqa.entry_points import SWITCH, allowed, installed, load, normal, wrong_version
from autoqa.errors import PluginError

GROUP = "autoqa.metrics"
"""The group of entry points that metrics stand in."""


def offered() -> tuple[str, ...]:
    """Names of the metrics that installed packages bring, sorted; imports none."""
    return tuple(sorted({point.name for point in _usable(installed(GROUP))}))


def find_metric(name: str, where: str) -> MetricSpec | None:
    """The plugin metric of a name, whose function complains of the plugin where it fails.

    Args:
        name: Its name.
        where: What leads the message, such as a key of the study file.

    Returns:
        The metric; ``None`` where no installed package brings it.

    Raises:
        PluginError: It is switched off, offered twice, or cannot be used.
    """
    there = [point for point in installed(GROUP) if point.name == name]
    points = _usable(there)
    if not there:
        return None
    lead = f"{where}: " if where else ""
    if not points:
        raise PluginError(
            f"{lead}the metric {name!r} cannot be used, because {SWITCH} switches off "
            f"{_distribution(there[0])}; add that name to it"
        )
    if len(points) > 1:
        owners = " and ".join(sorted(map(_origin, points)))
        raise PluginError(
            f"{lead}the metric {name!r} is offered more than once, by {owners}; uninstall one of "
            f"them, or name the packages to use in {SWITCH}"
        )
    loaded = load(points[0])
    failure = loaded.failure or _unusable(points[0], loaded.value)
    if failure is not None:
        raise PluginError(
            f"{lead}the metric plugin {name!r} of {_origin(points[0])} cannot be used: {failure}"
        )
    return _guarded(loaded.value, _origin(points[0]))


def _usable(points: list[EntryPoint]) -> list[EntryPoint]:
    switched_on = allowed()
    if switched_on is None:
        return points
    return [point for point in points if normal(_distribution(point)) in switched_on]


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def _origin(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"


def _unusable(point: EntryPoint, spec: object) -> str | None:
    """Why an imported object is no metric."""
    version = getattr(spec, "api_version", API_VERSION)
    outdated = wrong_version(version, _distribution(point), API_VERSION)
    if outdated is not None:
        return outdated
    if not isinstance(spec, MetricSpec):
        return f"{point.value} is of type {type(spec).__name__}, not MetricSpec"
    if spec.name != point.name:
        return f"its entry point says {point.name!r}, but its spec says {spec.name!r}"
    if not spec.low < spec.high:
        return f"its low is {spec.low} and its high {spec.high}; low should be below high"
    return None


def _guarded(spec: MetricSpec, origin: str) -> MetricSpec:
    def score(prediction: str, reference: str, language: str) -> float:
        try:
            value = float(spec.function(prediction, reference, language))
        except Exception as error:
            message = " ".join(f"{type(error).__name__}: {error}".split())
            raise PluginError(f"the metric {spec.name!r} of {origin} failed: {message}") from error
        if not (math.isfinite(value) and spec.low <= value <= spec.high):
            raise PluginError(
                f"the metric {spec.name!r} of {origin} gives {value} for {prediction[:40]!r} and "
                f"{reference[:40]!r}, outside {spec.low} to {spec.high}"
            )
        return value

    return replace(spec, function=score)
