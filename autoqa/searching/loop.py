"""The parent's loop: hands trials to workers, and soups where there is time for them."""

import math
import time
from collections import ChainMap
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from optuna.exceptions import UpdateFinishedTrialError

from autoqa import recipes
from autoqa.errors import DataError
from autoqa.recipes import TrainingRun
from autoqa.searching.pace import SearchPace
from autoqa.searching.peers import LOOK_SECONDS, Peers
from autoqa.searching.recording import Recorder
from autoqa.searching.rounds import Rounds
from autoqa.searching.running_trial import RunningTrial
from autoqa.searching.soup_maker import SoupMaker
from autoqa.searching.soups import early_soups
from autoqa.searching.standing import SearchStanding
from autoqa.supervision.budget import Budget
from autoqa.supervision.display import Display
from autoqa.supervision.hearing import Hearing
from autoqa.supervision.interrupts import Interrupts, SearchInterruptedError
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, Progress
from autoqa.trials.lost_rows import row_of
from autoqa.trials.proposal import Proposal
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials
from autoqa.workers.base import Worker, WorkerPool

SOUPS_EVERY = 4
"""Trials that end between two rounds of soups: as many as make an average worth having."""

SHOW_SECONDS = 5.0
"""Seconds after which the time that is left is told anew."""


