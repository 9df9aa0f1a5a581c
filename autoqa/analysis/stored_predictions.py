"""Stored predictions of candidates, joined as the bundle that they would make joins them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from autoqa.analysis.finished_run import StudyRun
from autoqa.arrays import Doubles, Floats
from autoqa.ensemble.choosing.selection import Seat
from autoqa.ensemble.evaluation.candidate_scorer import CandidateScorer
from autoqa.ensemble.joining.join import Joined, join, join_spans
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.features.files import load_windows
from autoqa.features.windows import Windows
from autoqa.scores.metrics import score_by
from autoqa.scores.summary import ScoreEntry, score_answers
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import load_logits
from autoqa.store.private_openings import Opening
from autoqa.store.run_folder import Part
from autoqa.types import Example, Span


@dataclass(frozen=True, slots=True)
class StoredPart:
    """Stored predictions of some candidates on one part of the validation set.

    Attributes:
        examples: The questions.
        windows: Their windows by group.
        logits: Start and end logits by candidate.
        metric: The study's metric.
    """

    examples: Sequence[Example]
    windows: Mapping[str, Windows]
    logits: Mapping[str, tuple[Floats, Floats]]
    metric: str

    def spans(self, plan: EnsemblePlan) -> list[Span]:
        """An ensemble's answers, one span per question."""
        return join_spans(plan, self.logits, self.windows, self.examples)

    def joined(self, plan: EnsemblePlan) -> Joined:
        """An ensemble's answers, and how sure they are."""
        return join(plan, self.logits, self.windows, self.examples)

    def score(self, plan: EnsemblePlan) -> ScoreEntry:
        """An ensemble's score."""
        return score_answers([span.text for span in self.spans(plan)], self.examples, self.metric)

    def question_scores(self, plan: EnsemblePlan) -> Doubles:
        """Its score on each question, float64 ``[Q]``."""
        return score_by(self.metric, [span.text for span in self.spans(plan)], self.examples)


def load_part(
    run: StudyRun, members: Sequence[Member], part: Part, opening: Opening | None = None
) -> StoredPart:
    """Reads stored questions, windows and logits.

    Args:
        run: The study's run.
        members: Which candidates.
        part: Of which part.
        opening: Needed for the private part, see
            :meth:`autoqa.store.study_tables.Store.log_opening`.

    Raises:
        DataError: Predictions or windows are missing or damaged.
    """
    groups = {member.group for member in members}
    return StoredPart(
        examples=run.folder.load_examples(part, opening),
        windows={g: load_windows(run.folder.windows_path(g, part)) for g in groups},
        logits={m.id: load_logits(run.folder, m.id, part, opening) for m in members},
        metric=run.metric().name,
    )


def ensemble_plan(
    run: StudyRun,
    seats: Sequence[Seat],
    tie_group: str,
    rules: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> EnsemblePlan:
    """Selected candidates as an ensemble that joins its members as the study says.

    Args:
        run: The study's run.
        seats: Which candidates, with which weights.
        tie_group: The group whose answer stands where a vote decides nothing.
        rules: Names of post-processing rules by language.
    """
    return EnsemblePlan(
        members=tuple(Member(seat.id, seat.group, seat.weight) for seat in seats),
        tie_group=tie_group,
        aggregator=run.study.selection.aggregator,
        words=run.study.selection.words,
        rules=rules,
        segmentation=run.metric().segmentation,
    )


def candidate_scores(
    run: StudyRun,
    candidates: Iterable[CandidateRecord],
    examples: Sequence[Example],
    part: Part,
    opening: Opening | None = None,
    metric: str | None = None,
) -> Doubles:
    """Score of each candidate alone on each question, float64 ``[C, Q]``.

    Answers are as the search scored them: no rule is applied. One candidate's logits are in memory
    at a time.

    Args:
        run: The study's run.
        candidates: Whose predictions are on this machine.
        examples: The part's questions.
        part: Which part.
        opening: Needed for the private part.
        metric: By which metric; left out, by the study's.

    Raises:
        DataError: Predictions or windows are missing, damaged or do not fit.
    """
    scores = CandidateScorer(run.folder, examples, part, opening)
    rows = [scores.of(record, metric) for record in candidates]
    return np.array(rows).reshape(-1, len(examples))
