"""The metrics there are: what is measured of an answer, and how it is shown.

A further metric is a module that calls :func:`register`, and its import in
:mod:`autoqa.scores`; or a plugin's, which is one of them from the moment on that it is named.
Candidates, leaderboards, manifests and model cards go over
:func:`all_metrics`. Which of them search and selection raise is for ``[validation] metric`` to say.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from autoqa.errors import ConfigError, PluginError, did_you_mean
from autoqa.scores.overlap import ItemOverlap
from autoqa.scores.plugin_metrics import find_metric, offered
from autoqa.types import Segmentation

MetricFunction = Callable[[str, str, str], float]
"""From a predicted text, a reference and the question's language to a score."""

NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""What metrics are called."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A score of a predicted text against one reference.

    Attributes:
        name: Its key in files and its heading on the command line.
        title: Its heading in a model card.
        function: Takes prediction, reference and language.
        summary: What it is, as a phrase.
        low: Lowest value it takes.
        high: Highest value.
        higher_is_better: Whether the best of several references is the highest value.
        segmentation: Where it cuts texts into words; votes of a study that it is the metric of do
            the same.
        overlap: How it compares the items of two texts, where that is all it looks at: selection
            can count them then, instead of making the texts.
        everywhere: Whether tables with many other columns show it where it is not what the study
            is about.
    """

    name: str
    title: str
    function: MetricFunction
    summary: str
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    segmentation: Segmentation = "words"
    overlap: ItemOverlap | None = None
    everywhere: bool = True

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
_OF_PLUGINS: set[str] = set()


def register(metric: Metric) -> Metric:
    """Adds a metric after those there are.

    Raises:
        ValueError: Its name is taken, or not lower-case letters, digits, ``_`` and ``-``.
    """
    if not NAME.fullmatch(metric.name):
        raise ValueError(f"metric {metric.name!r}: names are lower-case letters, digits, _ and -")
    if metric.name in _METRICS:
        raise ValueError(f"metric {metric.name!r} is registered already")
    _METRICS[metric.name] = metric
    return metric


def register_overlap(
    name: str, title: str, summary: str, overlap: ItemOverlap, segmentation: Segmentation
) -> Metric:
    """Adds a metric from 0 to 1 that compares the items of two texts.

    Args:
        name: As of any metric, like the next two.
        title: Its heading.
        summary: What it is.
        overlap: How it compares them.
        segmentation: Where texts are cut into words.
    """
    return register(
        Metric(
            name=name,
            title=title,
            function=lambda text, other, language: overlap.score(
                text, other, language, segmentation
            ),
            summary=summary,
            segmentation=segmentation,
            overlap=overlap,
            everywhere=False,
        )
    )


def unregister(name: str) -> None:
    """Takes a metric out again; scores that were computed keep it."""
    del _METRICS[get_metric(name).name]
    _OF_PLUGINS.discard(name)


def get_metric(name: str, where: str = "") -> Metric:
    """The metric of a name; a plugin's is imported, and is one of all metrics from then on.

    Args:
        name: Its name.
        where: What leads the message, such as a key of the study file.

    Raises:
        ConfigError: There is none.
        PluginError: It is a plugin's, which cannot be used.
    """
    if name in _METRICS:
        return _METRICS[name]
    spec = find_metric(name, where)
    if spec is None:
        known = [*_METRICS, *offered()]
        hint = did_you_mean(name, known) or (
            f"; there are: {', '.join(known)}; a plugin's needs its package installed"
        )
        raise ConfigError(f"{where and where + ': '}metric {name!r} is unknown{hint}")
    if not NAME.fullmatch(name):
        raise PluginError(
            f"{where and where + ': '}the metric {name!r} of a plugin has no name that files can "
            "have: lower-case letters, digits, _ and -"
        )
    _OF_PLUGINS.add(name)
    return register(
        Metric(
            name=spec.name,
            title=spec.name,
            function=spec.function,
            low=spec.low,
            high=spec.high,
            higher_is_better=spec.higher_is_better,
            summary=spec.summary,
            segmentation=spec.segmentation,
            everywhere=False,
        )
    )


def built_in() -> tuple[str, ...]:
    """Names of the metrics that are no plugin's."""
    return tuple(name for name in _METRICS if name not in _OF_PLUGINS)


def title(name: str) -> str:
    """A metric's heading; its name where it is none of those there are (any more)."""
    return _METRICS[name].title if name in _METRICS else name


def objective(name: str, where: str = "") -> Metric:
    """A metric that a search can raise.

    Args:
        name: Its name.
        where: What leads the message, such as a key of the study file.

    Raises:
        ConfigError: There is none of that name, or less of it is better.
    """
    metric = get_metric(name, where)
    if not metric.higher_is_better:
        others = ", ".join(each.name for each in _METRICS.values() if each.higher_is_better)
        raise ConfigError(
            f"{where and where + ': '}of {name!r} less is better, and a search raises its metric; "
            f"take one of {others}"
        )
    return metric


def all_metrics() -> tuple[Metric, ...]:
    """All metrics in the order of their registration."""
    return tuple(_METRICS.values())


def further_metrics(than: str, *, wide: bool = True) -> tuple[Metric, ...]:
    """All metrics but one, in the order of their registration.

    Args:
        than: The name of that one.
        wide: Whether there is room for all; else only those that are shown everywhere.
    """
    others = (metric for metric in _METRICS.values() if metric.name != than)
    return tuple(metric for metric in others if wide or metric.everywhere)
