"""All rows of one study at once, Optuna's included: renamed, removed, and packed tightly."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, delete, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError

from autoqa.errors import AutoqaError
from autoqa.store.connection import StudyDatabase
from autoqa.store.patience import cause
from autoqa.store.tables import metadata, searchers, studies

_OPTUNA = ("studies", "trials", "trial_user_attributes")
"""Those of Optuna's tables that hold a study's name and what autoqa knows it by."""


class StudyRows(StudyDatabase):
    """A study's rows in every table."""

    def named(self, name: str) -> bool:
        """Whether any table but that of processes has a row of a study of that name."""

        def work(connection: Connection) -> bool:
            columns = [*_names(), *_names_of_optuna(connection)]
            columns.remove(searchers.c.study)
            return any(
                connection.execute(select(column).where(column == name).limit(1)).first()
                for column in columns
            )

        return self._transaction(work)

    def rename(self, new: str, text: str, fingerprint: str) -> None:
        """Gives all rows another name, in one transaction.

        Args:
            new: The name.
            text: The study file's text with that name.
            fingerprint: What that text means; trials of the old fingerprint get the new one, for
                they are the same runs.
        """
        own = studies.c.name == self.study

        def work(connection: Connection) -> None:
            row = connection.execute(
                select(studies.c.fingerprint, studies.c.conditions).where(own)
            ).first()
            if row is not None:
                values: dict[str, Any] = {"toml": text, "fingerprint": fingerprint}
                if row.conditions and row.conditions["version"] == row.fingerprint:
                    values["conditions"] = {**row.conditions, "version": fingerprint}
                connection.execute(update(studies).where(own).values(**values))
                self._restate(connection, row.fingerprint, fingerprint)
            for column in (*_names(), *_names_of_optuna(connection)):
                change = update(column.table).where(column == self.study)
                connection.execute(change.values({column: new}))

        self._transaction(work)

    def _restate(self, connection: Connection, before: str, after: str) -> None:
        """Has this study's trials carry another fingerprint."""
        tables = _optuna_tables(connection)
        if not tables:
            return
        found, trials, attributes = (tables[name] for name in _OPTUNA)
        own = (
            select(trials.c.trial_id)
            .join(found, found.c.study_id == trials.c.study_id)
            .where(found.c.study_name == self.study)
        )
        connection.execute(
            update(attributes)
            .where(
                attributes.c.key == "study_version",
                attributes.c.value_json == json.dumps(before),
                attributes.c.trial_id.in_(own),
            )
            .values(value_json=json.dumps(after))
        )

    def remove(self) -> None:
        """Removes the rows of autoqa's tables; those of Optuna are for Optuna to remove."""

        def work(connection: Connection) -> None:
            for column in _names():
                connection.execute(delete(column.table).where(column == self.study))

        self._transaction(work)

    def free_bytes(self) -> int:
        """What packing an SQLite database frees inside its file; 0 of other databases."""
        if self._engine.dialect.name != "sqlite":
            return 0

        def work(connection: Connection) -> int:
            pages, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
                for name in ("freelist_count", "page_size")
            )
            return pages * size

        return self._transaction(work)

    def pack(self) -> None:
        """Packs an SQLite database, and empties its log; other databases do so by themselves.

        Raises:
            AutoqaError: Another process writes to it.
        """
        if self._engine.dialect.name != "sqlite":
            return

        def work() -> None:
            with self._engine.connect() as connection:
                alone = connection.execution_options(isolation_level="AUTOCOMMIT")
                alone.exec_driver_sql("VACUUM")
                alone.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

        try:
            self.patience.insist(work, self._shown)
        except SQLAlchemyError as error:
            raise AutoqaError(f"{self._shown}: it cannot be packed: {cause(error)}") from error


def _names() -> Iterator[Column[Any]]:
    """The column with the study's name in each table of autoqa; that of the study itself last."""
    for table in metadata.sorted_tables:
        if table is not studies:
            yield table.c.study
    yield studies.c.name


def _names_of_optuna(connection: Connection) -> list[Column[Any]]:
    tables = _optuna_tables(connection)
    return [tables["studies"].c.study_name] if tables else []


def _optuna_tables(connection: Connection) -> dict[str, Table]:
    """Optuna's tables as they are in the database; empty before its first study."""
    if not inspect(connection).has_table(_OPTUNA[0]):
        return {}
    found = MetaData()
    return {name: Table(name, found, autoload_with=connection) for name in _OPTUNA}
