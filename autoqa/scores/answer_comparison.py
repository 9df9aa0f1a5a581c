"""Two sets of answers to the same questions, compared by every metric."""

from collections.abc import Sequence

from autoqa.scores.bootstrap import Comparison, paired
from autoqa.scores.metrics import score
from autoqa.types import Example


def compare_answers(
    first: Sequence[str], second: Sequence[str], examples: Sequence[Example]
) -> dict[str, Comparison]:
    """How much better the first answers are than the second, by name of the metric.

    Question by question, on the same documents drawn anew, see :mod:`autoqa.scores.bootstrap`.

    Args:
        first: One text per example.
        second: Likewise.
        examples: With their references.
    """
    one, other = score(first, examples).by_metric, score(second, examples).by_metric
    documents = [example.document for example in examples]
    return {name: paired(one[name], other[name], documents) for name in one}
