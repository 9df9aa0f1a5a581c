"""One study's rows in a database that may hold many: the connection that all tables share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError
from autoqa.store.migrations import check_version, migrate
from autoqa.store.tables import studies as _studies


class StudyDatabase:
    """Connection to the database that holds one study's rows.

    Args:
        url: SQLAlchemy URL of the database; tables are made where they are missing, and those of
            an earlier version migrated.
        study: The study's name; left out, the only study in the database.

    Raises:
        ConfigError: The URL cannot be parsed, or the database holds several studies and none
            was named.
        MissingAssetError: The database's driver is not installed.
        DataError: A newer autoqa has migrated the database.
        AutoqaError: The database cannot be reached.
    """

    def __init__(self, url: str, study: str | None = None) -> None:
        self.url = _parse(url)
        self._engine = _engine(self.url)
        try:
            check_version(self._engine)
            # The next connections are tuned, which changes SQLite's file: not a refused one.
            self._engine.dispose()
            if self.url.get_backend_name() == "sqlite":
                event.listen(self._engine, "connect", tune_sqlite)
            migrate(self._engine)
        except DataError:
            self.close()
            raise
        except SQLAlchemyError as error:
            self.close()
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
            listing = ", ".join(names) or "none"
            raise ConfigError(f"{self._shown} holds {len(names)} studies ({listing}): name one")
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """A moment as the database gave it, with its zone: SQLite stores none, so it is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _cause(error: SQLAlchemyError) -> str:
    """The driver's own first line: the rest is the statement and a link."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise ConfigError(
            f"search.storage: {url!r} is not a database URL; "
            "write for example sqlite:///study.db or postgresql+psycopg://user@host/database"
        ) from error


def _engine(url: URL) -> Engine:
    waiting = {"timeout": 60} if url.get_backend_name() == "sqlite" else {}
    try:
        return create_engine(url, connect_args=waiting)
    except (ImportError, SQLAlchemyError) as error:
        shown = url.render_as_string(hide_password=True)
        raise MissingAssetError(
            f"search.storage: {shown} needs a database driver that is not installed ({error}); "
            "for PostgreSQL: pip install 'autoqa[postgresql]'"
        ) from error


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
