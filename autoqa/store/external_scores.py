"""Scores that someone else measured, as on a competition's leaderboard."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from autoqa.store.connection import StudyDatabase, append, aware, now
from autoqa.store.tables import externals as _externals


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalScore:
    """One score from outside.

    Attributes:
        subject: What was scored: a candidate's id, or ids and weights of an ensemble.
        board: Where, such as ``kaggle-public``.
        score: Its score there, 0 to 1.
        public: Its score on the own public part.
        note: Words of whoever wrote it down.
        added: When.
    """

    subject: str
    board: str
    score: float
    public: float
    note: str
    added: datetime


class ExternalScores(StudyDatabase):
    """A study's scores from outside."""

    def add_external(
        self, subject: str, board: str, score: float, public: float, note: str = ""
    ) -> None:
        """Writes a score down; see :class:`ExternalScore`."""
        row = {
            "study": self.study,
            "subject": subject,
            "board": board,
            "score": score,
            "public": public,
            "note": note,
            "added": now(),
        }
        self._transaction(lambda connection: append(connection, _externals, **row))

    def externals(self) -> list[ExternalScore]:
        """All scores from outside, oldest first."""
        query = select(_externals).where(_externals.c.study == self.study).order_by(_externals.c.id)
        return self._transaction(
            lambda connection: [
                ExternalScore(
                    subject=row.subject,
                    board=row.board,
                    score=row.score,
                    public=row.public,
                    note=row.note,
                    added=aware(row.added),
                )
                for row in connection.execute(query)
            ]
        )
