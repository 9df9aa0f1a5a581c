"""This process as one of those that work on a study: a lease, renewed from a thread."""

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from autoqa.errors import AutoqaError
from autoqa.store.patience import Patience
from autoqa.store.searchers import LEASE_SECONDS, SearcherLog
from autoqa.store.study_tables import Store
from autoqa.training.messages import Progress

BEAT_SECONDS = 5.0
"""Seconds between two renewals: many within :data:`autoqa.store.searchers.LEASE_SECONDS`."""


@dataclass
class Membership:
    """The lease of this process.

    Attributes:
        id: Names it; trials that it runs carry the name.
        leads: Whether it has the lead.
        lost: Set once others have taken this process for dead.
        workers: What each worker does, by number; goes with every renewal.
    """

    store: Store
    id: str
    leads: bool
    lost: threading.Event = field(default_factory=threading.Event)
    workers: dict[int, dict[str, Any]] = field(default_factory=dict)
    _heard: float = field(default_factory=time.monotonic)

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Says what a worker does."""
        shown = {key: value for key, value in asdict(progress).items() if value == value}
        self.workers[worker] = {"worker": worker, "backbone": backbone, **shown}

    def idle(self, worker: int) -> None:
        """Says that a worker does nothing."""
        self.workers.pop(worker, None)

    def take_lead(self) -> bool:
        """Takes the lead if nobody alive has it; whether this process has it now."""
        judge = self.judges_silence
        self.leads = self.leads or self.store.take_lead(self.id, judge_silence=judge)
        return self.leads

    def check(self) -> None:
        """Ends what a process does that others have taken for dead: they do it now.

        Raises:
            AutoqaError: They have.
        """
        if self.lost.is_set():
            raise AutoqaError(
                f"study {self.store.study!r}: this process was not heard of for "
                f"{LEASE_SECONDS:.0f} s, and others have taken over its trials; what finished is "
                "kept. The same command joins in again"
            )

    def look(self) -> None:
        """Looks now whether others have taken this process for dead."""
        if all(each.id != self.id for each in self.store.searchers()):
            self.lost.set()

    @property
    def judges_silence(self) -> bool:
        """Whether the database was there for long enough that others could renew their leases."""
        return time.monotonic() - self._heard > 3 * BEAT_SECONDS

    def _beat(self, log: SearcherLog, over: threading.Event) -> None:
        while not over.wait(BEAT_SECONDS):
            try:
                found = log.beat(self.id, list(self.workers.copy().values()))
            except AutoqaError:  # whoever works says what is wrong with the database
                self._heard = math.inf
                continue
            self._heard = min(self._heard, time.monotonic())
            if not found:
                self.lost.set()
                return


@contextmanager
def taking_part(store: Store, purpose: str, *, leads: bool) -> Iterator[Membership]:
    """Has a lease while the block runs.

    Args:
        store: The study's database.
        purpose: What for, in a word or two.
        leads: Whether to take the lead, which one process has at a time.

    Raises:
        AutoqaError: Another process leads.
    """
    # A connection of its own, which does not wait for a database that is away; first, because
    # whatever fails after the lease is taken would have to give it back.
    with SearcherLog(store.full_url, store.study, Patience(0.0)) as log:
        if leads and store.leader_is_silent():
            # Where the database was away nobody was heard; who lives says so within this time.
            time.sleep(2 * BEAT_SECONDS)
        membership = Membership(store, store.enter(purpose, leads=leads), leads)
        over = threading.Event()
        thread = threading.Thread(target=membership._beat, args=(log, over), daemon=True)
        thread.start()
        try:
            yield membership
        finally:
            over.set()
            thread.join()
            with suppress(AutoqaError):  # then it runs out
                log.leave(membership.id)
