"""How wide an interval will be before anything is trained."""

import math

from autoqa.scores.quantiles import t_quantile

QUESTION_DEVIATION = 0.43
"""Standard deviation of one question's Jaccard: most answers score 0 or 1. Fine-tuned models of
means between 0.2 and 0.85, on Hindi XQuAD and on the demo corpus, had 0.35 to 0.49."""

DOCUMENT_CORRELATION = 0.05
"""Correlation of two questions about one document; the same models had -0.16 to 0.21, 0 on
average, and a small one that is overlooked does more harm than one that is not there."""


def expected_half_width(questions: int, documents: int) -> float:
    """Half the width of a mean Jaccard's 95 % interval, 0 to 1.

    The variance of a mean over clusters of m questions is ``1 + (m - 1) r`` times that of as many
    independent questions, r being :data:`DOCUMENT_CORRELATION` (the design effect; Kish, Survey
    Sampling, 1965, section 5.4). Few documents also say little about how much documents differ,
    hence Student's t.

    Args:
        questions: How many in all.
        documents: How many they are about; at least two.
    """
    effect = 1 + (questions / documents - 1) * DOCUMENT_CORRELATION
    error = QUESTION_DEVIATION * math.sqrt(effect / questions)
    return min(1.0, t_quantile(0.975, documents - 1) * error)
