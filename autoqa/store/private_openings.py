"""Openings of the private part: who, when and why, and the scores that they showed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from autoqa.errors import ConfigError
from autoqa.store.connection import StudyDatabase, append, aware, now
from autoqa.store.tables import openings as _openings
from autoqa.store.tables import private_scores as _private_scores

_KEY = object()


class Opening:
    """Permission to read private predictions: only :meth:`OpeningLog.log_opening` hands one out.

    Attributes:
        number: Count of openings of this study so far, this one included.
        reason: Why the private part was opened.
    """

    __slots__ = ("number", "reason")

    def __init__(self, number: int, reason: str, *, key: object) -> None:
        if key is not _KEY:
            raise ConfigError(
                "an Opening of the private part was made by hand: "
                "call Store.log_opening(reason), which writes the opening down"
            )
        self.number = number
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """One logged opening of the private part."""

    opened: datetime
    purpose: str
    reason: str


class OpeningLog(StudyDatabase):
    """Every opening of a study's private part, and what it showed of ensembles."""

    def log_opening(self, reason: str, *, purpose: str = "") -> Opening:
        """Writes down that the private part is opened, and hands out the permission to read it.

        Args:
            reason: Why, in the words of whoever asks.
            purpose: What for: the command or the function.

        Raises:
            ConfigError: No reason was given.
        """
        if not reason.strip():
            raise ConfigError("opening the private part needs a reason, and none was given")
        row = {"study": self.study, "opened": now(), "purpose": purpose, "reason": reason}
        count = select(func.count()).select_from(_openings).where(_openings.c.study == self.study)

        def work(connection: Connection) -> int:
            append(connection, _openings, **row)
            return int(connection.scalar(count) or 0)

        return Opening(self._transaction(work), reason, key=_KEY)

    def openings(self) -> list[OpeningRow]:
        """Every opening of the private part so far, oldest first."""
        query = select(_openings).where(_openings.c.study == self.study).order_by(_openings.c.id)
        return self._transaction(
            lambda connection: [
                OpeningRow(aware(row.opened), row.purpose, row.reason)
                for row in connection.execute(query)
            ]
        )

    def keep_private_score(self, ensemble: str, opening: Opening, score: dict[str, Any]) -> None:
        """Keeps what an opening showed of an ensemble, so that nobody need open again for it.

        Args:
            ensemble: Digest of members, weights and predictions.
            opening: The opening.
            score: A value that JSON can hold.
        """
        conditions = (_private_scores.c.study == self.study, _private_scores.c.ensemble == ensemble)
        row = insert(_private_scores).values(
            study=self.study, ensemble=ensemble, opening=opening.number, score=score
        )

        def work(connection: Connection) -> None:
            connection.execute(delete(_private_scores).where(*conditions))
            connection.execute(row)

        self._transaction(work)

    def private_score(self, ensemble: str) -> tuple[int, dict[str, Any]] | None:
        """Number of the opening that showed an ensemble's score, and the score; or ``None``."""
        query = select(_private_scores.c.opening, _private_scores.c.score).where(
            _private_scores.c.study == self.study, _private_scores.c.ensemble == ensemble
        )
        row = self._transaction(lambda connection: connection.execute(query).first())
        return None if row is None else (int(row.opening), dict(row.score))
