"""One question, many documents: which passages are read, and whose answer is the best.

The softmax that gives a span its probability goes over one passage, so that says nothing of other
passages. What compares them is the evidence (:mod:`autoqa.ensemble.joining.evidence`), the best
span against "no answer here"; a passage's further answers have less of it by the logarithm of their
odds against the best. Models are sure of answers to other questions, too, the surer the more there
is to read; so a passage has less evidence the further it is from the question in the first stage
(the interpolation of Yang et al., End-to-end open-domain question answering with BERTserini, 2019).
A score is the answer's share in a softmax over "none" and the best answers of all passages that
were read, each answer once.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from autoqa.bundle.documents import NearPassage
from autoqa.bundle.input_rows import Row
from autoqa.bundle.prediction import Prediction
from autoqa.text.distinct import DistinctAnswers

_NEARNESS = 0.5
"""Nats for a point of BM25. Of 60 questions of SQuAD to 10,000 of its paragraphs, 50 read for each,
a small model found the right paragraph for .58 at 0, .72 at .1, .82 at .3 and .5, .85 at 1 and .77
by BM25 alone; F1 .41, .49, .53, .53, .52 and .45."""

_LEAST = 1e-300
"""Stands for a probability of 0 where its logarithm is taken."""


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A question about one passage, or about its only context.

    Attributes:
        question: The number of the question.
        row: What models read.
        near: Where that is from; ``None`` for a context.
    """

    question: int
    row: Row
    near: NearPassage | None


def passage_rows(questions: Sequence[Row], count: int | None) -> list[PassageRow]:
    """What is read for each question, in the questions' order.

    Args:
        questions: With one context, or several.
        count: Passages of several that are read; ``None`` reads all.
    """
    rows = []
    for number, row in enumerate(questions):
        if row.contexts is None:
            rows.append(PassageRow(number, row, None))
            continue
        for near in row.contexts.nearest(row.question, count):
            part = Row(row.id, row.question, near.passage.text, row.language)
            rows.append(PassageRow(number, part, near))
    return rows


def by_question(
    rows: Sequence[PassageRow], predictions: Sequence[Prediction], top_k: int
) -> list[Prediction]:
    """One prediction for each question, from those of all that was read for it."""
    pairs = zip(rows, predictions, strict=True)
    found = []
    for _, group in groupby(pairs, key=lambda pair: pair[0].question):
        parts = list(group)
        row, prediction = parts[0]
        if row.near is not None:
            near = [(part.near, each) for part, each in parts if part.near is not None]
            prediction = _best(near, top_k)
        found.append(prediction)
    return found


def _best(parts: Sequence[tuple[NearPassage, Prediction]], top_k: int) -> Prediction:
    """The best answer of all passages, with the next best ones."""
    by_passage = [list(_placed(near, found)) for near, found in parts]
    answers = [answer for group in by_passage for answer in group]
    answers.sort(key=lambda answer: -answer.evidence)
    taken = _distinct(answers, top_k)
    if not taken:
        near, found = parts[0]
        return replace(found, passage=near.passage)
    bests = sorted((group[0] for group in by_passage if group), key=lambda each: -each.evidence)
    # "None" has the evidence 0. One answer found twice, as where passages overlap, is no rival of
    # itself.
    shares = [0.0, *(each.evidence for each in _distinct(bests, len(bests)))]
    total = float(np.logaddexp.reduce(shares))
    best, *others = (replace(each, score=math.exp(each.evidence - total)) for each in taken)
    return replace(best, others=tuple(others))


def _placed(near: NearPassage, found: Prediction) -> Iterator[Prediction]:
    """A passage's answers at their places in the document, each with its own evidence."""
    passage = near.passage
    reference = math.log(max(found.score, _LEAST))
    for answer in (found, *found.others):
        if answer.answer:
            odds = math.log(max(answer.score, _LEAST)) - reference
            yield replace(
                answer,
                start=answer.start + passage.start,
                end=answer.end + passage.start,
                passage=passage,
                others=(),
                evidence=found.evidence + odds + _NEARNESS * near.nearness,
            )


def _distinct(answers: Sequence[Prediction], top_k: int) -> list[Prediction]:
    return DistinctAnswers().first(answers, top_k, _place)


def _place(answer: Prediction) -> tuple[str, int, int, int]:
    assert answer.passage is not None
    return answer.answer, answer.start, answer.end, answer.passage.document
