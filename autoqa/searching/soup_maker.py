"""Hands soups to workers one after the other, and records what comes back."""

import json
import math
import time
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field

from autoqa.files import write_atomically
from autoqa.searching.soup_plan import (
    Ingredients,
    Soup,
    greedy_soup,
)
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.budget import SOUPS_SHARE, Budget
from autoqa.supervision.display import Display, score
from autoqa.supervision.hearing import Hearing
from autoqa.supervision.interrupts import Interrupts, SearchInterruptedError
from autoqa.training.jobs import SoupJob
from autoqa.training.messages import (
    Message,
    Progress,
    SnapshotTaken,
    SoupTried,
    TrialFailed,
    TrialFinished,
)
from autoqa.workers.base import Worker, WorkerPool

_INTERRUPTED = (
    "averaging was interrupted; soups that were complete are kept. The same command goes on"
)


@dataclass
class _Greedy:
    """A greedy search: which average is to be scored next."""

    family: Ingredients
    steps: Generator[Ingredients, float, Ingredients]
    tried: Ingredients


@dataclass
class _Running:
    """A soup on a worker; ``greedy`` is whose trial it is where it is not kept.

    ``early`` ones are made while others train.
    """

    soup: Soup
    greedy: _Greedy | None = None
    started: float = field(default_factory=time.monotonic)
    early: bool = False


