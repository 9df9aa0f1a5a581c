"""Locks that one process of all machines holds which share a database."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autoqa.errors import AutoqaError
from autoqa.files import locked
from autoqa.store.patience import Patience, cause

_TURN = 0.5
"""Seconds that PostgreSQL waits for a lock before :attr:`Patience.check` is called again."""

_LOCK_NOT_AVAILABLE = "55P03"

_SERVER_NOTICES = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "lock_timeout": f"{round(1000 * _TURN)}ms",
}
"""Settings of the connection that holds a lock: when its machine vanishes, the server finds out
within half a minute and gives the lock to the next process."""


@contextmanager
def exclusively(
    engine: Engine, name: str, suffix: str, patience: Patience, where: str
) -> Iterator[None]:
    """Holds a lock while the block runs; it ends with the process or its connection, however.

    A server that restarts meanwhile forgets it: what must not be done twice is guarded by the rows
    themselves.

    Not re-entrant: a process that asks again for what it holds waits for itself.

    Args:
        engine: Of the database.
        name: What is locked, in a PostgreSQL database.
        suffix: What the lock file's name has besides that of an SQLite database.
        patience: Its ``check`` is called while another process holds the lock.
        where: The database as messages show it.

    Raises:
        AutoqaError: The database failed, or stayed away.
    """
    if engine.dialect.name == "sqlite":
        with _file_held(engine.url.database, suffix, patience):
            yield
        return
    key = _key(name)
    try:
        connection = patience.insist(lambda: _acquire(engine, key, patience), where)
    except SQLAlchemyError as error:
        raise AutoqaError(f"{where}: the study's database failed: {cause(error)}") from error
    try:
        yield
    finally:
        _release(connection, key)


@contextmanager
def _file_held(database: str | None, suffix: str, patience: Patience) -> Iterator[None]:
    if not database or database == ":memory:":  # nobody else has it
        yield
        return
    with locked(Path(f"{database}{suffix}"), waiting=patience.check, remove=True):
        yield


def _key(name: str) -> int:
    """A number for PostgreSQL, 64 bits with sign, that is the same on every machine."""
    digest = hashlib.sha256(f"autoqa {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _acquire(engine: Engine, key: int, patience: Patience) -> Connection:
    """A connection whose session holds the lock."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        for setting, value in _SERVER_NOTICES.items():
            connection.execute(
                text("SELECT set_config(:setting, :value, false)"),
                {"setting": setting, "value": value},
            )
        while not _takes(connection, key):
            patience.check()
    except BaseException:
        # Its session may hold the lock, or wait for it: the server ends it with the socket.
        connection.invalidate()
        connection.close()
        raise
    return connection


def _takes(connection: Connection, key: int) -> bool:
    try:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
    except DBAPIError as error:
        driver = error.orig
        state = getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None)
        if state == _LOCK_NOT_AVAILABLE:
            return False
        raise
    return True


def _release(connection: Connection, key: int) -> None:
    try:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
        connection.execute(text("RESET lock_timeout"))
    except SQLAlchemyError:
        # The session is lost, and with it the lock.
        connection.invalidate()
    finally:
        connection.close()
