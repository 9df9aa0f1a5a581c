"""What a study's database keeps besides trials and candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autoqa.store.external_scores import ExternalScore
from autoqa.store.private_openings import OpeningRow
from autoqa.store.study_tables import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFacts:
    """What a study was searched with, and what was decided and looked at since.

    Attributes:
        fingerprint: Of all that its runs depend on besides their parameters.
        validation: Fingerprint of its validation set.
        conditions: What all that train for it must have in common, as JSON.
        selections: When each was made, and the selection as JSON; oldest first.
        openings: Of the private part.
        reads: Of the public part, by kind.
        externals: Scores from elsewhere.
    """

    fingerprint: str | None
    validation: str | None
    conditions: Mapping[str, Any] | None
    selections: Sequence[tuple[datetime, dict[str, Any]]]
    openings: Sequence[OpeningRow]
    reads: Mapping[str, int]
    externals: Sequence[ExternalScore]


def study_facts(store: Store) -> StudyFacts:
    """Reads them.

    Raises:
        AutoqaError: The database failed.
    """
    return StudyFacts(
        fingerprint=store.study_fingerprint(),
        validation=store.validation_fingerprint(),
        conditions=store.conditions(),
        selections=store.dated_selections(),
        openings=store.openings(),
        reads=store.public_reads(),
        externals=store.externals(),
    )
