"""What a file of questions holds, as a study is to know it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from autoqa.config.problems import parse
from autoqa.data.audit import audit_source
from autoqa.data.tally import SourceAudit
from autoqa.errors import ConfigError, DataError, MissingAssetError
from autoqa.reading.columns import Columns
from autoqa.reading.formats import first_object, read_rows
from autoqa.reading.rows import FileObject
from autoqa.registry.bound import BoundSource
from autoqa.registry.catalogue import Catalogue
from autoqa.text.scripts import language_of, of_language, script


@dataclass(frozen=True)
class DataFile:
    """A file that a study can learn from.

    Attributes:
        name: What its source is called.
        path: Where it is, as it was given.
        format: What it was read as.
        columns: Field to column, where its columns have names of their own.
        language: ISO code of rows that state none; empty where they do.
        by_letters: Whether only their letters say so.
        rows: Rows that can be used.
        unusable: Rows that cannot.
        unanswerable: Rows that say that there is no answer.
        documents: Different documents.
        languages: ISO codes, the most frequent first.
    """

    name: str
    path: str
    format: str
    columns: dict[str, str]
    language: str
    by_letters: bool
    rows: int
    unusable: int
    unanswerable: int
    documents: int
    languages: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Format, rows, languages and answers, for people."""
        languages = " ".join(self.languages) + (" (by its letters)" if self.by_letters else "")
        answers = f"{self.unanswerable} without an answer" if self.unanswerable else "all answered"
        rows = f"{self.rows:,} row{'' if self.rows == 1 else 's'}"
        parts = [f"{self.format}, {rows}", languages, answers]
        if self.unusable:
            parts.append(f"{self.unusable} more cannot be used")
        return ", ".join(parts)


def look_into(
    paths: Sequence[Path],
    columns: Sequence[tuple[str, str]],
    language: str | None,
    catalogue: Catalogue,
) -> list[DataFile]:
    """Reads files whole, as a search would.

    Args:
        paths: The files.
        columns: Pairs of a field and a column; a file takes those whose column it has.
        language: ISO code of rows that state none, where their letters are that language's.
        catalogue: Where the source that reads files is found.

    Raises:
        ConfigError: No file has one of the columns, the language is none, or a file is named twice.
        DataError: A file cannot be used; all of them are named.
        MissingAssetError: There is no such file, or the package that reads it is not installed;
            all of them are named, too, and none that can be read is at fault.
    """
    _check_apart(paths)
    found, used, recognised = [], set(), 0
    failed: list[DataError | MissingAssetError] = []
    for path, name in zip(paths, _names(paths), strict=True):
        try:
            format, first = first_object(path)
            recognised += 1
            own = {field: column for field, column in columns if _has(first, field, column)}
            used |= set(own.items())
            found.append(_looked_into(path, name, format, own, language, catalogue))
        except (DataError, MissingAssetError) as error:
            failed.append(error)
    problems = [str(error) for error in failed]
    unused = [f"{field}={column}" for field, column in columns if (field, column) not in used]
    if unused and recognised == len(paths):
        raise ConfigError(
            *(f"--column {each}: no file has such a column" for each in unused), *problems
        )
    if any(isinstance(error, DataError) for error in failed):
        raise DataError("\n".join(problems))
    if problems:
        raise MissingAssetError("\n".join(problems))
    return found


def _check_apart(paths: Sequence[Path]) -> None:
    """Refuses a file that is named twice: what validates would be trained on.

    Raises:
        ConfigError: Two paths lead to one file.
    """
    known: dict[Path, Path] = {}
    for path in paths:
        first = known.setdefault(path.resolve(), path)
        if first is not path:
            raise ConfigError(f"--source {path}: it is the file {first}, which is in the study")


def _looked_into(
    path: Path,
    name: str,
    format: str,
    columns: dict[str, str],
    language: str | None,
    catalogue: Catalogue,
) -> DataFile:
    spec = catalogue.source("file", str(path))
    said = _language(path, columns, language)
    table = {"path": str(path), "columns": columns, **({"language": said} if said else {})}
    options, wrong = parse(spec.options, table)
    if options is None:
        raise ConfigError(*(f"{path}: {problem}" for problem in wrong))
    audit, _ = audit_source(name, BoundSource(name=name, spec=spec, options=options))
    problem = _problem(audit)
    if problem:
        raise DataError(f"{path}: {problem}")
    unusable = sum(audit.problems.values())
    return DataFile(
        name=name,
        path=str(path),
        format=format,
        columns=columns,
        language=said,
        by_letters=bool(said) and said != language,
        rows=audit.rows - unusable,
        unusable=unusable,
        unanswerable=audit.unanswerable,
        documents=audit.documents,
        languages=tuple(sorted(audit.languages, key=lambda code: -audit.languages[code])),
    )


def _problem(audit: SourceAudit) -> str:
    """Why nothing can be learned from a file; empty where something can."""
    usable = audit.rows - sum(audit.problems.values())
    if audit.unreadable:
        return audit.unreadable
    if not usable and audit.problems:
        first = audit.samples["unusable"][0]
        return f"none of its rows can be used; the first: {first.where}: {first.note}"
    if audit.findings.get("unlabelled", 0) == usable:
        return (
            "its rows say nothing about answers, and a study learns from answers; where a column "
            "has them under another name, --column answer_text=COLUMN names it. Questions "
            "without answers are for `autoqa predict`"
        )
    if audit.loading is not None and audit.loading.refused:
        return audit.loading.refused
    return "" if usable > audit.unanswerable else "none of its rows has an answer"


def _language(path: Path, columns: dict[str, str], given: str | None) -> str:
    """ISO code of rows that state none; empty where they do.

    Raises:
        DataError: Nobody says it, and too many languages are written in their letters.
    """
    rows = read_rows(path, columns=columns)
    row = next((row for row in rows if not row.problem), None)
    if row is None or row.language:
        return ""
    letters = script(row.context)
    if given is not None and letters in of_language(given):
        return given
    if letters == "LATIN":
        refused = f", and its letters are not those of --language {given!r}" if given else ""
        raise DataError(
            f"{path}: its rows name no language{refused}; say which by --language, such as "
            "--language en"
        )
    return language_of("", row.context)


def _has(first: FileObject, field: str, column: str) -> bool:
    columns = Columns({field: column})
    columns.applied(first)
    return not columns.unseen


def _names(paths: Iterable[Path]) -> list[str]:
    """Names of sources out of the names of files, no two alike."""
    names: list[str] = []
    for path in paths:
        stem = path.name.partition(".")[0].lower()
        name = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_") or "data"
        numbered = (f"{name}-{number}" for number in count(2))
        names.append(next(each for each in chain([name], numbered) if each not in names))
    return names
