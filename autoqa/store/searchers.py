"""Who works on a study now: processes that say so every few seconds, one of which may lead.

The row of a process is its lease: where it has not been renewed for :data:`LEASE_SECONDS`, or its
process is known to be gone, everybody may take what it was doing. All ages are told by the
database's clock, because machines' own differ.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, DateTime, delete, func, insert, select, update

from autoqa.errors import AutoqaError
from autoqa.store.connection import StudyDatabase, aware
from autoqa.store.process_identity import ProcessIdentity
from autoqa.store.tables import searchers as _searchers

_ENTERED: set[str] = set()
"""Ids that this very process has entered and not left."""

LEASE_SECONDS = 60.0
"""Silence after which a process counts as dead: long beside what a stalled disk or network takes,
short beside a trial."""


@dataclass(frozen=True, slots=True)
class Searcher:
    """A process that works on a study, or did until it died.

    Attributes:
        id: Its own, never used again.
        leads: Whether it freezes the study, and does what is done once: timing, soups.
        purpose: What it does, such as ``search`` or ``retraining``.
        process: Which one it is.
        begun: Since when, UTC.
        silent: Seconds since it was last heard of.
        workers: What each of its workers does, one object each.
    """

    id: str
    leads: bool
    purpose: str
    process: ProcessIdentity
    begun: datetime
    silent: float
    workers: Sequence[Mapping[str, Any]]

    def is_alive(self, *, judge_silence: bool = True) -> bool:
        """Whether its lease holds.

        Args:
            judge_silence: Whether long silence is enough to take it for dead; else only what is
                known of its process counts, for where nobody was heard the database was away.
        """
        over = judge_silence and self.silent >= LEASE_SECONDS
        forgotten = self.process == ProcessIdentity.own() and self.id not in _ENTERED
        return not over and not forgotten and not self.process.is_gone()


class SearcherLog(StudyDatabase):
    """The processes that work on a study."""

    def enter(self, purpose: str, *, leads: bool) -> str:
        """Writes this process down as one that works on the study.

        Args:
            purpose: What it does.
            leads: Whether it wants the lead, which one process has at a time.

        Returns:
            Its id.

        Raises:
            AutoqaError: Another one leads; says which.
        """
        name, own = secrets.token_hex(8), ProcessIdentity.own()
        row = {
            "id": name,
            "study": self.study,
            "leads": leads,
            "purpose": purpose,
            "machine": own.machine,
            "pid": own.pid,
            "started": own.started,
            "begun": func.current_timestamp(),
            "beat": func.current_timestamp(),
            "workers": [],
        }
        with self.exclusively():
            if leads:
                self._check_lead()
            self._transaction(lambda connection: _put(connection, row))
        _ENTERED.add(name)
        return name

    def take_lead(self, searcher: str, *, judge_silence: bool = True) -> bool:
        """Gives the lead to a process that works on the study, if nobody alive has it.

        Args:
            searcher: Its id.
            judge_silence: As in :meth:`Searcher.is_alive`.
        """
        change = update(_searchers).where(_searchers.c.id == searcher).values(leads=True)
        with self.exclusively():
            everybody = self.searchers()
            if any(each.leads and each.is_alive(judge_silence=judge_silence) for each in everybody):
                return False
            return self._transaction(lambda connection: connection.execute(change).rowcount > 0)

    def leader_is_silent(self) -> bool:
        """Whether whoever leads would count as dead for being silent alone."""
        leaders = [each for each in self.searchers() if each.leads]
        return any(not each.is_alive() and each.is_alive(judge_silence=False) for each in leaders)

    def _check_lead(self) -> None:
        leader = next((each for each in self.searchers() if each.leads and each.is_alive()), None)
        if leader is not None:
            raise AutoqaError(
                f"study {self.study!r} is being worked on: {leader.purpose} by {leader.process}, "
                f"since {leader.begun:%Y-%m-%d %H:%M} UTC. Wait for it, stop it, or, where it is a "
                f"search, join it with `autoqa worker {self.study}`"
            )

    def beat(self, searcher: str, workers: Sequence[Mapping[str, Any]]) -> bool:
        """Renews a lease.

        Args:
            searcher: Whose.
            workers: What each of its workers does.

        Returns:
            Whether there was one: others remove what they take for dead.
        """
        change = (
            update(_searchers)
            .where(_searchers.c.id == searcher)
            .values(beat=func.current_timestamp(), workers=list(workers))
        )
        return self._transaction(lambda connection: connection.execute(change).rowcount > 0)

    def leave(self, searcher: str) -> None:
        """Gives a lease back."""
        _ENTERED.discard(searcher)
        self._remove([searcher])

    def remove_dead_searchers(self, *, judge_silence: bool = True) -> list[Searcher]:
        """Removes leases that do not hold any more, and tells whose they were.

        Args:
            judge_silence: As in :meth:`Searcher.is_alive`.
        """
        dead = [each for each in self.searchers() if not each.is_alive(judge_silence=judge_silence)]
        if dead:
            self._remove([each.id for each in dead])
        return dead

    def _remove(self, names: Sequence[str]) -> None:
        change = delete(_searchers).where(_searchers.c.id.in_(names))
        self._transaction(lambda connection: connection.execute(change))

    def searchers(self) -> list[Searcher]:
        """Every process with a lease, the oldest first, whether or not it holds any more."""
        return self._transaction(lambda connection: _read(connection, self.study))


def _put(connection: Connection, row: dict[str, Any]) -> None:
    connection.execute(delete(_searchers).where(_searchers.c.id == row["id"]))
    connection.execute(insert(_searchers).values(**row))


def _read(connection: Connection, study: str) -> list[Searcher]:
    now = func.current_timestamp(type_=DateTime(timezone=True)).label("now")
    query = (
        select(_searchers, now)
        .where(_searchers.c.study == study)
        .order_by(_searchers.c.begun, _searchers.c.id)
    )
    return [
        Searcher(
            id=row.id,
            leads=row.leads,
            purpose=row.purpose,
            process=ProcessIdentity(row.machine, row.pid, row.started),
            begun=aware(row.begun),
            silent=(aware(row.now) - aware(row.beat)).total_seconds(),
            workers=row.workers,
        )
        for row in connection.execute(query)
    ]
