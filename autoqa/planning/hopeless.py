"""Runs that are not worth their end: much worse at a snapshot than another was at the same point.

Both candidates have answered the same public questions, so they are compared document by document.
Optuna's ``WilcoxonPruner`` is not used: it takes questions about one
document for independent ones, compares with the best trial's end instead of its state at the same
point, and would need every question's score in the database.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from autoqa.ensemble.evaluation.candidate_scorer import CandidateScorer
from autoqa.errors import DataError
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder

MARGIN = 0.1
"""Score by which a run must be behind. Candidates .055 behind the best have been seen to be of
use to an average of weights, which was better than the best by .04."""

MISTAKES = 0.01
"""How often a run that is as good as the others may be held to be worse by chance. The best of
several is compared with, which is lucky in part, so each of them gets its share (Bonferroni)."""


def is_hopeless(
    candidate: npt.ArrayLike, best: npt.ArrayLike, documents: Sequence[str], rivals: int = 1
) -> bool:
    """Whether a candidate is worse than another for certain, and by more than could be of use.

    Documents are compared, by Wilcoxon's signed-rank test (1945), whose chances are exact however
    few there are: with fewer than seven nothing can be certain.

    Args:
        candidate: Scores, one per question, ``[Q]``.
        best: The other's scores of the same questions.
        documents: Document of each question, Q long.
        rivals: Of how many the other is the best.
    """
    from scipy.stats import wilcoxon  # half a second that most searches need not wait

    behind = np.asarray(best, dtype=np.float64) - np.asarray(candidate, dtype=np.float64)
    if behind.mean() <= MARGIN:
        return False
    _, rows = np.unique(np.array(documents, dtype=str), return_inverse=True)
    by_document = np.bincount(rows, behind) / np.bincount(rows)
    chance = float(wilcoxon(by_document, alternative="greater").pvalue)
    return chance <= MISTAKES / rivals


def rivals_of(
    candidate: CandidateRecord, records: Iterable[CandidateRecord], trials: Iterable[int]
) -> list[CandidateRecord]:
    """Those that a candidate can be compared with, the best first: same backbone, same point.

    Another backbone may learn at another pace, and has its own place in a vote.

    Args:
        candidate: Of a run that goes on.
        records: The study's candidates.
        trials: Trials that are over.
    """
    over = set(trials)
    rivals = (
        record
        for record in records
        if record.trial in over
        and record.backbone == candidate.backbone
        and abs(record.fraction - candidate.fraction) < 0.005
        and not record.derived
    )
    return sorted(rivals, key=by_score)


class HopelessRuns:
    """Says of candidates whether the rest of their runs is worth its time.

    Args:
        folder: The run folder, whose public questions are written down.
        files: Where runs of other machines have left their predictions.
    """

    def __init__(self, folder: RunFolder, files: Artifacts | None = None) -> None:
        self._folder = folder
        self._files = files
        self._scores: CandidateScorer | None = None

    def verdict(
        self, candidate: CandidateRecord, records: Iterable[CandidateRecord], trials: Iterable[int]
    ) -> str | None:
        """Why a run should end here, or ``None``.

        Args:
            candidate: Its latest snapshot.
            records: The study's candidates.
            trials: Trials that are over.
        """
        rivals = rivals_of(candidate, records, trials)
        if not rivals or rivals[0].score - candidate.score <= MARGIN:
            return None
        best = rivals[0]
        if self._files is not None:
            self._files.bring([best])
        try:
            if self._scores is None:
                self._scores = CandidateScorer(self._folder, self._folder.load_examples("public"))
            own, other = self._scores.of(candidate), self._scores.of(best)
        except DataError:  # whatever is damaged is no reason to end a run
            return None
        documents = [example.document for example in self._scores.examples]
        if not is_hopeless(own, other, documents, len(rivals)):
            return None
        return (
            f"at {candidate.fraction:.0%} it is {best.score - candidate.score:.3f} behind "
            f"{best.id}, more than an average could make up for"
        )
