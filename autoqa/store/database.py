"""The study's tables beside Optuna's: study text, candidates, private openings, selections.

Every table carries the study's name, because one server may hold many studies.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.store.records import CandidateRecord
from autoqa.store.tables import candidates as _candidates
from autoqa.store.tables import metadata as _metadata
from autoqa.store.tables import openings as _openings
from autoqa.store.tables import selections as _selections
from autoqa.store.tables import studies as _studies

_KEY = object()


class Opening:
    """Leave to read private predictions: only :meth:`Store.log_opening` hands one out.

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


class Store:
    """One study's rows.

    Args:
        url: SQLAlchemy URL of the database; tables are made where they are missing.
        study: The study's name; left out, the only study in the database.

    Raises:
        ConfigError: The URL cannot be parsed, or the database holds several studies and none
            was named.
        MissingAssetError: The database's driver is not installed.
        AutoqaError: The database cannot be reached.
    """

    def __init__(self, url: str, study: str | None = None) -> None:
        self.url = _parse(url)
        self._engine = _engine(self.url)
        try:
            _metadata.create_all(self._engine)
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise AutoqaError(
                f"{self._shown}: cannot open the study's database: {_cause(error)}"
            ) from error
        self.study = self._only_study() if study is None else study

    @property
    def _shown(self) -> str:
        return self.url.render_as_string(hide_password=True)

    def _only_study(self) -> str:
        with self._begin() as connection:
            names = list(connection.scalars(select(_studies.c.name).order_by(_studies.c.name)))
        if len(names) != 1:
            held = ", ".join(names) or "none"
            raise ConfigError(f"{self._shown} holds {len(names)} studies ({held}): name one")
        return str(names[0])

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise AutoqaError(
                f"{self._shown}: the study's database failed: {_cause(error)}"
            ) from error

    def close(self) -> None:
        """Gives connections back; the store must not be used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save_study(self, text: str, fingerprint: str | None = None) -> None:
        """Writes the study file's text down, in place of an earlier one.

        Args:
            text: The TOML text.
            fingerprint: Identifies what the text means; left out, the text's sha256.
        """
        mark = fingerprint or hashlib.sha256(text.encode()).hexdigest()[:12]
        with self._begin() as connection:
            created = connection.scalar(
                select(_studies.c.created).where(_studies.c.name == self.study)
            )
            connection.execute(delete(_studies).where(_studies.c.name == self.study))
            connection.execute(
                insert(_studies).values(
                    name=self.study, fingerprint=mark, toml=text, created=created or _now()
                )
            )

    def study_text(self) -> str | None:
        """The study file's text as last saved, or ``None`` before the first search."""
        with self._begin() as connection:
            text = connection.scalar(select(_studies.c.toml).where(_studies.c.name == self.study))
        return None if text is None else str(text)

    def study_fingerprint(self) -> str | None:
        """The fingerprint saved with the text."""
        with self._begin() as connection:
            mark = connection.scalar(
                select(_studies.c.fingerprint).where(_studies.c.name == self.study)
            )
        return None if mark is None else str(mark)

    def add_candidate(self, record: CandidateRecord) -> None:
        """Adds a candidate; a row of the same id is replaced."""
        row = {**asdict(record), "study": self.study}
        with self._begin() as connection:
            connection.execute(
                delete(_candidates).where(
                    _candidates.c.study == self.study, _candidates.c.id == record.id
                )
            )
            connection.execute(insert(_candidates).values(**row))

    def candidates(self) -> list[CandidateRecord]:
        """All candidates, by id."""
        names = [field.name for field in fields(CandidateRecord)]
        query = (
            select(*(_candidates.c[name] for name in names))
            .where(_candidates.c.study == self.study)
            .order_by(_candidates.c.id)
        )
        with self._begin() as connection:
            return [_record(dict(row)) for row in connection.execute(query).mappings()]

    def log_opening(self, reason: str, *, purpose: str = "") -> Opening:
        """Writes down that the private part is opened, and hands out the leave to do so.

        Args:
            reason: Why, in the words of whoever asks.
            purpose: What for: the command or the function.

        Raises:
            ConfigError: No reason was given.
        """
        if not reason.strip():
            raise ConfigError("opening the private part needs a reason, and none was given")
        with self._begin() as connection:
            connection.execute(
                insert(_openings).values(
                    study=self.study, opened=_now(), purpose=purpose, reason=reason
                )
            )
            number = connection.scalar(
                select(func.count()).select_from(_openings).where(_openings.c.study == self.study)
            )
        return Opening(int(number or 0), reason, key=_KEY)

    def openings(self) -> list[OpeningRow]:
        """Every opening of the private part so far, oldest first."""
        query = select(_openings).where(_openings.c.study == self.study).order_by(_openings.c.id)
        with self._begin() as connection:
            return [
                OpeningRow(_aware(row.opened), row.purpose, row.reason)
                for row in connection.execute(query)
            ]

    def add_selection(self, selection: dict[str, Any]) -> None:
        """Appends a selection, a value that JSON can hold."""
        with self._begin() as connection:
            connection.execute(
                insert(_selections).values(
                    study=self.study, created=_now(), selection=json.loads(json.dumps(selection))
                )
            )

    def selections(self) -> list[dict[str, Any]]:
        """All selections, oldest first."""
        query = (
            select(_selections.c.selection)
            .where(_selections.c.study == self.study)
            .order_by(_selections.c.id)
        )
        with self._begin() as connection:
            return [dict(value) for value in connection.scalars(query)]


def _now() -> datetime:
    return datetime.now(UTC)


def _aware(moment: datetime) -> datetime:
    # SQLite forgets the zone; what was written is UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cause(error: SQLAlchemyError) -> str:
    """The driver's own first line: the rest is the statement and a link."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _record(row: dict[str, Any]) -> CandidateRecord:
    for key in ("windows_per_second", "seconds", "inference_seconds"):
        # Databases may store NaN as NULL.
        if row[key] is None:
            row[key] = float("nan")
    return CandidateRecord(**row)


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"search.storage: {url!r} is not a database URL; "
            "write for example sqlite:///study.db or postgresql+psycopg://user@host/database"
        ) from error


def _engine(url: URL) -> Engine:
    lite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, connect_args={"timeout": 60} if lite else {})
    except (ImportError, SQLAlchemyError) as error:
        shown = url.render_as_string(hide_password=True)
        raise MissingAssetError(
            f"search.storage: {shown} needs a database driver that is not installed ({error}); "
            "for PostgreSQL: pip install 'autoqa[postgresql]'"
        ) from error
    if lite:
        event.listen(engine, "connect", tune_sqlite)
    return engine


def tune_sqlite(connection: Any, _record: object) -> None:
    """Readers and the writer do not block each other, and a commit waits for no disk flush.

    Args:
        connection: A new DB-API connection of SQLite.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA busy_timeout=60000")
    cursor.close()