@dataclass
class SoupMaker:
    """Makes soups of one study.

    Attributes:
        pool: The workers, none of them running yet.
        folder: The run folder; nobody else makes soups there.
        store: Takes the candidates, and counts what greedy searches read of the public part.
        display: What people see.
        budget: Time.
        retain: Keeps weights within their quota, those of the given candidates whatever they take;
            returns a sentence for each that it dropped.
        busy: Workers that average, by number.
    """

    pool: WorkerPool
    folder: RunFolder
    store: Store
    display: Display
    budget: Budget
    retain: Callable[[Collection[str]], list[str]]
    busy: dict[int, _Running] = field(default_factory=dict)
    _waiting: list[Soup] = field(default_factory=list)
    _greedy: list[_Greedy] = field(default_factory=list)
    _made: list[CandidateRecord] = field(default_factory=list)
    _scores: dict[str, float] = field(default_factory=dict)
    _tried: dict[str, float] = field(default_factory=dict)
    _longest: float | None = None
    _early: float = 0.0

    def run(
        self, soups: Sequence[Soup], greedy_families: Sequence[Ingredients] = ()
    ) -> list[CandidateRecord]:
        """Makes what there is not yet; what fails costs itself only, and is told.

        Args:
            soups: Fixed sets of ingredients.
            greedy_families: Candidates to search for a greedy soup, after the fixed ones.

        Returns:
            The new candidates, in the order in which they were complete.

        Raises:
            SearchInterruptedError: A signal asked for the end.
        """
        self._read_scores()
        self._waiting = [soup for soup in soups if soup.id not in self._scores]
        for family in greedy_families:
            steps = greedy_soup(family)
            self._advance(_Greedy(family, steps, next(steps)))
        hearing = Hearing(self.pool)
        with (
            Interrupts(kill=self.pool.kill) as interrupts,
            self.store.patience.checked_by(lambda: interrupts.check(_INTERRUPTED)),
        ):
            try:
                while not interrupts.stopping:
                    self._assign()
                    if not self.busy:
                        break
                    hearing.hear(
                        self.busy,
                        interrupts.wake,
                        self.budget,
                        receive=self.receive,
                        lost=self.lost,
                    )
            finally:
                self.pool.end()
                self.folder.remove_partial("soup-")
        if interrupts.stopping:
            raise SearchInterruptedError(_INTERRUPTED)
        left = len(self._waiting) + len(self._greedy)
        if left:
            self.display.event(
                f"no time is left for {left} more soup{'s' if left > 1 else ''}: "
                f"`autoqa soup {self.store.study}` makes them"
            )
        self._waiting, self._greedy = [], []
        self._keep_within_quota()
        return self._made

    def _read_scores(self) -> None:
        """Scores of soups that are candidates, and of those that greedy searches only tried."""
        self._scores = {each.id: each.score for each in self.store.candidates()}
        try:
            self._tried = json.loads(self.folder.tried_soups.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # a note that saves time: without it they are tried again
            self._tried = {}

    def _advance(self, search: _Greedy) -> None:
        """Goes on with a greedy search as far as known scores lead."""
        try:
            while True:
                name = Soup(search.tried, "").id
                known = {**self._tried, **self._scores}
                if name not in known:
                    self._greedy.append(search)
                    return
                search.tried = search.steps.send(known[name])
        except StopIteration as finished:
            soup = Soup(finished.value, "the greedy choice")
            names = ", ".join(each.id for each in soup.ingredients)
            self.display.event(f"greedy soup of {soup.ingredients[-1].backbone}: {names}")
            if len(soup.ingredients) > 1 and soup.id not in self._scores:
                self._waiting.append(soup)

    def _assign(self) -> None:
        for worker in self.pool.workers:
            if worker.number in self.busy or not self.budget.fits(self._longest):
                continue
            running = self._next()
            if running is None:
                return
            self._start(worker, running)

    def _start(self, worker: Worker, running: _Running) -> None:
        self.busy[worker.number] = running
        kept = running.greedy is None
        worker.assign(SoupJob(running.soup.ingredients, self.folder.path, kept))

    def offer(self, soups: Sequence[Soup]) -> None:
        """Puts soups on the list of those that :meth:`start_early` makes."""
        self._read_scores()
        taken = {running.soup.id for running in self.busy.values()} | set(self._scores)
        self._waiting = [soup for soup in soups if soup.id not in taken]

    def start_early(self, worker: Worker) -> bool:
        """Has a worker make a soup while others train, if one is on the list and there is time.

        All of them together may take as much of the workers' time as is kept for soups at the end.
        """
        share = SOUPS_SHARE * (time.time() - self.budget.start) * len(self.pool.workers)
        if not self._waiting or self._early > share or not self.budget.fits(self._longest):
            return False
        self._start(worker, _Running(self._waiting.pop(0), early=True))
        return True

    def _next(self) -> _Running | None:
        # What is still being made may be what a greedy search would try next.
        fixed_over = not self._waiting and all(each.greedy for each in self.busy.values())
        if fixed_over:
            searches, self._greedy = self._greedy, []
            for search in searches:
                self._advance(search)
        if self._waiting:
            return _Running(self._waiting.pop(0))
        if fixed_over and self._greedy:
            search = self._greedy.pop(0)
            return _Running(Soup(search.tried, "a greedy trial"), search)
        return None

    def receive(self, worker: Worker, message: Message) -> None:
        """Takes in what a worker says of the soup that it makes."""
        running = self.busy.get(worker.number)
        if running is None:
            return
        match message:
            case Progress():
                backbone = running.soup.ingredients[-1].backbone
                self.display.working(worker.number, backbone, message)
            case SnapshotTaken(candidate=candidate):
                self._record(candidate, running.soup)
            case SoupTried(id=name, score=reached) if math.isfinite(reached):
                self._tried[name] = reached
                self.store.log_read("soups", " ".join(each.id for each in running.soup.ingredients))
                write_atomically(self.folder.tried_soups, json.dumps(self._tried, indent=1) + "\n")
            case TrialFinished():
                self._longest = max(self._longest or 0.0, time.monotonic() - running.started)
                self._over(worker)
            case TrialFailed(reason=reason):
                self.lost(worker, reason)

    def _record(self, candidate: CandidateRecord, soup: Soup) -> None:
        if not math.isfinite(candidate.score):
            self.display.event(f"{candidate.id} is left out: its score is not a number")
            return
        self.store.add_candidate(candidate)
        self._scores[candidate.id] = candidate.score
        self._made.append(candidate)
        self.display.event(
            f"soup {candidate.id} {score(candidate)}: mean of the weights of {soup.what} "
            f"({', '.join(candidate.ingredients)})"
        )
        self._keep_within_quota()

    def lost(self, worker: Worker, reason: str) -> None:
        """Costs the soup that a worker made, and nothing else."""
        # What failed may have left memory behind, a GPU's above all: a fresh process.
        worker.end()
        running = self.busy[worker.number]
        self.display.event(f"{running.soup.id}, {running.soup.what}, is not made: {reason}")
        self._over(worker)

    def _over(self, worker: Worker) -> None:
        running = self.busy.pop(worker.number)
        if running.early:
            self._early += time.monotonic() - running.started
        self.display.idle(worker.number)
        if running.greedy is not None:
            if running.soup.id not in self._tried:
                self._scores[running.soup.id] = -math.inf  # for this time: it raised no score
            self._advance(running.greedy)

    def _keep_within_quota(self) -> None:
        pending = [soup.ingredients for soup in self._waiting]
        pending += [running.soup.ingredients for running in self.busy.values()]
        pending += [search.family for search in self._greedy]
        pending += [each.greedy.family for each in self.busy.values() if each.greedy]
        needed = {record.id for ingredients in pending for record in ingredients}
        for sentence in self.retain(needed):
            self.display.event(sentence)
