"""The metrics there are: what is measured of an answer, and how it is shown.

A further metric is a module that calls :func:`register`, and its import in
:mod:`autoqa.scores`. Candidates, leaderboards, manifests and model cards go over
:func:`all_metrics`. What search and selection raise is :data:`OBJECTIVE`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from autoqa.errors import ConfigError, did_you_mean

OBJECTIVE = "jaccard"
"""The metric that search and selection optimise, and that intervals are computed of."""

MetricFunction = Callable[[str, str, str], float]
"""From a predicted text, a reference and the question's language to a score."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of a predicted text against one reference.

    Attributes:
        name: Its key in files and its heading on the command line.
        title: Its heading in a model card.
        function: Takes prediction, reference and language.
        low: Lowest value it takes.
        high: Highest value.
        higher_is_better: Whether the best of several references is the highest value.
        summary: What it is, as a phrase.
    """

    name: str
    title: str
    function: MetricFunction
    low: float
    high: float
    higher_is_better: bool
    summary: str

    def best(self, prediction: str, references: list[str], language: str) -> float:
        """The score against the reference that the prediction fits best.

        Args:
            prediction: The predicted text.
            references: At least one text.
            language: The question's language.
        """
        scores = (self.function(prediction, reference, language) for reference in references)
        return max(scores) if self.higher_is_better else min(scores)


_METRICS: dict[str, Metric] = {}


def register(metric: Metric) -> Metric:
    """Adds a metric after those there are.

    Raises:
        ValueError: Its name is taken, or not lower-case letters, digits and ``_``.
    """
    if not _NAME.fullmatch(metric.name):
        raise ValueError(f"metric {metric.name!r}: names are lower-case letters, digits and _")
    if metric.name in _METRICS:
        raise ValueError(f"metric {metric.name!r} is registered already")
    _METRICS[metric.name] = metric
    return metric


def unregister(name: str) -> None:
    """Takes a metric out again; scores that were computed keep it."""
    del _METRICS[get_metric(name).name]


def get_metric(name: str) -> Metric:
    """The metric of a name.

    Raises:
        ConfigError: There is none.
    """
    if name not in _METRICS:
        hint = did_you_mean(name, _METRICS) or f"; there are: {', '.join(_METRICS)}"
        raise ConfigError(f"metric {name!r} is unknown{hint}")
    return _METRICS[name]


def all_metrics() -> tuple[Metric, ...]:
    """All metrics in the order of their registration; the objective is the first."""
    return tuple(_METRICS.values())


def further_metrics() -> tuple[Metric, ...]:
    """All metrics but the objective."""
    return tuple(metric for metric in _METRICS.values() if metric.name != OBJECTIVE)
