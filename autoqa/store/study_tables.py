"""The study's tables beside Optuna's: study text, candidates, selections, and what is logged.

Every table carries the study's name, because one server may hold many studies.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, insert, select, update

from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.candidate_rows import CandidateRows
from autoqa.store.connection import append, aware, now
from autoqa.store.external_scores import ExternalScores
from autoqa.store.patience import Patience
from autoqa.store.private_openings import Opening, OpeningLog
from autoqa.store.public_reads import ReadLog
from autoqa.store.searchers import SearcherLog
from autoqa.store.tables import selections as _selections
from autoqa.store.tables import studies as _studies


class Store(CandidateRows, OpeningLog, ReadLog, ExternalScores, SearcherLog):
    """One study's rows; see :class:`autoqa.store.connection.StudyDatabase`.

    Args:
        url: As there.
        study: As there.
        patience: As there.
        openings: As of :class:`autoqa.store.private_openings.OpeningLog`.
        read_only: As of ``StudyDatabase``.
        files: Where the study's machines share its files, if its run folder is not all there is:
            what has a row here is there.
    """

    def __init__(
        self,
        url: str,
        study: str | None = None,
        patience: Patience | None = None,
        *,
        openings: Path | None = None,
        read_only: bool = False,
        files: Artifacts | None = None,
    ) -> None:
        super().__init__(url, study, patience, openings=openings, read_only=read_only)
        self.files = files

    def log_opening(self, reason: str, *, purpose: str = "") -> Opening:
        """As :meth:`OpeningLog.log_opening`; the study's shared files have it as well."""
        opening = super().log_opening(reason, purpose=purpose)
        if self.files is not None:
            self.files.study.mirror_openings()
        return opening

    def save_study(self, text: str, fingerprint: str | None = None) -> None:
        """Writes the study file's text down, in place of an earlier one.

        Args:
            text: The TOML text.
            fingerprint: Identifies what the text means; left out, the text's sha256.
        """
        digest = fingerprint or hashlib.sha256(text.encode()).hexdigest()[:12]
        of_this_study = _studies.c.name == self.study
        values = {"fingerprint": digest, "toml": text}

        def work(connection: Connection) -> None:
            changed = connection.execute(update(_studies).where(of_this_study).values(**values))
            if not changed.rowcount:
                row = {"name": self.study, "created": now(), **values}
                connection.execute(insert(_studies).values(**row))

        self._transaction(work)

    def study_text(self) -> str | None:
        """The study file's text as last saved, or ``None`` before the first search."""
        return self._of_study(_studies.c.toml)

    def study_fingerprint(self) -> str | None:
        """The fingerprint saved with the text."""
        return self._of_study(_studies.c.fingerprint)

    def save_validation(self, fingerprint: str) -> None:
        """Writes down which validation set a saved study is scored on.

        Args:
            fingerprint: :func:`autoqa.store.validation.fingerprint` of both parts.
        """
        change = update(_studies).where(_studies.c.name == self.study)
        change = change.values(validation=fingerprint)
        self._transaction(lambda connection: connection.execute(change))

    def validation_fingerprint(self) -> str | None:
        """What :meth:`save_validation` wrote, or ``None`` before the first search."""
        return self._of_study(_studies.c.validation)

    def save_conditions(self, conditions: dict[str, Any]) -> None:
        """Writes down, for a saved study, what those who join its search must have in common."""
        change = (
            update(_studies)
            .where(_studies.c.name == self.study)
            .values(conditions=json.loads(json.dumps(conditions)))
        )
        self._transaction(lambda connection: connection.execute(change))

    def conditions(self) -> dict[str, Any] | None:
        """What :meth:`save_conditions` wrote, or ``None`` before a search lets others join."""
        query = select(_studies.c.conditions).where(_studies.c.name == self.study)
        value = self._transaction(lambda connection: connection.scalar(query))
        return None if value is None else dict(value)

    def _of_study(self, column: Column[Any]) -> str | None:
        query = select(column).where(_studies.c.name == self.study)
        value = self._transaction(lambda connection: connection.scalar(query))
        return None if value is None else str(value)

    def add_candidate(self, record: CandidateRecord) -> None:
        """Adds a candidate, whose files are shared first; a row of the same id is replaced.

        Raises:
            DataError: Another run's candidate of that id is among the shared files.
            AutoqaError: Database or shared files cannot be used; the candidate stays on disk.
        """
        if self.files is not None:
            self.files.publish(record.id)
        super().add_candidate(record)

    def add_selection(self, selection: dict[str, Any]) -> None:
        """Appends a selection, a value that JSON can hold."""
        row = {"created": now(), "selection": json.loads(json.dumps(selection))}
        self._transaction(
            lambda connection: append(connection, _selections, study=self.study, **row)
        )

    def selections(self) -> list[dict[str, Any]]:
        """All selections, oldest first."""
        return [selection for _, selection in self.dated_selections()]

    def dated_selections(self) -> list[tuple[datetime, dict[str, Any]]]:
        """When each selection was made (UTC), and the selection; oldest first."""
        query = (
            select(_selections.c.created, _selections.c.selection)
            .where(_selections.c.study == self.study)
            .order_by(_selections.c.id)
        )
        return self._transaction(
            lambda connection: [
                (aware(row.created), dict(row.selection)) for row in connection.execute(query)
            ]
        )
