"""What the author of a study says about rows that come from outside."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from autoqa.options import Options
from autoqa.placing.units import OffsetUnit
from autoqa.reading import languages
from autoqa.reading.options import ColumnNames

LanguageCode = Annotated[str, AfterValidator(languages.code)]

Mode = Literal["repair", "drop", "refuse"]
"""What becomes of a row that does not fit: it is mended, left out, or stops the source."""

_ORDERS = (
    ("repair", "drop"),
    ("repair", "refuse"),
    ("repair",),
    ("drop",),
    ("refuse",),
)


def _listed(value: Any) -> Any:
    """As a tuple: what a validator hands on is no JSON, and strictness takes no list for one."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _ordered(modes: tuple[Mode, ...]) -> tuple[Mode, ...]:
    if modes not in _ORDERS:
        raise ValueError(
            f"{list(modes)} is no order that rows go through: repair comes first, then drop or "
            'refuse, such as ["repair", "drop"]'
        )
    return modes


class RowOptions(Options):
    """Options of every source whose rows come from outside.

    Attributes:
        language: Language of rows that state none: a code or an English name.
        languages: Only rows in these languages are taken; left out, all.
        columns: Field to column, where the rows' columns have names of their own.
        offsets: ``"exact"`` believes the file's ``answer_start``; ``"first"`` puts every answer
            at its first occurrence in the context, for files without offsets.
        offset_unit: What ``answer_start`` counts. ``"auto"`` counts code points, and where rows
            are repaired also what the source as a whole fits better, see
            :class:`autoqa.placing.units.UnitEvidence`.
        on_mismatch: What is tried, in this order, for a row that does not fit: ``"repair"`` it
            (see :mod:`autoqa.placing.repair`), ``"drop"`` it, or ``"refuse"`` the source. What the
            list does not settle is refused. All that is repaired or dropped is in the notes.
    """

    language: LanguageCode | None = None
    languages: Annotated[tuple[LanguageCode, ...], Field(min_length=1)] | None = None
    columns: ColumnNames = Field(default_factory=dict)
    offsets: Literal["exact", "first"] = "exact"
    offset_unit: OffsetUnit = "auto"
    on_mismatch: Annotated[tuple[Mode, ...], BeforeValidator(_listed), AfterValidator(_ordered)] = (
        "repair",
        "drop",
    )

    @property
    def repairs(self) -> bool:
        """Whether rows are repaired."""
        return "repair" in self.on_mismatch

    @property
    def drops(self) -> bool:
        """Whether rows are dropped."""
        return "drop" in self.on_mismatch
