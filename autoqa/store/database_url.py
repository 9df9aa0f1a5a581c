"""What ``[search].storage`` says: one address for autoqa's tables and for Optuna's."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from autoqa.errors import ConfigError, MissingAssetError

CONNECT_SECONDS = 5
"""After which a host that does not answer counts as away."""

SQLITE_BUSY_SECONDS = 5.0
"""That SQLite itself waits for another process's lock; nothing can interrupt it."""

_POSTGRESQL_DRIVERS = ("psycopg", "psycopg2")
"""Tried in this order where the address names none, whatever SQLAlchemy's default is."""

_HELP = "pip install 'autoqa[postgresql]'"

_POSTGRESQL_ARGUMENTS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""libpq's: a host that vanished is noticed within half a minute instead of two hours."""


def database_url(storage: str) -> URL:
    """The address of a database with the driver that is to be used.

    ``postgres://`` and ``postgresql://`` get a driver that is installed; an address that names
    one keeps it.

    Args:
        storage: ``[search].storage`` of the study file, or what stands in its place.

    Raises:
        ConfigError: It is no address, or neither of PostgreSQL nor of SQLite.
        MissingAssetError: No driver for it is installed.
    """
    try:
        url = make_url(storage)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(
            f"search.storage: {_masked(storage)!r} is not a database URL; "
            "write for example sqlite:///study.db or postgresql://user@host/database"
        ) from error
    backend, _, driver = url.drivername.partition("+")
    if backend == "postgres":
        backend = "postgresql"
    if backend not in ("sqlite", "postgresql"):
        raise ConfigError(
            f"search.storage: {shown(url)} is of the kind {backend!r}; "
            "studies are kept in SQLite (sqlite:///study.db) or PostgreSQL "
            "(postgresql://user@host/database)"
        )
    if backend == "postgresql" and not driver:
        driver = _installed(url)
    return url.set(drivername=f"{backend}+{driver}" if driver else backend)


def shown(url: URL) -> str:
    """An address as messages may show it.

    Without its password, and without its options, which can hold one, too; but with the host where
    that is an option.
    """
    hosts = {key: url.query[key] for key in ("host", "port") if key in url.query}
    return url.set(query=hosts).render_as_string(hide_password=True)


def engine_options(url: URL) -> dict[str, Any]:
    """Arguments of :func:`sqlalchemy.create_engine`, time-outs above all.

    Args:
        url: As :func:`database_url` gave it; what its options say comes first.
    """
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": SQLITE_BUSY_SECONDS}}
    arguments = {}
    if url.get_driver_name() in _POSTGRESQL_DRIVERS:
        arguments = {
            name: value for name, value in _POSTGRESQL_ARGUMENTS.items() if name not in url.query
        }
    return {"connect_args": arguments, "pool_pre_ping": True}


def reading_url(url: URL) -> URL:
    """The address by which a database is looked at and never changed.

    SQLite leaves two files beside a database that it reads in write-ahead mode, unless it takes
    the file for one that nobody writes to; that is so where the writer's own files are missing.

    Args:
        url: As :func:`database_url` gave it.
    """
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return url
    path = Path(str(url.database)).absolute()
    idle = not any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal"))
    options = {"mode": "ro", "uri": "true", **({"immutable": "1"} if idle else {})}
    return url.set(database=f"file:{quote(str(path))}", query=options)


def reading_options(url: URL) -> dict[str, Any]:
    """As :func:`engine_options`, for an address of :func:`reading_url`."""
    options = engine_options(url)
    if url.get_backend_name() == "postgresql":
        options["execution_options"] = {"postgresql_readonly": True}
    return options


def make_engine(url: URL, *, read_only: bool = False) -> Engine:
    """Connections to a database that notice when it is away.

    Args:
        url: As :func:`database_url` gave it.
        read_only: Whether the database itself refuses every change.

    Raises:
        MissingAssetError: The driver that the address names is not installed.
    """
    try:
        if read_only:
            return create_engine(reading_url(url), **reading_options(url))
        return create_engine(url, **engine_options(url))
    except (ImportError, SQLAlchemyError) as error:
        raise MissingAssetError(
            f"search.storage: {shown(url)} needs a database driver that is not installed "
            f"({error}); leave the driver out of the address, or for PostgreSQL: {_HELP}"
        ) from error


def tune(engine: Engine) -> None:
    """Has SQLite's next connections serve readers and a writer at once; others are left alone."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)


def _tune_sqlite(connection: Any, _record: object) -> None:
    """Readers and the writer do not block each other, and a commit waits for no disk flush."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _installed(url: URL) -> str:
    problems = []
    for driver in _POSTGRESQL_DRIVERS:
        try:
            import_module(driver)
        except ImportError as error:  # also where the C library below it is missing
            problems.append(str(error))
        else:
            return driver
    raise MissingAssetError(
        f"search.storage: {shown(url)} needs a driver for PostgreSQL, and none is installed "
        f"({'; '.join(' '.join(problem.split()) for problem in problems)}): {_HELP}"
    )


def _masked(storage: str) -> str:
    """What cannot be read as an address, without what may be a password."""
    storage = re.sub(r"(?s)^([\w+]*:?/*).*@", r"\1***@", storage)
    return re.sub(r"(?i)(pass[a-z]*=)[^&]*", r"\1***", storage)
