"""Reads a study file; whatever is wrong with it is said at once."""

import math
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoqa.config.checks import check, unknown_names
from autoqa.config.problems import Place, dotted, parse, without_places
from autoqa.config.study import StudyFile
from autoqa.errors import ConfigError, did_you_mean

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[^}]*)(?P<end>\}?)")
_WHERE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True, kw_only=True)
class StudyReading:
    """What a study file holds, right or wrong.

    Attributes:
        study: Its value; ``None`` where a key is wrong.
        data: Its tables as they stand there, with variables replaced.
        problems: One sentence each, beginning with the dotted path of the key.
        unread: Dotted paths of values that cannot be read, which have had their sentence: whatever
            else is wrong with what stands in their place, nobody wrote it.
    """

    study: StudyFile | None
    data: Mapping[str, Any]
    problems: tuple[str, ...]
    unread: frozenset[str]


def load_study(path: Path, *, frozen: bool = False) -> StudyFile:
    """Reads and checks a study file.

    ``${NAME}`` in a string is replaced by the environment variable; ``$${`` stands for ``${``.

    Args:
        path: A TOML file.
        frozen: The copy that a search keeps: variables stay as they are written, because what
            reads it afterwards needs no source of data; but it needs the study's database and
            files.

    Raises:
        ConfigError: The file is missing, is no TOML, or holds wrong values; one sentence for each
            problem, with the file's name and the dotted path of the key.
    """
    reading = read_study(path, frozen=frozen)
    if reading.study is None or reading.problems:
        raise ConfigError(*(f"{path}: {problem}" for problem in reading.problems))
    return reading.study


def read_study(path: Path, *, frozen: bool = False) -> StudyReading:
    """Reads a study file as far as it can be read, for those who look for further problems.

    Args:
        path: A TOML file.
        frozen: As of :func:`load_study`.

    Raises:
        ConfigError: The file is missing or is no TOML.
    """
    return check_tables(_toml(Path(path)), frozen=frozen)


def check_tables(data: dict[str, Any], *, frozen: bool = False) -> StudyReading:
    """Checks what a study file holds.

    Args:
        data: Its tables, as ``tomllib`` reads them.
        frozen: As of :func:`load_study`.
    """
    problems: list[str] = []
    expanded = _places_expanded(data, problems) if frozen else _expand(data, (), problems)
    study, wrong = parse(StudyFile, expanded)
    unread = frozenset(problem.split(": ")[0] for problem in problems)
    wrong += unknown_names(expanded)
    if study is not None:
        wrong += check(study)
    problems += without_places(wrong, unread)
    return StudyReading(study=study, data=expanded, problems=tuple(problems), unread=unread)


def _toml(path: Path) -> dict[str, Any]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise ConfigError(_absent(path)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}: line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from None
    except OSError as error:
        raise ConfigError(f"{path}: the study file cannot be read: {error.strerror}") from error
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax(path, text, str(error))) from None


def _syntax(path: Path, text: str, message: str) -> str:
    position = _WHERE.search(message)
    reason = message[: position.start()] if position else message
    if position is None or position["line"] is None:
        return f"{path}: not valid TOML: {reason}, at the end of the file"
    number = int(position["line"])
    line = text.splitlines()[number - 1].strip() if number <= text.count("\n") + 1 else ""
    return f"{path}: line {number}, column {position['column']}: not valid TOML: {reason}: {line}"


def _absent(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder, not a study file; {_studies(path)}"
    folder = path.parent
    if not folder.is_dir():
        return f"{path}: no such study file: the folder {folder} does not exist"
    hint = did_you_mean(path.name, (file.name for file in folder.glob("*.toml")))
    return f"{path}: no such study file{hint or ';'} {_studies(folder)}"


def _studies(folder: Path) -> str:
    names = sorted(file.name for file in folder.glob("*.toml") if file.is_file())
    if not names:
        return f"there is no .toml file in {folder.resolve()}"
    return f"in {folder} there {'are' if len(names) > 1 else 'is'}: {', '.join(names)}"


def _places_expanded(data: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    """The content with variables replaced where it says what a search has left where."""
    search = data.get("search")
    if not isinstance(search, Mapping):
        return data
    places = {key: search[key] for key in ("storage", "files") if key in search}
    return {**data, "search": {**search, **_expand(places, ("search",), problems)}}


def _expand(value: Any, at: Place, problems: list[str]) -> Any:
    """Replaces variables in strings, and refuses numbers that are none."""
    if isinstance(value, Mapping):
        return {key: _expand(inner, (*at, key), problems) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, (*at, index), problems) for index, inner in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        problems.append(f"{dotted(at)}: should be a finite number, not {value}")
        return 0.5  # JSON has no such number, and the value has had its sentence
    if not isinstance(value, str):
        return value

    def replacement(variable: re.Match[str]) -> str:
        name = variable["name"]
        if name is None:
            return "${"
        if not variable["end"] or not name.isidentifier():
            problems.append(
                f"{dotted(at)}: {variable[0]!r} is no variable; "
                "write ${NAME}, or $${ for a plain ${"
            )
            return variable[0]
        if name not in os.environ:
            hint = did_you_mean(name, os.environ)
            problems.append(
                f"{dotted(at)}: the environment variable {name} is not set"
                f"{hint or f'; set it with: export {name}=...'}"
            )
            return variable[0]
        return os.environ[name]

    return _VARIABLE.sub(replacement, value)
