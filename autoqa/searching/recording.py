"""What becomes of a trial is written down: its messages, its candidates, its end."""

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from autoqa.errors import DISK_FAULT, OUT_OF_MEMORY, DataError
from autoqa.planning.hopeless import HopelessRuns
from autoqa.searching.machine_faults import MachineFaults
from autoqa.searching.running_trial import RunningTrial
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder, trial_mark
from autoqa.store.sqlite_file import checkpoint
from autoqa.store.study_tables import Store
from autoqa.supervision.display import Display, duration, score
from autoqa.tracking.base import TrialEnd
from autoqa.tracking.trackers import Trackers
from autoqa.training.messages import (
    Message,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFailed,
    TrialFinished,
)
from autoqa.trials.lost_rows import check_own, keep_finished
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Again, Trials
from autoqa.workers.base import Worker

MOST_HANGS = 3
"""Runs of a backbone that hang without one that finishes in between after which it is left out,
where there are others."""

TRAINING_ERROR = "TrainingError"
"""What a run fails with that is itself to blame; behind all else there is a mistake to mend."""

RETRIES: dict[str, Again] = {
    TRAINING_ERROR: "slower",
    OUT_OF_MEMORY: "smaller",
    DISK_FAULT: "continue",
    "OutOfTimeError": "continue",
    "StoppedError": "continue",
    "RankError": "same",  # as a worker that dies by itself
    "PeerLostError": "same",
}
"""Error of a run to what is tried after it."""

RETRY_CHANGES = {
    "slower": " at half the learning rate",
    "smaller": " in forward passes of half the size",
}


