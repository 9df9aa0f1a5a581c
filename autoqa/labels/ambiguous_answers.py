"""Answers whose text occurs several times in their context, and where each most likely belongs.

Whoever gave an answer as text alone, or had it put at its first occurrence as Kaggle's host did,
lost the place that was meant. The evidence for each place is weighed by a conditional logit, whose
probabilities are the confidence.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autoqa.arrays import Doubles
from autoqa.data.checks import base_id
from autoqa.data.overlay import Change
from autoqa.errors import DataError
from autoqa.labels.translations import Translations
from autoqa.placing.conditional_logit import fit, probabilities
from autoqa.placing.evidence import TEXT_COEFFICIENTS, Places
from autoqa.placing.occurrences import occurrences
from autoqa.types import Answer, Example

# Fitted as `TEXT_COEFFICIENTS`; the columns are those of `AmbiguousAnswer.features`.
_WITH_MODELS = np.array([0.4, 0.23, 0.42, -0.44, 0.16, -0.52, 0.94, 0.26])

_FLOOR = -10.0
"""Log-probability, relative to the best place, below which differences mean nothing."""

LEAST = 50
"""Fewest answers with several occurrences that coefficients are learned from."""


@dataclass(frozen=True, slots=True)
class AmbiguousAnswer:
    """One answer whose text occurs several times.

    Attributes:
        example: The row.
        number: Which of its answers.
        starts: First character of each occurrence, ascending, K of them.
        evidence: What the texts say: the columns of
            :meth:`autoqa.placing.evidence.Places.evidence`, then
            :meth:`autoqa.labels.translations.Translations.evidence`, ``[K, 7]``.
        models: Mean log-probability of each occurrence, relative to the best one's, by candidates
            that did not train on the row, ``[K]``; ``None`` where there are none.
    """

    example: Example
    number: int
    starts: tuple[int, ...]
    evidence: Doubles
    models: Doubles | None = None

    @property
    def answer(self) -> Answer:
        """The answer as the source places it."""
        return self.example.answers[self.number]

    @property
    def features(self) -> Doubles:
        """All evidence, ``[K, 7]`` or ``[K, 8]``."""
        if self.models is None:
            return self.evidence
        return np.column_stack([self.evidence, self.models])


@dataclass(frozen=True, slots=True)
class PlacedAnswer:
    """Where an answer most likely belongs.

    Attributes:
        ambiguous: The answer.
        start: First character of the chosen occurrence.
        confidence: Probability that it is the one that was meant.
    """

    ambiguous: AmbiguousAnswer
    start: int
    confidence: float

    @property
    def moved(self) -> bool:
        """Whether that is elsewhere than the source says."""
        return self.start != self.ambiguous.answer.start


def find_ambiguous(
    examples: Sequence[Example], parallel: Sequence[Example] = ()
) -> list[AmbiguousAnswer]:
    """Answers that occur several times, with what the texts say about each occurrence.

    Args:
        examples: All rows of one source: those whose answer occurs once are learned from, and
            those under the same id in other languages are translations.
        parallel: Rows of other sources; those with the same ids are translations, too.
    """
    ambiguous = _several(examples)
    names = {base_id(answer.example) for answer in ambiguous}
    translated = _several([row for row in parallel if base_id(row) in names])
    translations = Translations(
        [*examples, *parallel],
        {
            (answer.example.id, answer.example.language, answer.answer.text): answer.evidence[:, 0]
            for answer in [*ambiguous, *translated]
        },
    )
    return [replace(answer, evidence=_text_evidence(answer, translations)) for answer in ambiguous]


def _several(examples: Sequence[Example]) -> list[AmbiguousAnswer]:
    """Answers that occur several times, with what their own text says, ``[K, 6]``."""
    spoken: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        spoken[example.language].append(example)
    ambiguous = []
    for rows in spoken.values():
        places: Places | None = None
        for example in rows:
            for number, answer in enumerate(example.answers):
                starts = occurrences(example.context, answer.text)
                if len(starts) > 1:
                    places = places or Places(rows)
                    evidence = places.evidence(example, starts, len(answer.text))
                    ambiguous.append(AmbiguousAnswer(example, number, starts, evidence))
    return ambiguous


def _text_evidence(ambiguous: AmbiguousAnswer, translations: Translations) -> Doubles:
    """Evidence of all texts, ``[K, 7]``; 0 from translations for all but the first answer.

    Which further answers of a row translate each other is not known.
    """
    translated = np.zeros(len(ambiguous.starts))
    if ambiguous.number == 0:
        length = len(ambiguous.answer.text)
        translated = translations.evidence(ambiguous.example, ambiguous.starts, length)
    return np.column_stack([ambiguous.evidence, translated])


def model_evidence(opinions: Sequence[Doubles]) -> Doubles | None:
    """What several models say about one answer, see :attr:`AmbiguousAnswer.models`.

    Args:
        opinions: Log-probabilities of the occurrences, ``[K]`` from each model.
    """
    usable = [opinion - opinion.max() for opinion in opinions if np.isfinite(opinion.max())]
    return np.mean([np.maximum(opinion, _FLOOR) for opinion in usable], axis=0) if usable else None


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Coefficients of the conditional logit: what each kind of evidence counts.

    Attributes:
        text: Where there are texts alone, ``[7]``.
        with_models: Where models say something, too, ``[8]``.
    """

    text: Doubles
    with_models: Doubles

    def place(self, ambiguous: AmbiguousAnswer) -> PlacedAnswer:
        """The most likely occurrence."""
        coefficients = self.text if ambiguous.models is None else self.with_models
        shares = probabilities(ambiguous.features, coefficients)
        best = int(shares.argmax())
        return PlacedAnswer(ambiguous, ambiguous.starts[best], float(shares[best]))


