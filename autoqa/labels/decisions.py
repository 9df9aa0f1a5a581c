"""What a person decided about disputed labels: a CSV file, and the overlay that it becomes."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autoqa.data.overlay import Change
from autoqa.errors import DataError, MissingAssetError, did_you_mean
from autoqa.placing.occurrences import excerpt
from autoqa.types import Answer, Example

DECISIONS = ("accept", "reject", "drop", "")
"""Take the proposed answer, keep the label, leave the row out, not decided yet (as reject)."""

_SEPARATOR = " | "
"""Between the references of one row."""

_NEEDED = ("id", "language", "question", "label", "proposed", "start", "decision")
_COLUMNS = (
    *("id", "language", "question", "label", "proposed", "confidence", "decision"),
    *("start", "label_in_context", "proposed_in_context"),
)


@dataclass(frozen=True, slots=True)
class Dispute:
    """A row whose label several candidates contradict alike.

    Attributes:
        example: The row.
        proposed: The answer they give.
        confidence: Mean probability that they give it, 0 to 1.
        candidates: Who agrees on it.
    """

    example: Example
    proposed: Answer
    confidence: float
    candidates: tuple[str, ...]

    @property
    def label(self) -> str:
        """All references, in the order of the source."""
        return _label(self.example)

    def shown(self) -> tuple[str, str]:
        """The label, and the proposed answer, each in brackets amid its sentence."""
        context = self.example.context
        labels = [excerpt(context, a.start, a.end) for a in self.example.answers]
        return _SEPARATOR.join(labels), excerpt(context, self.proposed.start, self.proposed.end)


def render_decisions(disputes: Sequence[Dispute]) -> str:
    """Disputes as CSV with an empty column ``decision``, for a person to fill in."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for dispute in disputes:
        row = dispute.example
        head = (row.id, row.language, row.question, dispute.label, dispute.proposed.text)
        writer.writerow(
            (*head, f"{dispute.confidence:.3f}", "", dispute.proposed.start, *dispute.shown())
        )
    return out.getvalue()


def read_decisions(path: Path, source: str, examples: Sequence[Example]) -> tuple[Change, ...]:
    """What the file changes in a source.

    Args:
        path: A file that :func:`render_decisions` wrote and a person edited.
        source: The source's name, for messages.
        examples: Its rows.

    Returns:
        One change per accepted or dropped row.

    Raises:
        MissingAssetError: There is no such file.
        DataError: A row of it cannot be used; all problems at once, each with file and line.
    """
    rows = {(example.id, example.language): example for example in examples}
    changes: dict[tuple[str, str], Change] = {}
    problems = []
    for line, cells in _lines(path):
        where = f"{path}:{line}"
        try:
            change = _change(cells, rows, source)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        key = (cells["id"], cells["language"])
        if change is not None and key in changes:
            problems.append(f"{where}: the row {key[0]!r} was decided before; keep one line of it.")
        elif change is not None:
            changes[key] = change
    if problems:
        raise DataError("\n".join(problems))
    return tuple(changes.values())


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and cells of each row."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
    except FileNotFoundError as error:
        raise MissingAssetError(f"{path}: there is no such file of decisions.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a file of decisions ({error}).") from error
    head = text.partition("\n")[0]
    delimiter = (
        ";" if head.count(";") > head.count(",") else ","
    )  # as spreadsheets of some countries
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise DataError(
            f"{path}: not a file of decisions: it lacks the columns {', '.join(missing)}; "
            "`autoqa data disagreements STUDY --to FILE` writes one."
        )
    try:
        for row in reader:
            yield reader.line_num, {name: row[name] or "" for name in _NEEDED}
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not CSV: {error}.") from error


def _change(
    cells: dict[str, str], rows: dict[tuple[str, str], Example], source: str
) -> Change | None:
    """What one line changes.

    Raises:
        ValueError: What is wrong with it, in a sentence.
    """
    decision = cells["decision"].strip().lower()
    if decision not in DECISIONS:
        words = [word for word in DECISIONS if word]
        hint = did_you_mean(decision, words)
        raise ValueError(
            f"the decision {cells['decision']!r} is none of {', '.join(words)}{hint or '.'} Leave "
            "it empty to decide later."
        )
    if decision in ("reject", ""):
        return None
    name, language = cells["id"], cells["language"]
    example = rows.get((name, language))
    if example is None:
        hint = did_you_mean(name, [key for key, spoken in rows if spoken == language])
        raise ValueError(f"sources.{source} has no row {name!r} in {language!r}{hint or '.'}")
    decided, current = (cells["question"], cells["label"]), (example.question, _label(example))
    if decided[0].split() != current[0].split() or not _is_label(decided[1], example):
        raise ValueError(
            f"the row {name!r} was decided for the question {decided[0][:60]!r} with the label "
            f"{decided[1][:60]!r}, but sources.{source} has {current[0][:60]!r} with "
            f"{current[1][:60]!r}: these decisions were made for other rows."
        )
    if decision == "drop":
        return Change(name, language, None, "a person dropped the row")
    start = int(cells["start"]) if cells["start"].strip().isdecimal() else -1
    answer = Answer(cells["proposed"], start)
    if not answer.text.strip() or start < 0 or not example.context.startswith(answer.text, start):
        raise ValueError(
            f"the proposed answer {answer.text[:60]!r} is not at character {cells['start']!r} of "
            f"the context of {name!r}; correct proposed or start."
        )
    return Change(name, language, (answer,), "a person accepted what candidates answer")


def _is_label(text: str, example: Example) -> bool:
    """Whether a label is the row's; validation may have looked at some of its references only."""
    whole = " ".join(_label(example).split())
    parts = {" ".join(part.split()) for part in text.split(_SEPARATOR.strip())}
    known = {" ".join(answer.text.split()) for answer in example.answers}
    return " ".join(text.split()) == whole or parts <= known


def _label(example: Example) -> str:
    return _SEPARATOR.join(answer.text for answer in example.answers)
