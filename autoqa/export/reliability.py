"""When a bundle gives no answer, and how sure it says it is: fitted for the export."""

from dataclasses import asdict

from autoqa.analysis.confidence_fit import fit_confidence
from autoqa.analysis.none_fit import fit_none
from autoqa.analysis.stored_predictions import StoredPart
from autoqa.bundle.reliability_entries import (
    AnswerSplitEntry,
    ConfidenceEntry,
    NoAnswerEntry,
    ThresholdEntry,
    confidence_entry,
)
from autoqa.ensemble.choosing.none_choice import FittedThreshold
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.scores.answerability import AnswerSplit


def none_entry(
    part: StoredPart, plan: EnsemblePlan, private: AnswerSplit | None
) -> NoAnswerEntry | None:
    """The rule for no answer; ``None`` where no question of the public part is without one.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble.
        private: Its scores on the private part.
    """
    fit = fit_none(part, plan)
    if fit is None:
        return None
    return NoAnswerEntry(
        intercept=fit.scale.intercept,
        slopes=dict(fit.scale.slopes),
        threshold=_threshold(fit.threshold),
        by_language={language: _threshold(each) for language, each in fit.by_language.items()},
        public=AnswerSplitEntry(**asdict(fit.public)),
        private=None if private is None else AnswerSplitEntry(**asdict(private)),
    )


def stated_confidence(part: StoredPart, plan: EnsemblePlan) -> ConfidenceEntry | None:
    """How scores are made; ``None`` where the public part is too small to fit them.

    Args:
        part: Stored public predictions of the members.
        plan: The ensemble, with its rule for no answer.
    """
    fit = fit_confidence(part, plan)
    return (
        None if fit is None else confidence_entry(fit.way, fit.confidence, fit.public, fit.before)
    )


def _threshold(fitted: FittedThreshold) -> ThresholdEntry:
    return ThresholdEntry(**asdict(fitted))
