"""The parent's loop: hands trials to workers, hears them, records what they say."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from optuna.trial import TrialState

from autoqa.errors import DataError
from autoqa.search.budget import GRACE, Budget
from autoqa.search.display import Display, Status, duration, score
from autoqa.search.interrupts import Interrupts, SearchInterruptedError
from autoqa.search.trials import Again, Ledger, Proposal
from autoqa.search.workers.local_process import Worker, hear
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

AGAIN: dict[str, Again] = {
    "TrainingError": "slower",
    "OutOfMemoryError": "smaller",
    "OutOfTimeError": "continue",
}
"""Error of a run to what is tried after it."""

HOW = {"slower": " at half the learning rate", "smaller": " in forward passes of half the size"}


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
        ledger: The study's trials.
        store: Takes the candidates.
        folder: The run folder, locked by this process.
        workers: Not yet started.
        budget: Time.
        total: Trials wanted.
        complete: Point of a run after which nothing of it is missing.
        display: What people see.
        retain: Keeps weights within their quota, and says in sentences what it dropped.
    """

    ledger: Ledger
    store: Store
    folder: RunFolder
    workers: list[Worker]
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
                        self._tell_status()
                    if not self._busy:
                        return self._why_ended()
                    self._listen(interrupts.wake)
                self._interrupt()
            finally:
                for worker in self.workers:
                    worker.end()
                self.folder.remove_partial()
        raise SearchInterruptedError(
            f"the search was interrupted; what finished is kept in {self.folder.path}. "
            "The same command goes on where it stopped"
        )

    def _kill(self) -> None:
        for worker in self.workers:
            worker.kill()
        self.display.__exit__(None, None, None)

    def _usual(self, backbone: str, what: str = "next seconds") -> float | None:
        """Median of a number that the backbone's finished trials carry; ``None`` without any."""
        values = [
            float(trial.user_attrs[what])
            for trial in self.ledger.trials(TrialState.COMPLETE)
            if trial.user_attrs.get("backbone") == backbone and what in trial.user_attrs
        ]
        return median(values) if values else None

    def _assign(self, interrupts: Interrupts) -> None:
        for worker in self.workers:
            if worker.number in self._busy or interrupts.stopping:
                continue
            proposal = self.ledger.propose(
                self.total, lambda backbone: self.budget.fits(self._usual(backbone))
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
            recipe=proposal.recipe,
            learning_rate=proposal.learning_rate,
            seed=self.ledger.seed,
            run_folder=self.folder.path,
            micro_scale=proposal.micro_scale,
            windows_per_second=self._usual(proposal.backbone, "windows_per_second"),
            deadline=self.budget.deadline,
        )
        self._busy[worker.number] = running
        worker.assign(job)
        proposal.trial.set_user_attr("worker", worker.number)
        self.display.event(
            f"trial {running.number} starts on worker {worker.number}: {proposal.backbone} "
            f"{proposal.trial.user_attrs['recipe']}"
        )
        self.display.working(worker.number, proposal.backbone, Progress(running.number, "starting"))

    def _listen(self, wake: int) -> None:
        busy = [worker for worker in self.workers if worker.number in self._busy]
        for worker, messages, gone in hear(busy, wake):
            for message in messages:
                self._hear(worker, message)
            if worker.number not in self._busy:
                continue
            if gone:
                self._died(worker, worker.death())
            elif self.budget.overrun():
                self._died(worker, f"still running {GRACE:.0f} s after the time limit")

    def _hear(self, worker: Worker, message: Message) -> None:
        running = self._busy.get(worker.number)
        if running is None or message.trial != running.number:
            return
        match message:
            case Progress():
                self.display.working(worker.number, running.proposal.backbone, message)
            case RecipeCard(lines=lines):
                running.proposal.trial.set_user_attr("card", "\n".join(lines))
                for each in lines:
                    self.display.event(f"trial {running.number}: {each}")
            case Note(text=text):
                self.display.event(f"trial {running.number}: {text}")
            case SnapshotTaken(candidate=candidate):
                self._keep(running, candidate)
            case TrialFinished(seconds=seconds):
                for name in ("trained_steps", "reused_steps", "next_seconds"):
                    key, value = name.replace("_", " "), getattr(message, name)
                    running.proposal.trial.set_user_attr(key, value)
                self._finished(worker, running, seconds)
            case TrialFailed(reason=reason, error=error):
                # What failed may have left memory behind, a GPU's above all: a fresh process.
                worker.end()
                self._failed(worker, running, reason, AGAIN.get(error, "no"))

    def _keep(self, running: _Running, candidate: CandidateRecord) -> None:
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
        value = self.ledger.finish(running.proposal.trial, running.candidates, seconds)
        self._leave(worker)
        self.display.event(
            f"trial {running.number} finished in {duration(seconds)}: jaccard {value:.3f} "
            f"({self.ledger.settled()} of {self.total})"
        )

    def _failed(self, worker: Worker, running: _Running, reason: str, again: Again) -> None:
        queued = self.ledger.fail(running.proposal.trial, reason, again)
        self.folder.remove_partial(running.number)
        self._leave(worker)
        tail = f"; queued again{HOW.get(again, '')}" if queued else ""
        self.display.event(f"trial {running.number} failed: {reason}{tail}")
        cause = self.ledger.left_out.get(running.proposal.backbone)
        if cause and not queued:
            self.display.event(f"{running.proposal.backbone} is left out from here on: {cause}")

    def _died(self, worker: Worker, reason: str) -> None:
        """Costs the trial that ran on it, unless its last snapshot was complete."""
        running = self._busy[worker.number]
        starved = worker.killed
        worker.end()
        if self._gather(running):
            self._finished(worker, running, time.time() - running.started)
        else:
            self._failed(worker, running, reason, "smaller" if starved else "same")

    def _gather(self, running: _Running) -> bool:
        """Takes in candidates whose message was lost; says whether the run was complete."""
        known = {candidate.id for candidate in running.candidates}
        for candidate_id in self.folder.candidate_ids():
            if candidate_id.startswith(f"t{running.number:04d}-") and candidate_id not in known:
                try:
                    self._keep(running, self.folder.read_record(candidate_id))
                except DataError as error:
                    self.display.event(str(error))
        return any(candidate.fraction >= self.complete for candidate in running.candidates)

    def _leave(self, worker: Worker) -> None:
        del self._busy[worker.number]
        self._changed = True
        self.display.idle(worker.number)

    def _interrupt(self) -> None:
        for worker in self.workers:
            running = self._busy.get(worker.number)
            worker.end()
            if running is None:
                continue
            if self._gather(running):
                self._finished(worker, running, time.time() - running.started)
            else:
                self._failed(worker, running, "interrupted", "continue")

    def _tell_status(self) -> None:
        done = self.ledger.settled()
        left, estimated = self.budget.left(), False
        if left is None:
            usual = [self._usual(name) for name in self.ledger.spaces]
            known = [seconds for seconds in usual if seconds is not None]
            if known:
                rounds = math.ceil((self.total - done) / len(self.workers))
                left, estimated = rounds * sum(known) / len(known), True
        highest = min(self.store.candidates(), key=by_score, default=None)
        self.display.status(Status(done, self.total, highest, left, estimated))

    def _why_ended(self) -> str:
        if self.ledger.settled() >= self.total:
            return f"all {self.total} trials are done"
        left = self.budget.left()
        if left is not None:
            return "the time is over" if left <= 0 else "no further trial fits into the time left"
        causes = "; ".join(f"{name}: {why}" for name, why in self.ledger.left_out.items())
        return f"no backbone is left to try ({causes})"
