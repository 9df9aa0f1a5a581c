"""Openings of the private part: who, when and why, and the scores that they showed.

They are written down in two places, the database and a file of the run folder, so that neither a
lost database nor a lost file forgets one.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from autoqa.errors import AutoqaError, ConfigError
from autoqa.store.connection import StudyDatabase, append, aware, now
from autoqa.store.patience import Patience
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
    """Every opening of a study's private part, and what it showed of ensembles.

    Args:
        url: As of :class:`autoqa.store.connection.StudyDatabase`.
        study: As there.
        patience: As there.
        read_only: As there.
        openings: The file that openings are written to as well, one JSON object a line; left out,
            only the database knows them.
    """

    def __init__(
        self,
        url: str,
        study: str | None = None,
        patience: Patience | None = None,
        *,
        openings: Path | None = None,
        read_only: bool = False,
    ) -> None:
        super().__init__(url, study, patience, read_only=read_only)
        self._file = openings

    def log_opening(self, reason: str, *, purpose: str = "") -> Opening:
        """Writes down that the private part is opened, and hands out the permission to read it.

        Args:
            reason: Why, in the words of whoever asks.
            purpose: What for: the command or the function.

        Raises:
            ConfigError: No reason was given.
            AutoqaError: It cannot be written down.
        """
        if not reason.strip():
            raise ConfigError("opening the private part needs a reason, and none was given")
        stored, filed, _ = self._logged()
        row = OpeningRow(now(), purpose, reason)
        # What one place has lost, the other gives back.
        self._append([*(each for each in stored if each not in filed), row])
        lost = [*(each for each in filed if each not in stored), row]

        def work(connection: Connection) -> None:
            for each in lost:
                append(connection, _openings, study=self.study, **asdict(each))

        self._transaction(work)
        return Opening(len(self.openings()), reason, key=_KEY)

    def openings(self) -> list[OpeningRow]:
        """Every opening of the private part so far, oldest first."""
        stored, filed, unread = self._logged()
        rows = sorted({*stored, *filed}, key=lambda row: row.opened)
        # A damaged line was one of those that only the database still has, or one more.
        more = max(0, unread - sum(row not in filed for row in stored))
        return rows + [OpeningRow(now(), "", "its line is damaged")] * more

    def _logged(self) -> tuple[list[OpeningRow], list[OpeningRow], int]:
        """Openings in the database, those in the file, and how many lines cannot be read there."""
        filed, unread = _read(self._file)
        return self._stored(), filed, unread

    def _append(self, rows: Sequence[OpeningRow]) -> None:
        """Writes rows to the end of the file, and has the disk take them."""
        if self._file is None:
            return
        lines = [
            json.dumps({**asdict(row), "opened": row.opened.astimezone(UTC).isoformat()}) + "\n"
            for row in rows
        ]
        try:
            with self._file.open("a+b") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read() != b"\n":  # a line that was cut off stays one line
                        lines.insert(0, "\n")
                file.write("".join(lines).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AutoqaError(
                f"{self._file}: the opening of the private part cannot be written down "
                f"({error.strerror}), so it is not opened"
            ) from error

    def _stored(self) -> list[OpeningRow]:
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


def _read(path: Path | None) -> tuple[list[OpeningRow], int]:
    """Openings in a file, and how many of its lines are damaged."""
    rows: list[OpeningRow] = []
    if path is None or not path.exists():
        return rows, 0
    lines = [line for line in path.read_bytes().split(b"\n") if line.strip(b"\0 ")]
    for line in lines:
        try:
            values = json.loads(line)
            opened = datetime.fromisoformat(values.pop("opened"))
            rows.append(OpeningRow(opened=opened, **values))
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return rows, len(lines) - len(rows)
