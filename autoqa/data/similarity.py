"""Which rows of a source ask like the target does.

A classifier learns to tell the target's rows from the source's, and each row of the source is
judged by one that has not seen it (five folds). What it takes for the target's is what looks like
it, as the winner of Kaggle's chaii competition chose among Natural Questions.

It judges the form of a question, not its truth: lengths, digits, how much the answer's surroundings
repeat the question, and, where target and source share a language, words and pairs of words. In a
language that the target lacks, words would tell the language only, so they are left out there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.errors import DataError
from autoqa.scores.metrics import normalized_words
from autoqa.types import Example

_FOLDS = 5
_FEWEST = 20
"""Rows on either side below which five folds teach nothing."""
_AROUND = 150
"""Characters on either side of an answer that count as its surroundings."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much each row of a source looks like the target's.

    Attributes:
        scores: Probability of being the target's, if both were equally many, ``[R]``.
        auc: How well the two can be told apart, by folds: .5 not at all, 1 always. Near 1 the
            order among the source's rows says little.
    """

    scores: Doubles
    auc: float

    def top(self, share: float, pool: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The rows of a pool that look most like the target's, in the pool's order.

        Args:
            share: How much of the pool is kept, above 0 and at most 1; at least one row.
            pool: Rows of the source.
        """
        count = max(1, round(share * len(pool)))
        best = np.argsort(-self.scores[pool], kind="stable")[:count]
        return pool[np.sort(best)]


def likeness(source: Sequence[Example], target: Sequence[Example], name: str = "") -> Likeness:
    """Judges every row of a source.

    Args:
        source: Its rows.
        target: Rows whose questions are wanted.
        name: The source's name, for messages.

    Raises:
        DataError: There are too few rows on either side.
    """
    check_comparable(source, target, name)
    spoken = {example.language for example in target}
    shared = np.array([example.language in spoken for example in source])
    if min(shared.sum(), (~shared).sum()) < _FEWEST:  # too few to be judged apart
        shared[:] = 2 * shared.sum() >= len(shared)
    scores = np.empty(len(source))
    areas, counts = [], []
    for with_words in (True, False):
        rows = np.flatnonzero(shared == with_words).tolist()
        if not rows:
            continue
        judged, auc = _judge([source[i] for i in rows], target, with_words=with_words)
        scores[rows] = judged
        areas.append(auc)
        counts.append(len(rows))
    return Likeness(scores, float(np.average(areas, weights=counts)))


def check_comparable(source: Sequence[Example], target: Sequence[Example], name: str) -> None:
    """Refuses to compare a source with the target where either has too few rows.

    Raises:
        DataError: One of them has.
    """
    if min(len(source), len(target)) < _FEWEST:
        raise DataError(
            f"sources.{name}: {len(source)} rows cannot be told from {len(target)} of the target; "
            f"each side needs {_FEWEST}: leave `similar` out."
        )


def _judge(
    source: Sequence[Example], target: Sequence[Example], *, with_words: bool
) -> tuple[Doubles, float]:
    """Scores of the source's rows, and the area under the curve, both by folds."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.preprocessing import StandardScaler

    everything = [*source, *target]
    label = np.repeat([0, 1], [len(source), len(target)])
    form = StandardScaler().fit_transform(np.array([_form(example) for example in everything]))
    features = csr_matrix(form)
    if with_words:
        counted = HashingVectorizer(analyzer=_phrases, n_features=2**18, alternate_sign=False)
        questions = [example.question for example in everything]
        features = hstack([features, counted.transform(questions)]).tocsr()
    judged: Doubles = cross_val_predict(
        LogisticRegression(class_weight="balanced", max_iter=1000),
        features,
        label,
        cv=StratifiedKFold(_FOLDS, shuffle=True, random_state=0),
        method="predict_proba",
    )[:, 1]
    return judged[: len(source)], float(roc_auc_score(label, judged))


def _phrases(question: str) -> list[str]:
    """Words and pairs of neighbouring words; case and punctuation are a source's habit."""
    question_words = normalized_words(question)
    return [*question_words, *(f"{a} {b}" for a, b in pairwise(question_words))]


def _form(example: Example) -> list[float]:
    """What a question looks like in any language."""
    question = normalized_words(example.question)
    answer = example.answers[0] if example.answers else None
    text = answer.text if answer is not None else ""
    near = _around(example)
    return [
        np.log1p(len(example.question)),
        np.log1p(len(question)),
        float(np.mean([len(word) for word in question])) if question else 0.0,
        float(any(letter.isdigit() for letter in example.question)),
        float(answer is None),
        np.log1p(len(text)),
        np.log1p(len(text.split())),
        float(any(letter.isdigit() for letter in text)),
        len(near & set(question)) / max(1, len(set(question))),
    ]


def _around(example: Example) -> set[str]:
    if not example.answers:
        return set()
    answer = example.answers[0]
    return set(
        normalized_words(example.context[max(0, answer.start - _AROUND) : answer.end + _AROUND])
    )
