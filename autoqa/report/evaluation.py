"""Scores of answers to a file: tables and objects of JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autoqa.report.tables import numbers, table
from autoqa.scores.bootstrap import Comparison
from autoqa.scores.registry import further_metrics
from autoqa.scores.summary import ScoreEntry

if TYPE_CHECKING:
    from rich.table import Table


def score_object(entry: ScoreEntry) -> dict[str, Any]:
    """Scores of some questions, as ``evaluate --json`` prints them."""
    return {
        "n": entry.questions,
        "metric": entry.metric,
        entry.metric: entry.score,
        "half_width": entry.half_width,
        "low": entry.low,
        "high": entry.high,
        **entry.further,
    }


def evaluation_object(overall: ScoreEntry, languages: Mapping[str, ScoreEntry]) -> dict[str, Any]:
    """Scores of a file, and of each of its languages."""
    by_language = {language: score_object(entry) for language, entry in languages.items()}
    return {**score_object(overall), "by_language": by_language}


def evaluation_table(
    overall: ScoreEntry, languages: Mapping[str, ScoreEntry], title: str | None = None
) -> "Table":
    """The same as a table, one line for each language."""
    further = [metric.name for metric in further_metrics(overall.metric)]
    scores = table(
        "language",
        *numbers("n", overall.metric, *further),
        title=title,
        spare=further[::-1],
    )
    for name, entry in (*languages.items(), ("all", overall)):
        score = f"{entry.score:.3f} ± {entry.half_width:.3f}"
        means = (f"{entry.scores[metric]:.3f}" for metric in further)
        scores.add_row(name, str(entry.questions), score, *means)
    return scores


def comparison_object(found: Mapping[str, Comparison]) -> dict[str, Any]:
    """Comparisons as objects of JSON."""
    return {name: asdict(each) for name, each in found.items()}


def comparison_table(found: Mapping[str, Comparison]) -> "Table":
    """One line for each metric: the gain, its 95 % interval, and how likely it is above 0."""
    lines = table("bundle - predictions", *numbers("gain", "low", "high", "bundle better"))
    for name, each in found.items():
        gains = (f"{value:+.3f}" for value in (each.gain, each.low, each.high))
        lines.add_row(name, *gains, f"{each.p_better:.0%}")
    return lines
