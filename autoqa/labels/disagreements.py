"""Rows whose label confident candidates contradict alike."""

from collections.abc import Sequence
from dataclasses import dataclass

from autoqa.arrays import Floats
from autoqa.decoding.decoder import SpanDecoder
from autoqa.features.windows import Windows
from autoqa.labels.candidate_opinions import MODELS, Judges, Opinion
from autoqa.labels.decisions import Dispute
from autoqa.text.words import jaccard
from autoqa.types import Answer, Example, ProgressCallback, Segmentation, Span

AGREE = 0.5
"""Jaccard of words from which two texts are the same answer."""


@dataclass(frozen=True, slots=True)
class Disagreements:
    """What the candidates of a search hold against the labels of one source.

    Attributes:
        disputes: Contradicted rows, the most strongly contradicted first.
        rows: Rows of the source that candidates may be asked about: not those of the private part.
        public: How many of them belong to the public part.
        heard: Rows that at least two candidates answered without having trained on them.
    """

    disputes: tuple[Dispute, ...]
    rows: int
    public: int
    heard: int


def find_disagreements(
    judges: Judges,
    *,
    threshold: float,
    models: int = MODELS,
    progress: ProgressCallback | None = None,
) -> Disagreements:
    """Asks the candidates about every row of a source that has a label.

    A label is contradicted where at least two candidates of different recipes or backbones give
    one answer (Jaccard 0.5 or more with the most confident of them, of words as the study's metric
    cuts them), it is another than every reference (below 0.5, or the same words in another place),
    and the mean probability that they give it reaches the threshold. Candidates that answer
    otherwise count as probability 0.

    Args:
        judges: The candidates, for one source.
        threshold: Least mean probability, 0 to 1.
        models: Most candidates asked about one row.
        progress: Called with candidates asked and candidates in all.
    """
    examples = [example for example in judges.rows() if example.answers]
    opinions = judges.ask(examples, _answers, models=models, progress=progress)
    disputes = [
        dispute
        for example, heard in zip(examples, opinions, strict=True)
        if (dispute := contradicted(example, heard, judges.segmentation)) is not None
        and dispute.confidence >= threshold
    ]
    disputes.sort(
        key=lambda dispute: (-dispute.confidence, dispute.example.language, dispute.example.id)
    )
    return Disagreements(
        disputes=tuple(disputes),
        rows=len(examples),
        public=judges.public,
        heard=sum(len(heard) >= 2 for heard in opinions),
    )


def _answers(
    examples: Sequence[Example], windows: Windows, start: Floats, end: Floats
) -> list[Span]:
    return SpanDecoder(windows, [example.context for example in examples]).best(start, end)


def contradicted(
    example: Example, heard: Sequence[Opinion[Span]], segmentation: Segmentation = "words"
) -> Dispute | None:
    """The dispute about one row, whatever its strength; see :func:`find_disagreements`.

    Args:
        example: The row.
        heard: What candidates answer.
        segmentation: Where answers are cut into words.
    """
    if len(heard) < 2:
        return None
    leader = max(heard, key=lambda opinion: opinion.value.score).value
    alike = [opinion for opinion in heard if _same(opinion.value.text, leader.text, segmentation)]
    if len(alike) < 2 or not leader.text:
        return None
    if not _contradicts(example, [opinion.value for opinion in alike], segmentation):
        return None
    confidence = sum(opinion.value.score for opinion in alike) / len(heard)
    proposed = Answer(leader.text, leader.start)
    return Dispute(example, proposed, confidence, tuple(opinion.candidate for opinion in alike))


def _contradicts(example: Example, spans: Sequence[Span], segmentation: Segmentation) -> bool:
    """Whether none of the spans is a reference: by its words, or by its place."""
    return all(
        not any(_same(span.text, answer.text, segmentation) for span in spans)
        or all(span.end <= answer.start or answer.end <= span.start for span in spans)
        for answer in example.answers
    )


def _same(text: str, other: str, segmentation: Segmentation) -> bool:
    return jaccard(text, other, segmentation) >= AGREE
