"""Scores of answers with their interval, in one shape for the manifest and the command line."""

from collections.abc import Sequence

from autoqa.export.entries import ScoreEntry
from autoqa.leaderboard.bootstrap import interval
from autoqa.text.metrics import QuestionScores, score
from autoqa.types import Example


def score_answers(answers: Sequence[str], examples: Sequence[Example]) -> ScoreEntry:
    """Means over all questions; the interval resamples documents.

    Args:
        answers: One text per example.
        examples: With their references; at least one.
    """
    return _entry(score(answers, examples), examples, range(len(examples)))


def score_languages(answers: Sequence[str], examples: Sequence[Example]) -> dict[str, ScoreEntry]:
    """The same for each language, in alphabetical order."""
    scores = score(answers, examples)
    rows: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        rows.setdefault(example.language, []).append(row)
    return {language: _entry(scores, examples, rows[language]) for language in sorted(rows)}


def _entry(scores: QuestionScores, examples: Sequence[Example], rows: Sequence[int]) -> ScoreEntry:
    chosen = list(rows)
    jaccard = scores.jaccard[chosen]
    spread = interval(jaccard, [examples[row].document for row in chosen])
    return ScoreEntry(
        jaccard=float(jaccard.mean()),
        low=spread.low,
        high=spread.high,
        em=float(scores.em[chosen].mean()),
        f1=float(scores.f1[chosen].mean()),
        questions=len(chosen),
    )
