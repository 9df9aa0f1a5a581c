"""A study's SQLite file: set aside when it is damaged, and kept whole without its log."""

import json
import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import JSON
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from autoqa.errors import AutoqaError
from autoqa.files import locked
from autoqa.store.tables import metadata

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_COMPANIONS = ("", "-wal", "-shm")
"""What is appended to a database's name: itself, its write-ahead log, that log's index."""

_JSON = (
    ("trial_params", "distribution_json"),
    ("trial_system_attributes", "value_json"),
    ("trial_user_attributes", "value_json"),
    *(
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, JSON)
    ),
)
"""Where Optuna keeps JSON, and then where autoqa does."""


def set_aside_damaged(url: str | URL) -> str | None:
    """Moves a damaged SQLite file, and its log, to a name with the time.

    Of several processes that begin at once only one does: the others look again, and find the
    database that it has made since, or none.

    Args:
        url: SQLAlchemy URL of any database.

    Returns:
        A sentence that says so; ``None`` where nothing was damaged, or there is no such file.

    Raises:
        AutoqaError: Another process still works with it, see :func:`in_use`.
    """
    path = _path(url)
    if path is None or _damage(path) is None:
        return None
    with locked(path.with_name(f"{path.name}.damaged.lock"), remove=True):
        problem = _damage(path)
        if problem is None:
            return None
        with locked(_users(path), wait=False, remove=True) as alone:
            if alone is None:
                raise AutoqaError(
                    f"the database {path} is damaged ({problem}), and another process still works "
                    "with it: wait until it ends, or stop it, and give the same command again"
                )
            return _set_aside(path, problem)


def in_use(url: str | URL) -> AbstractContextManager[object]:
    """Keeps a database from being set aside while a block runs, for what would be written to it.

    Args:
        url: SQLAlchemy URL of any database.
    """
    path = _path(url)
    return nullcontext() if path is None else locked(_users(path), shared=True)


def _users(path: Path) -> Path:
    return path.with_name(f"{path.name}.users")


def _set_aside(path: Path, problem: str) -> str:
    target = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}")
    for companion in _COMPANIONS:
        part = path.with_name(path.name + companion)
        if part.exists():
            part.rename(target.with_name(target.name + companion))
    return f"the database {path} is damaged ({problem}); it is kept as {target.name}"


def checkpoint(url: str | URL) -> None:
    """Moves what an SQLite database's log holds into the database itself.

    The log is emptied, too (``TRUNCATE``): where a log that was copied already is damaged later,
    what is left of it would put old pages before new ones. Whoever reads meanwhile is waited for
    one second only, because the next trial's end is another occasion.

    Args:
        url: SQLAlchemy URL of any database.

    Raises:
        AutoqaError: The database is damaged, or its disk is.
    """
    path = _path(url)
    if path is None:
        return
    with closing(sqlite3.connect(path, timeout=1.0)) as connection:
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.DatabaseError as error:
            # The low byte is the kind of error.
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise AutoqaError(f"{path}: the study's database failed: {error}") from error


def _path(url: str | URL) -> Path | None:
    """The file of an SQLite database; ``None`` where there is none, or no such URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:  # whoever opens it says so
        return None
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _damage(path: Path) -> str | None:
    if not path.exists():
        return None
    if path.stat().st_size == 0:
        # Without a log there is nothing to keep, and another process may just be making it.
        log = path.with_name(f"{path.name}-wal")
        return "it is empty" if log.exists() and log.stat().st_size else None
    try:
        with closing(sqlite3.connect(path, timeout=60.0)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if said == "ok":
                return _unreadable(connection)
    except sqlite3.DatabaseError as error:
        # The low byte is the kind of error; whatever is no damage, the one who opens it meets.
        return str(error) if error.sqlite_errorcode & 0xFF in _DAMAGED else None
    return str(said).splitlines()[-1]


def _unreadable(connection: sqlite3.Connection) -> str | None:
    """What a row holds that nobody can read: SQLite has no checksums, and checks its trees only.

    Rows are read all at once, so that one of them is enough to end every search.
    """
    connection.text_factory = bytes  # a flipped bit may have left no text either
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {name.decode() for (name,) in found}
    for table, column in _JSON:
        if table in tables:
            for (value,) in connection.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL"
            ):
                try:
                    json.loads(value)
                except (ValueError, TypeError):
                    return f"{table} holds {value[-30:]!r}, which is no JSON"
    return None
