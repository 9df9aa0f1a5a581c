"""Reads of the public part: what was learned from it that could steer a decision.

A read is a number that the public part gave about something that was not measured on it before:

- each candidate that is scored on it (a row of the candidates' table);
- each ensemble that a selection compared with others (kept in the selections' table), once however
  often the selection is made;
- each comparison of two candidates, once however often it is made;
- whatever else is compared on it, such as answers with and without a rule.

The last two are written down by :meth:`ReadLog.log_read`.

Looking at a number again that is written down already is no read.
"""

import json
from typing import Any

from sqlalchemy import Connection, distinct, func, select

from autoqa.store.connection import StudyDatabase, append, now
from autoqa.store.tables import candidates as _candidates
from autoqa.store.tables import reads as _reads
from autoqa.store.tables import selections as _selections

COMPARISONS = "comparisons"
"""Kind of the reads that compare two candidates. Their subject says all that decides the number."""


class ReadLog(StudyDatabase):
    """Counts the reads of a study's public part."""

    def log_read(self, kind: str, subject: str, count: int = 1) -> None:
        """Writes down that the public part was read.

        Args:
            kind: What was done, in the plural: :data:`COMPARISONS`, ``rules``.
            subject: To what; comparisons of one subject count once.
            count: How many numbers were learned.
        """
        row = {"moment": now(), "kind": kind, "subject": subject, "count": count}
        self._transaction(lambda connection: append(connection, _reads, study=self.study, **row))

    def public_reads(self) -> dict[str, int]:
        """How often the public part was read, by kind; kinds without a read are left out."""
        logged = (
            select(_reads.c.kind, func.sum(_reads.c.count))
            .where(_reads.c.study == self.study, _reads.c.kind != COMPARISONS)
            .group_by(_reads.c.kind)
            .order_by(_reads.c.kind)
        )
        compared = select(func.count(distinct(_reads.c.subject))).where(
            _reads.c.study == self.study, _reads.c.kind == COMPARISONS
        )
        scored = select(func.count()).select_from(_candidates)
        chosen = select(_selections.c.selection).where(_selections.c.study == self.study)

        def work(connection: Connection) -> dict[str, int]:
            candidates = connection.scalar(scored.where(_candidates.c.study == self.study)) or 0
            ensembles = {
                ensemble
                for selection in connection.scalars(chosen)
                for ensemble in map(_measured, selection.get("alternatives") or [selection])
            }
            others = {str(kind): int(count) for kind, count in connection.execute(logged)}
            return {
                "candidates": int(candidates),
                "ensembles": len(ensembles),
                COMPARISONS: connection.scalar(compared) or 0,
                **others,
            }

        return {kind: count for kind, count in self._transaction(work).items() if count}


def _measured(ensemble: dict[str, Any]) -> str:
    """Who votes and what the public part gave for it: the same again is no further read."""
    names = ("kind", "members", "best", "public")
    return json.dumps([ensemble.get(name) for name in names], sort_keys=True)
