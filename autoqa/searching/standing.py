"""Where a search stands: counts, what is best, what ended last, and when it will be over."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial, TrialState

from autoqa.searching.recording import Recorder
from autoqa.searching.running_trial import RunningTrial
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Status, TrialOutcome, backbone_statuses
from autoqa.trials.device_time import DeviceTime
from autoqa.trials.trial_attributes import TrialAttributes


@dataclass
class SearchStanding:
    """Where one search stands.

    Attributes:
        recorder: Has the trials, the candidates and what people see.
        budget: Time.
        workers: Runs at a time.
        usual: Seconds that a run of a backbone takes, ``None`` where nobody knows yet.
    """

    recorder: Recorder
    budget: Budget
    workers: int
    usual: Callable[[str], float | None]
    _candidates: Sequence[CandidateRecord] = field(default_factory=list)

    def look(self) -> None:
        """Takes in trials and candidates that came or ended since, here or elsewhere."""
        self.recorder.trials.look()
        self._candidates = self.recorder.store.candidates()

    def show(self, busy: Collection[RunningTrial], devices: DeviceTime) -> None:
        """Has people see what was found by the last look.

        Args:
            busy: The trials that run here.
            devices: What is left of the hours of devices.
        """
        recorder, found = self.recorder, self._candidates
        trials = recorder.trials
        seconds, estimated = self._seconds_left(busy, devices)
        last = {record.id: record for record in found}
        recorder.display.status(
            Status(
                trials.tally.settled,
                recorder.total,
                min(found, key=by_score, default=None),
                seconds,
                estimated,
                recorder.faults.waiting,
                backbone_statuses(trials.spaces, found),
                tuple(_outcome(trial, last) for trial in trials.tally.latest),
            )
        )

    def _seconds_left(
        self, busy: Collection[RunningTrial], devices: DeviceTime
    ) -> tuple[float | None, bool]:
        """Until the time is over or, if that is earlier, the last trial; whether it is a guess."""
        limit, guesses = self.budget.left(), []
        trials = self.recorder.trials
        paces = {each.proposal.backbone: each.whole for each in busy}
        measured = {name: self.usual(name) or paces.get(name) for name in trials.spaces}
        known = {name: seconds for name, seconds in measured.items() if seconds is not None}
        if known:
            mean = sum(known.values()) / len(known)
            rests = [each.rest(known.get(each.proposal.backbone, mean)) for each in busy]
            ahead = max(0, self.recorder.total - trials.tally.planned())
            longest = max(rests, default=0.0)
            guesses.append(max(longest, (sum(rests) + ahead * mean) / self.workers))
            hours = devices.left()
            if hours is not None:
                guesses.append(longest + max(0.0, hours) / self.workers)
        guess = min(guesses, default=None)
        if guess is not None and (limit is None or guess < limit):
            return guess, True
        return limit, False


def _outcome(trial: FrozenTrial, last: dict[str, CandidateRecord]) -> TrialOutcome:
    """What became of a trial that is over.

    Args:
        trial: The trial.
        last: Candidates by their ids.
    """
    attributes = TrialAttributes.of(trial)
    record = last.get((attributes.candidates or [""])[-1])
    note = ""
    if attributes.duplicate_of is not None:
        note = f"repeats trial {attributes.duplicate_of}"
    elif trial.state == TrialState.FAIL:
        tried = "tried again: " if attributes.queued_again else "failed: "
        note = f"{tried}{attributes.failure or 'its search ended'}"
    elif trial.state == TrialState.PRUNED:
        note = f"skipped: {attributes.failure or 'its row was lost'}"
    elif attributes.stopped:
        note = f"ended early: {attributes.stopped}"
    return TrialOutcome(trial.number, attributes.backbone or "", record, " ".join(note.split()))
