"""A run's ensemble distilled into one model, and both of them side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autoqa.analysis.finished_plan import finished_plan
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.private_scores import private_score
from autoqa.analysis.selection import candidate_seat, teaching_selection
from autoqa.analysis.stored_predictions import load_part
from autoqa.ensemble.choosing.selection import Pick, PickName, Seat
from autoqa.scores.summary import ScoreEntry
from autoqa.searching.distil import distil
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.weight_quota import WEIGHTS, dropped
from autoqa.supervision.display import Display


@dataclass(frozen=True, slots=True)
class Standing:
    """What an ensemble, or one model, scores and costs.

    Attributes:
        members: Ids of its candidates.
        public: Its score on the public part, post-processed as a bundle does.
        private: Its score on the private part.
        seconds: Time that its members took for 1,000 questions when they were scored.
        size: Bytes of their weights.
    """

    members: tuple[str, ...]
    public: ScoreEntry
    private: ScoreEntry
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Distilled:
    """A pupil, and the ensemble that taught it."""

    pupil: CandidateRecord
    ensemble: Pick


def distil_run(
    run: StudyRun,
    backbone: str,
    display: Display,
    *,
    pick: PickName = "safe",
    unlabelled: Path | None = None,
) -> Distilled:
    """Teaches one model what a run's ensemble says; the model becomes a candidate.

    Args:
        run: The study's run.
        backbone: The pupil's, a name in the study file.
        display: What people see meanwhile.
        pick: Which of the selection's two picks teaches.
        unlabelled: A file with further questions and contexts.

    Raises:
        AutoqaError: As :func:`autoqa.searching.distil.distil`, and
            :func:`autoqa.analysis.selection.teaching_selection`.
    """
    ensemble = teaching_selection(run).pick(pick)
    seats = ensemble.members
    pupil = distil(
        run.folder, run.store, run.study, seats, backbone, display, unlabelled=unlabelled
    )
    return Distilled(pupil, ensemble)


def standings(run: StudyRun, distilled: Distilled, reason: str) -> tuple[Standing, Standing]:
    """Ensemble and pupil; opens the private part for whichever was not scored there before.

    Args:
        run: The study's run.
        distilled: Both.
        reason: Why the private part is opened, if it is; it is written down.

    Raises:
        DataError: Predictions are missing or damaged.
    """
    seat = candidate_seat(run, distilled.pupil.id)
    return (
        _standing(run, distilled.ensemble.members, distilled.ensemble.tie_group, reason),
        _standing(run, (seat,), seat.group, reason),
    )


def _standing(run: StudyRun, seats: Sequence[Seat], tie_group: str, reason: str) -> Standing:
    plan = finished_plan(run, seats, tie_group)
    public = load_part(run, plan.members, "public").score(plan)
    records = [run.folder.read_record(seat.id) for seat in seats]
    return Standing(
        members=tuple(seat.id for seat in seats),
        public=public,
        private=private_score(run, plan, reason=reason).score,
        seconds=sum(1000 * each.inference_seconds / public.questions for each in records),
        size=sum(_size(run, each.id) for each in records),
    )


def _size(run: StudyRun, candidate: str) -> int:
    gone = dropped(run.folder, candidate)
    return gone.size if gone else (run.folder.model(candidate) / WEIGHTS).stat().st_size
