"""Scores of an ensemble that may say that there is no answer, by whether there is one."""

from dataclasses import replace

import numpy as np

from autoqa.analysis.stored_predictions import StoredPart
from autoqa.ensemble.joining.none_rule import ALWAYS_ANSWERS
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.scores.answerability import AnswerSplit, split_scores
from autoqa.scores.metrics import score_by
from autoqa.text.scripts import language_of


def split_of(part: StoredPart, plan: EnsemblePlan) -> AnswerSplit | None:
    """An ensemble's scores on a part, split; ``None`` where it has no rule for no answer.

    Args:
        part: Stored predictions of the members.
        plan: The ensemble.

    Raises:
        DataError: Predictions do not fit.
    """
    if plan.none is None:
        return None
    joined = part.joined(replace(plan, none=plan.none.at(ALWAYS_ANSWERS)))
    assert joined.no_answer is not None
    answered = score_by(part.metric, [span.text for span in joined.spans], part.examples)
    languages = [language_of(each.language, each.context) for each in part.examples]
    none = np.array([float(not example.answers) for example in part.examples])
    given = plan.none.says_none(joined.no_answer, languages)
    return split_scores(given, joined.no_answer, answered, none)
