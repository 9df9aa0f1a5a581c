"""Labels that people corrected in an annotation tool, as changes of a source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoqa.data.overlay import Change
from autoqa.errors import DataError, did_you_mean
from autoqa.reading.formats import read_rows
from autoqa.reading.rows import RawRow
from autoqa.types import Answer, Example

REASON = "a person labelled the row anew"

_SHOWN = 10
"""Problems that are told."""


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What a file of corrected labels says of a source.

    Attributes:
        changes: Rows whose label is another one now.
        confirmed: Rows that were labelled as the source has them.
        undecided: Rows that nobody has labelled.
    """

    changes: tuple[Change, ...]
    confirmed: int
    undecided: int

    @property
    def dropped(self) -> int:
        """Changes that take a row out."""
        return sum(change.answers is None for change in self.changes)


def read_relabelled(
    path: Path,
    source: str,
    examples: Sequence[Example],
    *,
    format: str = "auto",
    keep_empty: bool = False,
) -> Relabelled:
    """Compares the rows of a file with those of a source.

    Args:
        path: An export of Label Studio, Argilla or doccano, or any file of questions.
        source: The source's name, for messages.
        examples: Its rows.
        format: As of :func:`autoqa.reading.formats.read_rows`.
        keep_empty: Whether a row that somebody left without a span has no answer; otherwise it is
            taken out.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It cannot be read, or rows of it are not the source's; the first problems at
            once, each with its place.
    """
    known: dict[str, list[Example]] = {}
    for example in examples:
        known.setdefault(example.id, []).append(example)
    changes: dict[tuple[str, str], Change] = {}
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    confirmed = undecided = 0
    for row in read_rows(path, format=format):
        try:
            example = _own(row, known, source)
            answers = None if row.problem else tuple(_answers(row, example))
        except ValueError as error:
            problems.append(f"{row.where}: {error}")
            continue
        key = (example.id, example.language)
        if row.problem or key in seen:
            reason = row.problem or f"the row {row.id!r} stands in the file twice; keep one of it."
            problems.append(f"{row.where}: {reason}")
            continue
        seen.add(key)
        if not row.labelled:
            undecided += 1
        elif answers is not None and set(answers) == set(example.answers):
            confirmed += 1
        else:
            final = answers if answers or keep_empty else None
            changes[key] = Change(*key, final, REASON)
    if problems:
        more = [f"... and {len(problems) - _SHOWN} more."] if len(problems) > _SHOWN else []
        raise DataError("\n".join([*problems[:_SHOWN], *more]))
    return Relabelled(tuple(changes.values()), confirmed, undecided)


def _own(row: RawRow, known: dict[str, list[Example]], source: str) -> Example:
    """The source's row that a row of the file is.

    Raises:
        ValueError: There is none, or it asks something else.
    """
    rows = [
        each for each in known.get(row.id, ()) if not row.language or each.language == row.language
    ]
    if not rows:
        spoken = f" in {row.language!r}" if row.language else ""
        hint = did_you_mean(row.id, known)
        raise ValueError(f"sources.{source} has no row {row.id!r}{spoken}{hint or '.'}")
    if len(rows) > 1:
        raise ValueError(
            f"sources.{source} has the row {row.id!r} in several languages: let the file keep the "
            "field language."
        )
    (example,) = rows
    for field, theirs, own in (
        ("question", row.question, example.question),
        ("text", row.context, example.context),
    ):
        if theirs != own and not row.problem:
            raise ValueError(
                f"the {field} of the row {row.id!r} is not that of sources.{source}, but "
                f"{theirs[:60]!r}: these labels were made for other rows."
            )
    return example


def _answers(row: RawRow, example: Example) -> Iterator[Answer]:
    """A row's spans without white space at their ends, each once.

    Raises:
        ValueError: One is not at its place.
    """
    found = []
    for text, start in row.answers:
        if start is None or start < 0 or not example.context.startswith(text, start):
            raise ValueError(
                f"the answer {text[:60]!r} is not at character {start} of the context of "
                f"{row.id!r}; mark it again."
            )
        left = len(text) - len(text.lstrip())
        if text.strip():
            found.append(Answer(text.strip(), start + left))
    yield from dict.fromkeys(found)