USUAL = Coefficients(TEXT_COEFFICIENTS, _WITH_MODELS)


def learn(rows: Sequence[AmbiguousAnswer], prior: Coefficients = USUAL) -> Coefficients:
    """Coefficients from answers that stand where they were meant to.

    Args:
        rows: Answers of sources whose offsets can be trusted.
        prior: What the coefficients are drawn towards, and are where the rows say nothing.

    Raises:
        DataError: There are too few of them.
    """
    if len(rows) < LEAST:
        raise DataError(
            f"{len(rows)} answers that occur several times are too few to learn from; {LEAST} are "
            "needed."
        )

    def fitted(rows: Sequence[AmbiguousAnswer], towards: Doubles) -> Doubles:
        chosen = [row.starts.index(row.answer.start) for row in rows]
        return fit([row.features for row in rows], chosen, towards)

    text = [replace(row, models=None) for row in rows]
    judged = [row for row in rows if row.models is not None]
    return Coefficients(fitted(text, prior.text), fitted(judged, prior.with_models))


def changes(placed: Sequence[PlacedAnswer], threshold: float) -> tuple[Change, ...]:
    """What an overlay has to say: rows in which an answer moves with enough confidence."""
    moving: Mapping[tuple[str, str], list[PlacedAnswer]] = defaultdict(list)
    for move in placed:
        if move.moved and move.confidence >= threshold:
            moving[move.ambiguous.example.id, move.ambiguous.example.language].append(move)
    overlay_changes = []
    for (name, language), moves in moving.items():
        answers = list(moves[0].ambiguous.example.answers)
        for move in moves:
            answers[move.ambiguous.number] = Answer(move.ambiguous.answer.text, move.start)
        confidence = min(move.confidence for move in moves)
        number = max(len(move.ambiguous.starts) for move in moves)
        reason = f"the likeliest of {number} occurrences"
        # Two references of one row may have become the same.
        distinct = tuple(dict.fromkeys(answers))
        overlay_changes.append(Change(name, language, distinct, reason, round(confidence, 4)))
    return tuple(overlay_changes)
