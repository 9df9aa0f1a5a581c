"""Corrections of a source that are laid over it, never written into the user's file.

An overlay is a JSON file: which source it corrects, the fingerprint of the rows it was made for,
and one entry per row that it changes.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autoqa.errors import DataError, MissingAssetError
from autoqa.files import write_atomically
from autoqa.types import Answer, Example

_FORMAT = "autoqa-overlay 1"


@dataclass(frozen=True, slots=True)
class Change:
    """What an overlay does to one row.

    Attributes:
        id: The row's id.
        language: Its language; ids are unique within one language.
        answers: Its references from now on; ``None`` takes the row out of the source.
        reason: Why, in a few words.
        confidence: Probability that the change is right, 0 to 1; ``None`` where a person decided.
    """

    id: str
    language: str
    answers: tuple[Answer, ...] | None
    reason: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """Changes to one source.

    Attributes:
        source: Its name in the study file.
        fingerprint: :func:`fingerprint` of the rows that the changes were made for.
        changes: At most one per row.
    """

    source: str
    fingerprint: str
    changes: tuple[Change, ...]

    def write(self, path: Path) -> None:
        """Writes the overlay, complete or not at all.

        Raises:
            DataError: The path cannot be written.
        """
        content = {"format": _FORMAT, **asdict(self)}
        try:
            write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror}.") from error

    def apply(self, examples: Sequence[Example], mark: str, where: str) -> list[Example]:
        """Lays the changes over the rows.

        Args:
            examples: The source's rows, corrected by earlier overlays or not.
            mark: :func:`fingerprint` of the source's rows before any correction.
            where: The overlay's file, for messages.

        Raises:
            DataError: The overlay was made for other rows, or an answer is not at its place.
        """
        if mark != self.fingerprint:
            raise DataError(
                f"{where} was made for another version of sources.{self.source} (its rows had the "
                f"fingerprint {self.fingerprint}, now they have {mark}): make it again, or restore "
                "the file it was made for."
            )
        changes = {(change.id, change.language): change for change in self.changes}
        rows = []
        for example in examples:
            change = changes.get((example.id, example.language))
            if change is None:
                rows.append(example)
            elif change.answers is not None:
                rows.append(_changed(example, change.answers, where))
        return rows


def read_overlay(path: Path) -> Overlay:
    """Reads an overlay.

    Raises:
        MissingAssetError: There is no such file.
        DataError: It is no overlay, or one of another version.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingAssetError(f"{path}: no such overlay.") from error
    except OSError as error:
        raise DataError(f"{path}: not an overlay ({error.strerror}).") from error
    except ValueError as error:
        raise DataError(f"{path}: not an overlay ({error}).") from error
    file_format = content.pop("format", None) if isinstance(content, dict) else None
    if file_format != _FORMAT:
        raise DataError(f"{path}: not an overlay: its format is {file_format!r}, not {_FORMAT!r}.")
    try:
        content["changes"] = tuple(_change(change) for change in content["changes"])
        return Overlay(**content)
    except (TypeError, KeyError) as error:
        raise DataError(f"{path}: not an overlay ({error!r:.80}).") from error


def check_target(path: Path, source: str) -> None:
    """Refuses to write an overlay over a file that is something else.

    Raises:
        DataError: The path holds no overlay of this source, or its folder does not exist.
    """
    if not path.absolute().parent.is_dir():
        raise DataError(f"{path}: the folder {path.absolute().parent} does not exist.")
    if not path.exists():
        return
    try:
        other = read_overlay(path).source
    except DataError as error:
        raise DataError(f"{error} It is not written over; give another path.") from error
    if other != source:
        raise DataError(
            f"{path} is an overlay of the source {other!r}, not {source!r}; give another path."
        )


def fingerprint(examples: Sequence[Example]) -> str:
    """Twelve hex digits that stand for the rows: ids, texts and answers, in their order."""
    digest = hashlib.sha256()
    for example in examples:
        answers = [(answer.start, answer.text) for answer in example.answers]
        row = (example.id, example.language, example.question, example.context, answers)
        digest.update(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return digest.hexdigest()[:12]


def _change(content: dict[str, Any]) -> Change:
    answers = content["answers"]
    placed = None if answers is None else tuple(Answer(**answer) for answer in answers)
    return Change(**{**content, "answers": placed})


def _changed(example: Example, answers: tuple[Answer, ...], where: str) -> Example:
    for answer in answers:
        if answer.start < 0 or not example.context.startswith(answer.text, answer.start):
            raise DataError(
                f"{where}: id {example.id!r}: the answer {answer.text[:60]!r} is not at character "
                f"{answer.start} of the context."
            )
    return replace(example, answers=answers)
