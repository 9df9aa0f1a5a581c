"""Brings a database to the tables that this autoqa knows; Optuna's tables are left alone.

Revisions are below ``versions``, one file each; Alembic runs them. A database without a version
table is empty or of autoqa 0.1.0, which the first revision tells apart by itself.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from autoqa.errors import DataError
from autoqa.store.database_url import shown
from autoqa.store.tables import REVISIONS

VERSION_TABLE = "autoqa_version"
"""Beside Optuna's ``alembic_version`` in the same database."""

_POSTGRESQL_LOCK = 0x6175746F7161
"""Key of the advisory lock under which one process at a time migrates: "autoqa" in ASCII."""


def check_version(engine: Engine) -> None:
    """Looks at a database and changes nothing.

    Raises:
        DataError: A newer autoqa has migrated it.
        SQLAlchemyError: It cannot be read.
    """
    with engine.connect() as connection:
        _refuse_newer(shown(engine.url), _version(connection))


def check_readable(engine: Engine, where: str) -> None:
    """Looks whether a database can be read as it is, and changes nothing.

    Args:
        engine: Of the database.
        where: The database as messages show it.

    Raises:
        DataError: A newer autoqa has migrated it, or it has not been brought up to date yet.
        SQLAlchemyError: It cannot be read.
    """
    with engine.connect() as connection:
        version = _version(connection)
        _refuse_newer(where, version)
        if version == REVISIONS[-1]:
            return
    raise DataError(
        f"{where}: there are no tables of autoqa in it yet"
        if not is_outdated(engine)
        else f"{where}: its tables are of an earlier version of autoqa, and looking must not "
        "change them: every command that opens the study brings them up to date, such as `autoqa "
        "leaderboard NAME`"
    )


def is_outdated(engine: Engine) -> bool:
    """Whether a database has tables of an earlier version; changes nothing.

    Raises:
        SQLAlchemyError: It cannot be read.
    """
    with engine.connect() as connection:
        version = _version(connection)
        earlier = version is None or version in REVISIONS[:-1]
        return earlier and inspect(connection).has_table("autoqa_study")


def migrate(engine: Engine) -> None:
    """Makes missing tables and brings old ones to their newest form, in one transaction.

    Several processes may do so at once: the first migrates, and the others find nothing to do.

    Raises:
        DataError: A newer autoqa has migrated it.
        SQLAlchemyError: The database cannot be changed.
    """
    with engine.connect() as connection:
        if _version(connection) == REVISIONS[-1]:
            return
    with engine.begin() as connection:
        _lock(connection)
        version = _version(connection)
        _refuse_newer(shown(engine.url), version)
        if version != REVISIONS[-1]:
            _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
    return None if version is None else str(version)


def _refuse_newer(where: str, version: str | None) -> None:
    if version is None or version in REVISIONS:
        return
    raise DataError(
        f"{where}: the study's database has version {version}, and this autoqa reads versions up "
        f"to {REVISIONS[-1]}: install a newer autoqa"
    )


def _lock(connection: Connection) -> None:
    """Keeps other processes from migrating until the transaction ends."""
    match connection.dialect.name:
        case "sqlite":
            # The driver itself begins a transaction only at the first change of a row.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        case "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})"))


def _upgrade(connection: Connection) -> None:
    # Takes a tenth of a second to import, and databases are migrated once.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
    # The parser of .ini files, which no file is read with here, takes % for a reference.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, REVISIONS[-1])
