"""The parent's loop: hands trials to workers and records what comes back from them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from optuna.trial import TrialState

from autoqa import recipes
from autoqa.errors import DataError
from autoqa.searching.budget import Budget
from autoqa.searching.display import Display, Status, duration, score
from autoqa.searching.hearing import hear
from autoqa.searching.interrupts import Interrupts, SearchInterruptedError
from autoqa.searching.trial_attributes import TrialAttributes, usual
from autoqa.searching.trials import Again, Proposal, Trials
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.training.messages import (
    Message,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFailed,
    TrialFinished,
    TrialJob,
)
from autoqa.workers.base import Worker, WorkerPool

RETRIES: dict[str, Again] = {
    "TrainingError": "slower",
    "OutOfMemoryError": "smaller",
    "OutOfTimeError": "continue",
}
"""Error of a run to what is tried after it."""

RETRY_CHANGES = {
    "slower": " at half the learning rate",
    "smaller": " in forward passes of half the size",
}


@dataclass
class _Running:
    """A trial on a worker."""

    proposal: Proposal
    started: float = field(default_factory=time.time)
    candidates: list[CandidateRecord] = field(default_factory=list)
    broken: bool = False

    @property
    def number(self) -> int:
        return self.proposal.trial.number


@dataclass
class Loop:
    """One search over a prepared study.

    Attributes:
        trials: The study's trials.
        store: Takes the candidates.
        folder: The run folder, locked by this process.
        pool: The workers, none of them running yet.
        budget: Time.
        total: Trials wanted.
        complete: Point of a run after which nothing of it is missing.
        display: What people see.
        retain: Keeps weights within their quota; returns a sentence for each that it dropped.
    """

    trials: Trials
    store: Store
    folder: RunFolder
    pool: WorkerPool
    budget: Budget
    total: int
    complete: float
    display: Display
    retain: Callable[[], list[str]]
    _busy: dict[int, _Running] = field(default_factory=dict)
    _changed: bool = True

    def run(self) -> str:
        """Searches until trials, time or space are used up.

        Returns:
            Why it ended.

        Raises:
            SearchInterruptedError: A signal asked for the end.
        """
        with Interrupts(kill=self._kill) as interrupts:
            try:
                while not interrupts.stopping:
                    if self._changed:
                        self._changed = False
                        self._assign(interrupts)
                        self._show_status()
                    if not self._busy:
                        return self._why_ended()
                    hear(
                        self.pool,
                        self._busy,
                        interrupts.wake,
                        self.budget,
                        receive=self._receive,
                        lost=self._died,
                    )
                self._interrupt()
            finally:
                self.pool.end()
                self.folder.remove_partial()
        raise SearchInterruptedError(
            f"the search was interrupted; what finished is kept in {self.folder.path}. "
            "The same command goes on where it stopped"
        )

    def _kill(self) -> None:
        self.pool.kill()
        self.display.__exit__(None, None, None)

    def _usual_seconds(self, backbone: str) -> float | None:
        return usual(self.trials.in_states(TrialState.COMPLETE), backbone, "next_seconds")

    def _assign(self, interrupts: Interrupts) -> None:
        for worker in self.pool.workers:
            if worker.number in self._busy or interrupts.stopping:
                continue
            proposal = self.trials.propose(
                self.total, lambda backbone: self.budget.fits(self._usual_seconds(backbone))
            )
            if proposal is None:
                self.display.idle(worker.number)
                continue
            self._start(worker, proposal)

    def _start(self, worker: Worker, proposal: Proposal) -> None:
        running = _Running(proposal)
        job = TrialJob(
            trial=running.number,
            backbone=proposal.backbone,
            run=proposal.run,
            run_folder=self.folder.path,
            micro_scale=proposal.micro_scale,
            windows_per_second=usual(
                self.trials.in_states(TrialState.COMPLETE), proposal.backbone, "windows_per_second"
            ),
            deadline=self.budget.deadline,
        )
        self._busy[worker.number] = running
        worker.assign(job)
        TrialAttributes(worker=worker.number).write(proposal.trial)
        run = proposal.run
        self.display.event(
            f"trial {running.number} starts on worker {worker.number}: {proposal.backbone} "
            f"{recipes.line(run.recipe, run.learning_rate)}"
        )
        self.display.working(worker.number, proposal.backbone, Progress(running.number, "starting"))

    def _receive(self, worker: Worker, message: Message) -> None:
        running = self._busy.get(worker.number)
        if running is None or message.trial != running.number:
            return
        match message:
            case Progress():
                self.display.working(worker.number, running.proposal.backbone, message)
            case RecipeCard(lines=lines):
                TrialAttributes(card="\n".join(lines)).write(running.proposal.trial)
                for line in lines:
                    self.display.event(f"trial {running.number}: {line}")
            case Note(text=text):
                self.display.event(f"trial {running.number}: {text}")
            case SnapshotTaken(candidate=candidate):
                self._add_candidate(running, candidate)
            case TrialFinished():
                TrialAttributes(
                    trained_steps=message.trained_steps,
                    reused_steps=message.reused_steps,
                    next_seconds=message.next_seconds,
                ).write(running.proposal.trial)
                self._finished(worker, running, message.seconds)
            case TrialFailed(reason=reason, error=error):
                # What failed may have left memory behind, a GPU's above all: a fresh process.
                worker.end()
                self._failed(worker, running, reason, RETRIES.get(error, "no"))

    def _add_candidate(self, running: _Running, candidate: CandidateRecord) -> None:
        if not math.isfinite(candidate.jaccard):
            running.broken = True
            return
        self.store.add_candidate(candidate)
        running.candidates.append(candidate)
        running.proposal.trial.report(candidate.jaccard, round(100 * candidate.fraction))
        further = (f" {name} {mean:.3f}" for name, mean in candidate.further_scores.items())
        self.display.event(
            f"trial {running.number}: candidate {candidate.id} {score(candidate)}{''.join(further)}"
        )
        for sentence in self.retain():
            self.display.event(sentence)

    def _finished(self, worker: Worker, running: _Running, seconds: float) -> None:
        if running.broken:
            self._failed(worker, running, "the score of a snapshot is not a number", "slower")
            return
        if not running.candidates:
            self._failed(worker, running, "the run ended without a snapshot", "no")
            return
        value = self.trials.finish(running.proposal.trial, running.candidates, seconds)
        self._set_idle(worker)
        self.display.event(
            f"trial {running.number} finished in {duration(seconds)}: jaccard {value:.3f} "
            f"({self.trials.settled()} of {self.total})"
        )

    def _failed(self, worker: Worker, running: _Running, reason: str, again: Again) -> None:
        queued = self.trials.fail(running.proposal.trial, reason, again)
        self.folder.remove_partial(running.number)
        self._set_idle(worker)
        tail = f"; queued again{RETRY_CHANGES.get(again, '')}" if queued else ""
        self.display.event(f"trial {running.number} failed: {reason}{tail}")
        cause = self.trials.left_out.get(running.proposal.backbone)
        if cause and not queued:
            self.display.event(f"{running.proposal.backbone} is left out from here on: {cause}")

    def _died(self, worker: Worker, reason: str) -> None:
        """Costs the trial that ran on it, unless its last snapshot was complete."""
        running = self._busy[worker.number]
        starved = worker.was_killed
        worker.end()
        if self._adopt_candidates(running):
            self._finished(worker, running, time.time() - running.started)
        else:
            self._failed(worker, running, reason, "smaller" if starved else "same")

    def _adopt_candidates(self, running: _Running) -> bool:
        """Takes in candidates whose message was lost; says whether the run was complete."""
        received = {candidate.id for candidate in running.candidates}
        for candidate_id in self.folder.candidate_ids():
            if candidate_id.startswith(f"t{running.number:04d}-") and candidate_id not in received:
                try:
                    self._add_candidate(running, self.folder.read_record(candidate_id))
                except DataError as error:
                    self.display.event(str(error))
        return any(candidate.fraction >= self.complete for candidate in running.candidates)

    def _set_idle(self, worker: Worker) -> None:
        del self._busy[worker.number]
        self._changed = True
        self.display.idle(worker.number)

    def _interrupt(self) -> None:
        for worker in self.pool.workers:
            running = self._busy.get(worker.number)
            worker.end()
            if running is None:
                continue
            if self._adopt_candidates(running):
                self._finished(worker, running, time.time() - running.started)
            else:
                self._failed(worker, running, "interrupted", "continue")

    def _show_status(self) -> None:
        done = self.trials.settled()
        left, estimated = self.budget.left(), False
        if left is None:
            estimates = map(self._usual_seconds, self.trials.spaces)
            measured = [seconds for seconds in estimates if seconds is not None]
            if measured:
                rounds = math.ceil((self.total - done) / len(self.pool.workers))
                left, estimated = rounds * sum(measured) / len(measured), True
        highest = min(self.store.candidates(), key=by_score, default=None)
        self.display.status(Status(done, self.total, highest, left, estimated))

    def _why_ended(self) -> str:
        if self.trials.settled() >= self.total:
            return f"all {self.total} trials are done"
        left = self.budget.left()
        if left is not None:
            return "the time is over" if left <= 0 else "no further trial fits into the time left"
        causes = "; ".join(f"{name}: {reason}" for name, reason in self.trials.left_out.items())
        return f"no backbone is left to try ({causes})"
