"""Runs that are not worth their end: much worse at a snapshot than another was at the same point.

Both candidates have answered the same public questions, so they are compared question by question,
with documents drawn anew. Optuna's ``WilcoxonPruner`` is not used: it takes questions about one
document for independent ones, compares with the best trial's end instead of its state at the same
point, and would need every question's score in the database.
"""

from collections.abc import Iterable, Sequence

import numpy.typing as npt

from autoqa.ensemble.evaluation.question_scores import QuestionScores
from autoqa.errors import DataError
from autoqa.scores.bootstrap import paired
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder

MARGIN = 0.1
"""Jaccard by which a run must be behind. Candidates .055 behind the best have been seen to be of
use to an average of weights, which was better than the best by .04."""

LEVEL = 0.98
"""Coverage of the interval of the difference, which must exclude zero: with 1 of 100 chances on
this side, about one of a hundred equal runs would be held to be worse."""

MIN_DOCUMENTS = 8
"""Public documents with which anything is said: of seven equal ones, all may be worse by a chance
of 1 in 128."""


def is_hopeless(candidate: npt.ArrayLike, best: npt.ArrayLike, documents: Sequence[str]) -> bool:
    """Whether a candidate is worse than another for certain, and by more than could be of use.

    Args:
        candidate: Scores, one per question, ``[Q]``.
        best: The other's scores of the same questions.
        documents: Document of each question, Q long.
    """
    if len(set(documents)) < MIN_DOCUMENTS:
        return False
    behind = paired(best, candidate, documents, level=LEVEL)
    return behind.gain > MARGIN and behind.low > 0


def best_rival(
    candidate: CandidateRecord, records: Iterable[CandidateRecord], trials: Iterable[int]
) -> CandidateRecord | None:
    """The best of those that can be compared with a candidate: same backbone, same point of a run.

    Another backbone may learn at another pace, and has its own place in a vote.

    Args:
        candidate: Of a run that goes on.
        records: The study's candidates.
        trials: Trials that are over.
    """
    over = set(trials)
    rivals = [
        record
        for record in records
        if record.trial in over
        and record.backbone == candidate.backbone
        and abs(record.fraction - candidate.fraction) < 0.005
        and not record.ingredients
    ]
    return min(rivals, key=by_score, default=None)


class HopelessRuns:
    """Says of candidates whether the rest of their runs is worth its time.

    Args:
        folder: The run folder, whose public questions are written down.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._scores: QuestionScores | None = None

    def verdict(
        self, candidate: CandidateRecord, records: Iterable[CandidateRecord], trials: Iterable[int]
    ) -> str | None:
        """Why a run should end here, or ``None``.

        Args:
            candidate: Its latest snapshot.
            records: The study's candidates.
            trials: Trials that are over.
        """
        best = best_rival(candidate, records, trials)
        if best is None or best.jaccard - candidate.jaccard <= MARGIN:
            return None
        if self._scores is None:
            self._scores = QuestionScores(self._folder, self._folder.load_examples("public"))
        try:
            own, other = self._scores.of(candidate), self._scores.of(best)
        except DataError:  # whatever is damaged is no reason to end a run
            return None
        documents = [example.document for example in self._scores.examples]
        if not is_hopeless(own, other, documents):
            return None
        return (
            f"at {candidate.fraction:.0%} it is {best.jaccard - candidate.jaccard:.3f} behind "
            f"{best.id}, more than an average could make up for"
        )