@dataclass
class Recorder:
    """Writes down what happens to the trials of one study.

    Attributes:
        trials: The study's trials.
        store: Takes the candidates.
        folder: The run folder.
        total: Trials wanted.
        complete: Point of a run after which nothing of it is missing.
        display: What people see.
        retain: Keeps weights within their quota, those of a new candidate included; returns a
            sentence for each that it dropped.
        hopeless: Says which runs end at a snapshot; ``None`` lets all go on.
        trackers: Are told of all of it, too.
        faults: Says whether the machine is well enough for another trial.
    """

    trials: Trials
    store: Store
    folder: RunFolder
    total: int
    complete: float
    display: Display
    retain: Callable[[CandidateRecord], list[str]]
    hopeless: HopelessRuns | None = None
    trackers: Trackers = field(default_factory=Trackers)
    faults: MachineFaults = field(init=False)
    _hangs: Counter[str] = field(default_factory=Counter)
    _warned: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Begins without a fault."""
        self.faults = MachineFaults(self.folder, self.display.event)

    def receive(self, worker: Worker, running: RunningTrial, message: Message) -> bool:
        """Takes in a message of a trial; says whether the trial is over."""
        trial = running.proposal.trial
        match message:
            case Progress():
                running.heard(message)
                self.display.working(worker.number, running.proposal.backbone, message)
                self.trackers.progress(running.number, message)
            case RecipeCard(lines=lines):
                TrialAttributes(card="\n".join(lines)).write(trial)
                self.trackers.card(running.number, lines)
                self._show_card(running, message)
            case Note(text=text):
                self.display.event(f"trial {running.number}: {text}")
            case SnapshotTaken(candidate=candidate):
                self._add_candidate(running, candidate)
                return self._stopped(worker, running)
            case TrialFinished():
                TrialAttributes(
                    trained_steps=message.trained_steps,
                    reused_steps=message.reused_steps,
                    next_seconds=message.next_seconds,
                ).write(trial)
                self.display.detail(f"trial {running.number}: {_steps(message)}")
                self._finished(running, message.seconds)
                return True
            case TrialFailed(reason=reason, error=error):
                again = RETRIES.get(error, "no")
                if error != TRAINING_ERROR:
                    TrialAttributes(mistake=True).write(trial)
                self._ended(worker, running, reason, again)
                if error in (OUT_OF_MEMORY, DISK_FAULT):
                    disk = error == DISK_FAULT
                    self._let_down(running, reason, disk=disk, memory=not disk)
                return True
        return False

    def died(self, worker: Worker, running: RunningTrial, reason: str) -> None:
        """Ends the trial of a dead worker, which may have been complete.

        Whoever kills does so from outside, as the kernel does where memory runs out.
        """
        killed = worker.was_killed
        if not killed:
            TrialAttributes(mistake=True).write(running.proposal.trial)
        self._ended(worker, running, reason, "smaller" if killed else "same")
        if killed:
            self._let_down(running, reason, memory=True)

    def hung(self, worker: Worker, running: RunningTrial, reason: str) -> None:
        """Ends a trial whose worker said nothing any more; it goes on from its checkpoint.

        Where runs of one backbone do so again and again, and there are others to try, that backbone
        is at fault and not the machine: it is left out, and a new search begins it anew.
        """
        TrialAttributes(mistake=True).write(running.proposal.trial)
        backbone = running.proposal.backbone
        self._hangs[backbone] += 1
        others = self.trials.spaces.keys() - self.trials.left_out.keys() - {backbone}
        at_fault = self._hangs[backbone] >= MOST_HANGS and bool(others)
        again: Again = "no" if at_fault else "continue"
        self._ended(worker, running, reason, again, adopts=True)
        if at_fault and backbone in self._hangs:  # it is not, where the run was complete
            cause = f"{self._hangs[backbone]} of its runs hung in a row, the last one: {reason}"
            self.trials.left_out[backbone] = cause
            self._tell_left_out(backbone)
        self._let_down(running, reason)

    def interrupted(self, worker: Worker, running: RunningTrial) -> None:
        """Ends a trial that is to go on in a later search."""
        self._ended(worker, running, "interrupted", "continue")

    def _ended(
        self,
        worker: Worker,
        running: RunningTrial,
        reason: str,
        again: Again,
        *,
        adopts: bool = False,
    ) -> None:
        # What failed may have left memory behind, a GPU's above all: a fresh process.
        worker.end()
        if (adopts or again not in ("no", "slower")) and self._adopt_candidates(running):
            self._finished(running, time.time() - running.started)
        else:
            self._failed(running, reason, again)

    def _let_down(
        self, running: RunningTrial, reason: str, *, disk: bool = False, memory: bool = False
    ) -> None:
        """Takes note of a fault of the machine, unless it came when the run was complete."""
        attributes = TrialAttributes.of(running.proposal.trial)
        if attributes.queued_again:
            remedied = memory and attributes.micro_scale is None
            self.faults.occurred(reason, disk=disk, remedied=remedied)

    def _show_card(self, running: RunningTrial, card: RecipeCard) -> None:
        """Details but for warnings that were not shown yet."""
        for line in card.lines:
            warning = (running.proposal.backbone, line)
            new = line in card.warnings and warning not in self._warned
            self._warned.add(warning)
            show = self.display.event if new else self.display.detail
            show(f"trial {running.number}: {line}")

    def _add_candidate(self, running: RunningTrial, candidate: CandidateRecord) -> None:
        if not math.isfinite(candidate.score):
            running.broken = True
            return
        # Before it is written down, which may share its files: weights that nothing can need stay.
        dropped = self.retain(candidate)
        self.store.add_candidate(candidate)
        running.candidates.append(candidate)
        self.trackers.snapshot(running.number, candidate)
        running.proposal.trial.report(candidate.score, round(100 * candidate.fraction))
        further = (f" {name} {mean:.3f}" for name, mean in candidate.further_scores.items())
        self.display.detail(
            f"trial {running.number}: candidate {candidate.id} {score(candidate)}{''.join(further)}"
        )
        for sentence in dropped:
            self.display.event(sentence)

    def _stopped(self, worker: Worker, running: RunningTrial) -> bool:
        """Ends a trial whose latest snapshot shows that the rest is not worth its time."""
        if self.hopeless is None or running.broken:
            return False
        latest = running.candidates[-1]
        if latest.fraction >= self.complete:
            return False
        reason = self.hopeless.verdict(latest, self.store.candidates(), self.trials.look().complete)
        if reason is None:
            return False
        worker.end()
        self.folder.remove_partial(trial_mark(running.number))
        self.display.event(f"trial {running.number} ends early: {reason}")
        TrialAttributes(stopped=reason).write(running.proposal.trial)
        self._finished(running, time.time() - running.started)
        return True

    def _finished(self, running: RunningTrial, seconds: float) -> None:
        if running.broken:
            self._failed(running, "the score of a snapshot is not a number", "slower")
            return
        if not running.candidates:
            self._failed(running, "the run ended without a snapshot", "no")
            return
        # A number that was lost with its row may be that of another process's trial by now.
        trial = running.proposal.trial
        is_own = TrialAttributes.of(trial).searcher == self.trials.searcher
        check_own([running.number], [trial] if is_own else [])
        self.trials.finish(trial, running.candidates, seconds)
        self._keep(running)
        self.trackers.ended(running.number, "finished")
        self.faults.finished()
        self._hangs.pop(running.proposal.backbone, None)
        last = max(running.candidates, key=lambda record: record.fraction)
        self.display.event(
            f"trial {running.number} finished in {duration(seconds)}: {score(last)}, {last.id} "
            f"({self.trials.settled()} of {self.total})"
        )

    def _keep(self, running: RunningTrial) -> None:
        """Has what a trial ended with on disk twice: beside its candidate, and in the database."""
        last = max(running.candidates, key=lambda record: record.fraction)
        try:
            keep_finished(self.folder, running.proposal.trial, last)
        except OSError as error:  # the database has it
            self.display.event(f"trial {running.number}: its row is not kept on disk, too: {error}")
        checkpoint(self.store.url)

    def _failed(self, running: RunningTrial, reason: str, again: Again) -> None:
        queued = self.trials.fail(running.proposal.trial, reason, again)
        end: TrialEnd = "interrupted" if again == "continue" else "failed"
        self.trackers.ended(running.number, end, reason)
        self.folder.remove_partial(trial_mark(running.number))
        tail = f"; queued again{RETRY_CHANGES.get(again, '')}" if queued else ""
        self.display.event(f"trial {running.number} failed: {reason}{tail}")
        if not queued:
            self._tell_left_out(running.proposal.backbone)

    def _tell_left_out(self, backbone: str) -> None:
        cause = self.trials.left_out.get(backbone)
        if cause:
            self.display.event(f"{backbone} is left out from here on: {cause}")

    def _adopt_candidates(self, running: RunningTrial) -> bool:
        """Takes in candidates whose message was lost; says whether the run was complete."""
        received = {candidate.id for candidate in running.candidates}
        for candidate_id in self.folder.candidate_ids():
            if candidate_id.startswith(trial_mark(running.number)) and candidate_id not in received:
                try:
                    self._add_candidate(running, self.folder.read_record(candidate_id))
                except DataError as error:
                    self.display.event(str(error))
        return any(candidate.fraction >= self.complete for candidate in running.candidates)


def _steps(message: TrialFinished) -> str:
    """What a run has trained, and what it cost."""
    reused = f", {message.reused_steps} taken over" if message.reused_steps else ""
    return (
        f"{message.trained_steps} steps trained{reused}; a run like it takes "
        f"{duration(message.next_seconds)}"
    )
