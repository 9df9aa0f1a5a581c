"""What a metric has to do."""

import math
from collections.abc import Sequence

from autoqa.api import MetricSpec
from autoqa.testing.check import Check, require
from autoqa.testing.hypotheses import for_all, texts
from autoqa.testing.samples import TEXTS
from autoqa.testing.spec_checks import SPEC_CHECKS
from autoqa.testing.subject import Subject

MetricSubject = Subject[MetricSpec]


def _score(metric: MetricSubject, prediction: str, reference: str, language: str) -> float:
    value = metric.spec.function(prediction, reference, language)
    require(
        isinstance(value, int | float) and math.isfinite(value),
        f"function({prediction!r}, {reference!r}, {language!r}) is {value!r}, not a number",
    )
    return float(value)


def check_bounds(metric: MetricSubject) -> None:
    """Scores lie between low and high."""
    low, high = metric.spec.low, metric.spec.high
    require(low < high, f"low is {low} and high is {high}; low should be below high")

    def inside(pair: Sequence[str]) -> None:
        value = _score(metric, pair[0], pair[1], "en")
        require(
            low <= value <= high,
            f"function({pair[0]!r}, {pair[1]!r}, 'en') is {value}, outside {low} to {high}",
        )

    for_all(texts(2), inside)


def check_equal_texts(metric: MetricSubject) -> None:
    """Equal texts have the best score."""
    best = metric.spec.high if metric.spec.higher_is_better else metric.spec.low
    for language, text in TEXTS.items():
        value = _score(metric, text, text, language)
        require(
            math.isclose(value, best),
            f"for equal texts in {language!r} the score is {value}, and the best is {best}",
        )


def check_symmetry(metric: MetricSubject) -> None:
    """Prediction and reference can be exchanged."""

    def same(pair: Sequence[str]) -> None:
        there = _score(metric, pair[0], pair[1], "en")
        back = _score(metric, pair[1], pair[0], "en")
        require(
            math.isclose(there, back, abs_tol=1e-9),
            f"of {pair[0]!r} and {pair[1]!r} the score is {there}, and {back} the other way round; "
            "where that is meant, exempt the metric from this check and say why",
        )

    for_all(texts(2), same)


def check_determinism(metric: MetricSubject) -> None:
    """The same texts always get the same score."""

    def again(pair: Sequence[str]) -> None:
        first, second = (_score(metric, pair[0], pair[1], "en") for _ in range(2))
        require(first == second, f"of {pair[0]!r} and {pair[1]!r} it is {first}, then {second}")

    for_all(texts(2), again)


def check_empty_texts(metric: MetricSubject) -> None:
    """Empty texts, which stand for questions without an answer, have a score."""
    best = metric.spec.high if metric.spec.higher_is_better else metric.spec.low
    both = _score(metric, "", "", "")
    require(math.isclose(both, best), f"for two empty texts the score is {both}, not the best")
    for pair in (("", "word"), ("word", "")):
        value = _score(metric, *pair, "en")
        require(value != best, f"for {pair[0]!r} and {pair[1]!r} the score is the best, {value}")


def check_name(metric: MetricSubject) -> None:
    """The name can be a key of files, and is none of autoqa's own."""
    from autoqa.scores.registry import NAME, built_in

    name = metric.spec.name
    require(NAME.fullmatch(name), f"{name!r}: names are lower-case letters, digits, _ and - only")
    require(name not in built_in(), f"autoqa itself has a metric {name!r}; take another name")


METRIC_CHECKS = (
    *SPEC_CHECKS,
    Check(name="name", summary="its name can stand in files", function=check_name),
    Check(name="bounds", summary="scores lie between low and high", function=check_bounds),
    Check(
        name="equal-texts", summary="equal texts have the best score", function=check_equal_texts
    ),
    Check(
        name="symmetry",
        summary="prediction and reference can be exchanged",
        function=check_symmetry,
    ),
    Check(
        name="determinism",
        summary="the same texts get the same score",
        function=check_determinism,
    ),
    Check(name="empty-texts", summary="empty texts have a score", function=check_empty_texts),
)