@dataclass
class Loop:
    """One search over a prepared study.

    Attributes:
        recorder: Writes down what comes back from workers.
        pool: The workers.
        pace: What runs take, and whether another one fits.
        peers: Who else searches the study.
        rounds: Says what runs begin with.
        soups: Makes some averages in between; ``None`` makes none.
    """

    recorder: Recorder
    pool: WorkerPool
    pace: SearchPace
    peers: Peers
    rounds: Rounds
    soups: SoupMaker | None = None
    _busy: dict[int, RunningTrial] = field(default_factory=dict)
    _look: float = 0.0
    _souped: int = 0
    _waiting: str | None = None
    _shown: float = 0.0
    _standing: SearchStanding = field(init=False)

    def __post_init__(self) -> None:
        """Begins with nothing to show."""
        count = len(self.pool.workers)
        self._standing = SearchStanding(self.recorder, self.budget, count, self.pace.seconds)

    @property
    def budget(self) -> Budget:
        """Time."""
        return self.pace.budget

    @property
    def trials(self) -> Trials:
        """The study's trials."""
        return self.recorder.trials

    @property
    def display(self) -> Display:
        """What people see."""
        return self.recorder.display

    def run(self) -> str:
        """Searches until trials, time or space are used up.

        Returns:
            Why it ended.

        Raises:
            SearchInterruptedError: A signal asked for the end.
            MachineFaultError: The machine is not well, and has not become so.
        """
        souping = {} if self.soups is None else self.soups.busy
        elsewhere: list[int] = []
        hearing = Hearing(self.pool)
        patience = self.recorder.store.patience
        with (
            Interrupts(kill=self._kill) as interrupts,
            patience.checked_by(
                lambda: interrupts.check(
                    "the search was interrupted while its database or files were away; what "
                    f"finished is kept in {self.recorder.folder.path}. The same command writes it "
                    "down and goes on"
                )
            ),
        ):
            try:
                while not interrupts.stopping:
                    self.peers.membership.check()
                    idle = not self._busy and not souping
                    paused = not self.recorder.faults.over(idle=idle)
                    if time.monotonic() >= self._look and not paused:
                        self._assign(interrupts)
                        self._standing.look()
                        self._show_standing()
                        elsewhere = self.peers.elsewhere()
                        self._look = time.monotonic() + LOOK_SECONDS if elsewhere else math.inf
                        idle = not self._busy and not souping
                    elif self._is_stale:
                        self._show_standing()
                    waits = paused or elsewhere
                    if idle and (not waits or not self.budget.fits(None)):
                        return self.pace.why_ended()
                    hearing.hear(
                        ChainMap[int, object](self._busy, souping),  # type: ignore[arg-type]
                        interrupts.wake,
                        self.budget,
                        receive=self._receive,
                        lost=self._died,
                        hung=self._hung,
                    )
                self._interrupt()
            except UpdateFinishedTrialError as error:  # others have ended a trial that ran here
                self.peers.refuse_trial_of_others(error)
            finally:
                self.pool.end()
        raise SearchInterruptedError(
            "the search was interrupted; what finished is kept in "
            f"{self.recorder.folder.path}. The same command goes on where it stopped"
        )

    @property
    def _is_stale(self) -> bool:
        """Whether what people see is old, or the search waits for something else by now."""
        old = time.monotonic() >= self._shown + SHOW_SECONDS
        return old or self.recorder.faults.waiting != self._waiting

    def _show_standing(self) -> None:
        self._waiting, self._shown = self.recorder.faults.waiting, time.monotonic()
        self._standing.show(self._busy.values(), self.pace.device_time)

    def _kill(self) -> None:
        self.pool.kill()
        self.display.__exit__(None, None, None)

    def _may_start(self, backbone: str) -> bool:
        return self.pace.fits(self.pace.seconds(backbone)) and not self.rounds.waits(
            backbone, self.pace.done(backbone)
        )

    def _go_on(self, backbone: str, run: TrainingRun, before: Sequence[str] | None) -> TrainingRun:
        return self.rounds.go_on(backbone, run, before, self.pace.done(backbone))

    def _assign(self, interrupts: Interrupts) -> None:
        for worker in self.pool.workers:
            if self._is_busy(worker) or interrupts.stopping or self._makes_soup(worker):
                continue
            with self.peers.turn([running.number for running in self._busy.values()]):
                proposal = self.trials.propose(self.recorder.total, self._may_start, self._go_on)
            if proposal is not None:
                self._start(worker, proposal)
            elif not self._makes_soup(worker, idle=bool(self._busy)):
                self.display.idle(worker.number)

    def _is_busy(self, worker: Worker) -> bool:
        return worker.number in self._busy or (
            self.soups is not None and worker.number in self.soups.busy
        )

    def _makes_soup(self, worker: Worker, idle: bool = False) -> bool:
        """Lets a worker average, after every few trials or where it has nothing else to do."""
        if self.soups is None:
            return False
        rounds = self.trials.settled() // SOUPS_EVERY
        if idle or rounds > self._souped:
            self._souped = rounds
            running = {trial.number for trial in self._busy.values()}
            self.soups.offer(early_soups(self.soups, running))
        return self.soups.start_early(worker)

    def _start(self, worker: Worker, proposal: Proposal) -> None:
        running = RunningTrial(proposal)
        job = TrialJob(
            trial=running.number,
            backbone=proposal.backbone,
            run=proposal.run,
            run_folder=self.recorder.folder.path,
            micro_scale=proposal.micro_scale,
            windows_per_second=self.pace.windows_per_second(proposal.backbone),
            evaluation=self.pace.evaluation(proposal.backbone),
            deadline=self.pace.device_time.deadline(self.budget.deadline),
            row=row_of(proposal.trial),
        )
        self._busy[worker.number] = running
        TrialAttributes(worker=worker.number, devices=self.pace.width).write(proposal.trial)
        run = proposal.run
        self._bring(run)
        worker.assign(job)
        self.recorder.trackers.began(running.number, proposal.backbone, run, proposal.trial.params)
        begun = f"; {recipes.begins(run.begins_with)}" if run.begins_with else ""
        self.display.event(
            f"trial {running.number} starts on worker {worker.number}: {proposal.backbone} "
            f"{recipes.line(run.recipe, run.learning_rate)}{begun}"
        )
        if worker.log is not None:
            self.display.detail(f"trial {running.number}: worker {worker.number} logs {worker.log}")
        self.display.working(worker.number, proposal.backbone, Progress(running.number, "starting"))

    def _bring(self, run: TrainingRun) -> None:
        """Has the weights that a run begins with on this machine."""
        files = self.recorder.store.files
        if files is not None:
            with suppress(DataError):  # the worker misses them, and says so for its trial alone
                files.bring_weights(run.begins_with)

    def _receive(self, worker: Worker, message: Message) -> None:
        running = self._busy.get(worker.number)
        if running is not None:
            if message.trial == running.number and self.recorder.receive(worker, running, message):
                self._set_idle(worker)
        elif self.soups is not None:
            self.soups.receive(worker, message)
            if not self._is_busy(worker):
                self._look = 0.0

    def _died(self, worker: Worker, reason: str) -> None:
        if worker.number in self._busy:
            self.recorder.died(worker, self._busy[worker.number], reason)
            self._set_idle(worker)
        elif self.soups is not None:
            self.soups.lost(worker, reason)
            self._look = 0.0

    def _hung(self, worker: Worker, reason: str) -> None:
        if worker.number in self._busy:
            self.recorder.hung(worker, self._busy[worker.number], reason)
            self._set_idle(worker)
        else:
            self._died(worker, reason)

    def _set_idle(self, worker: Worker) -> None:
        del self._busy[worker.number]
        self._look = 0.0
        self.display.idle(worker.number)

    def _interrupt(self) -> None:
        self.pool.end()
        for worker in self.pool.workers:
            running = self._busy.pop(worker.number, None)
            if running is not None:
                self.recorder.interrupted(worker, running)
