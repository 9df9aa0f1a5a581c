"""The candidates' table. A row that was read is not read again: a long search has thousands."""

from dataclasses import asdict, fields
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.connection import StudyDatabase
from autoqa.store.tables import candidates as _candidates
from autoqa.types import DEFAULT_METRIC

_MANY = 500
"""Ids that one statement asks for; with more missing, the whole table is read."""


class CandidateRows(StudyDatabase):
    """One study's candidates."""

    def add_candidate(self, record: CandidateRecord) -> None:
        """Adds a candidate; a row of the same id is replaced."""
        row = {**asdict(record), "study": self.study}
        same = (_candidates.c.study == self.study, _candidates.c.id == record.id)

        def work(connection: Connection) -> None:
            connection.execute(delete(_candidates).where(*same))
            connection.execute(insert(_candidates).values(**row))

        self._known.pop(record.id, None)
        self._transaction(work)

    def remove_candidate(self, candidate: str) -> None:
        """Removes a candidate's row, so that it can be made anew."""
        change = delete(_candidates).where(
            _candidates.c.study == self.study, _candidates.c.id == candidate
        )
        self._known.pop(candidate, None)
        self._transaction(lambda connection: connection.execute(change))

    def candidates(self) -> list[CandidateRecord]:
        """All candidates, by id; those that were made anew elsewhere are read again."""
        # How long a candidate took to predict is never the same twice.
        marks = select(_candidates.c.id, _candidates.c.inference_seconds).where(
            _candidates.c.study == self.study
        )
        names = [field.name for field in fields(CandidateRecord)]
        rows = select(*(_candidates.c[name].label(name) for name in names)).where(
            _candidates.c.study == self.study
        )
        known = self._known

        def work(connection: Connection) -> list[CandidateRecord]:
            there = {row.id: row.inference_seconds for row in connection.execute(marks)}
            new = [name for name, mark in there.items() if known.get(name, _UNKNOWN)[0] != mark]
            if new:
                wanted = rows.where(_candidates.c.id.in_(new)) if len(new) <= _MANY else rows
                for row in connection.execute(wanted).mappings():
                    known[row["id"]] = row["inference_seconds"], _record(dict(row))
            return [known[name][1] for name in sorted(there) if name in known]

        return self._transaction(work)

    @cached_property
    def _known(self) -> dict[str, tuple[float | None, CandidateRecord]]:
        """Rows that were read, with the mark that they had."""
        return {}


_UNKNOWN: tuple[float, None] = (float("nan"), None)


def _record(row: dict[str, Any]) -> CandidateRecord:
    for key in ("windows_per_second", "seconds", "inference_seconds"):
        # Databases may store NaN as NULL.
        if row[key] is None:
            row[key] = float("nan")
    for key in ("ingredients", "teachers", "begins_with"):
        row[key] = tuple(row[key] or ())  # rows from before there was such a thing have NULL
    row["metric"] = row["metric"] or DEFAULT_METRIC  # so have those from before there was a choice
    return CandidateRecord(**row)
