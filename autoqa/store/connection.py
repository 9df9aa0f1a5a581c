"""One study's rows in a database that may hold many: the connection that all tables share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from sqlalchemy import JSON, Connection, Table, exists, insert, select
from sqlalchemy.exc import SQLAlchemyError

from autoqa.errors import AutoqaError, ConfigError
from autoqa.store.database_url import database_url, make_engine, shown, tune
from autoqa.store.exclusive import exclusively
from autoqa.store.migrations import check_readable, check_version, is_outdated, migrate
from autoqa.store.patience import Patience, cause
from autoqa.store.tables import studies as _studies

T = TypeVar("T")


class StudyDatabase:
    """Connection to the database that holds one study's rows.

    Args:
        url: SQLAlchemy URL of the database; tables are made where they are missing, and those of
            an earlier version migrated.
        study: The study's name; left out, the only study in the database.
        patience: How long work waits for an absent database, and who is told; left out, a few
            seconds and nobody.
        read_only: Whether to look only: nothing is made, migrated, or ever changed.

    Raises:
        ConfigError: The URL cannot be parsed, or the database holds several studies and none
            was named.
        MissingAssetError: The database's driver is not installed.
        DataError: A newer autoqa has migrated the database; or it is to be read only, and is not
            of this version.
        AutoqaError: The database cannot be reached.
    """

    def __init__(
        self,
        url: str,
        study: str | None = None,
        patience: Patience | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        self.url = database_url(url)
        self.patience = patience or Patience()
        self._engine = make_engine(self.url, read_only=read_only)
        try:
            self.patience.insist(self._look if read_only else self._open, self._shown)
        except BaseException as error:
            self.close()
            if not isinstance(error, SQLAlchemyError):
                raise
            raise AutoqaError(
                f"{self._shown}: cannot open the study's database: {cause(error)}"
            ) from error
        self.study = self._only_study() if study is None else study

    def _look(self) -> None:
        check_readable(self._engine, self._shown)

    def _open(self) -> None:
        check_version(self._engine)
        # The next connections are tuned, which changes SQLite's file: not a refused one.
        self._engine.dispose()
        tune(self._engine)
        migrate(self._engine)

    @property
    def full_url(self) -> str:
        """The URL with its password, for Optuna's own connection."""
        return self.url.render_as_string(hide_password=False)

    @property
    def _shown(self) -> str:
        return shown(self.url)

    def exclusively(self) -> AbstractContextManager[None]:
        """Holds the study while a block runs: one process at a time, of all machines.

        The lock ends with the process, or with its connection. It is not re-entrant. While
        another process holds it, ``patience.check`` is called several times a second.

        Raises:
            AutoqaError: The database failed, or stayed away.
        """
        return exclusively(self._engine, f"study {self.study}", ".lock", self.patience, self._shown)

    def _only_study(self) -> str:
        query = select(_studies.c.name).order_by(_studies.c.name)
        names = self._transaction(lambda connection: connection.scalars(query).all())
        if len(names) != 1:
            listing = ", ".join(names) or "none"
            raise ConfigError(f"{self._shown} holds {len(names)} studies ({listing}): name one")
        return str(names[0])

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        """Runs a piece of work in one transaction, again as a whole where the database was away.

        Args:
            work: Reads what it returns to the end, and adds nothing twice when it is repeated
                after a commit whose answer was lost; see :func:`append`.

        Raises:
            AutoqaError: The database failed, or stayed away.
        """

        def attempt() -> T:
            with self._engine.begin() as connection:
                return work(connection)

        try:
            return self.patience.insist(attempt, self._shown)
        except SQLAlchemyError as error:
            raise AutoqaError(
                f"{self._shown}: the study's database failed: {cause(error)}"
            ) from error

    def close(self) -> None:
        """Gives connections back; the store must not be used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def bring_up_to_date(url: str) -> None:
    """Migrates a database of an earlier version, and leaves any other as it is.

    Args:
        url: SQLAlchemy URL of the database; where nothing can be read, whoever looks at it next
            says why.

    Raises:
        AutoqaError: The database is of an earlier version and cannot be changed.
    """
    try:
        engine = make_engine(database_url(url), read_only=True)
    except AutoqaError:
        return
    try:
        outdated = is_outdated(engine)
    except SQLAlchemyError:
        return
    finally:
        engine.dispose()
    if outdated:
        StudyDatabase(url, "", Patience(0.0)).close()


def append(connection: Connection, table: Table, **row: Any) -> None:
    """Adds a row to a log unless it is there: its moment, to the microsecond, tells rows apart.

    Args:
        connection: In a transaction, which may be repeated.
        table: Rows of it have no key of their own.
        row: Values, made before the transaction.
    """
    comparable = [name for name in row if not isinstance(table.c[name].type, JSON)]
    same = exists().where(*(table.c[name] == row[name] for name in comparable))
    if not connection.scalar(select(same)):
        connection.execute(insert(table).values(**row))


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def aware(moment: datetime) -> datetime:
    """A moment as the database gave it, with its zone: SQLite stores none, so it is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
