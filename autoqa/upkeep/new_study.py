"""A study file to begin with, written from what a person's data files hold."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from autoqa.api import BackboneSpec
from autoqa.config.load import check_tables
from autoqa.config.problems import parse
from autoqa.errors import ConfigError, DataError, MissingAssetError
from autoqa.files import write_atomically
from autoqa.registry import bind, discover
from autoqa.registry.bound import guarded
from autoqa.registry.catalogue import Catalogue
from autoqa.text.printable import printable
from autoqa.upkeep.data_file import DataFile, look_into

_HELD_OUT = 400
"""Rows of a large target that are held out: a public part of 160, a sealed one of 240."""
_TENTHS = (2, 5)
"""Least and largest share of the target that is held out, in tenths."""
_FEWEST = 4
"""Documents that are held out at least: two in each part."""
_LARGE = 4
"""A source that is so many times larger than the target is drawn from, not taken whole."""
_BACKBONES = 3
"""How many of those that are here a study begins with."""


@dataclass(frozen=True)
class NewStudy:
    """A study file that was written.

    Attributes:
        path: Where.
        files: The target and the sources.
        backbones: Names of the backbones.
    """

    path: Path
    files: tuple[DataFile, ...]
    backbones: tuple[str, ...]


@dataclass(frozen=True)
class _Chosen:
    name: str
    options: dict[str, str]


def write_study(
    name: str,
    target: Path,
    sources: Sequence[Path] = (),
    *,
    columns: Sequence[tuple[str, str]] = (),
    language: str | None = None,
    backbones: Sequence[str] = (),
    to: Path | None = None,
) -> NewStudy:
    """Looks into files and writes a study about them, which a search takes as it is.

    Args:
        name: The study's name.
        target: The file whose questions count.
        sources: Files that may help.
        columns: Pairs of a field and a column; a file takes those whose column it has.
        language: ISO code of rows that state none, where their letters are that language's;
            else their letters decide.
        backbones: Types of backbones; left out, those on this machine that are said to read all
            languages of the target, three at most.
        to: Where to write; left out, ``NAME.toml`` in the current folder.

    Raises:
        ConfigError: The name is none, the study file is there already, no file has a column, or
            a file is named twice or cannot be named in a study file.
        DataError: A file cannot be used, all of them are named; or the target has too few
            documents to hold some out.
        MissingAssetError: A file, or every backbone for the target's languages, is not here.
        PluginError: There is no such backbone.
    """
    path = to or Path(f"{name}.toml")
    _check_paths(path, (target, *sources))
    if path.exists() or path.is_symlink():
        raise ConfigError(f"{path} exists already; remove it, or give another file by --to")
    if not path.absolute().parent.is_dir():
        raise ConfigError(f"--to {path}: the folder {path.absolute().parent} does not exist")
    catalogue = discover()
    files = look_into([target, *sources], columns, language, catalogue)
    chosen = _named(backbones, catalogue) or _on_this_machine(files[0], catalogue)
    text = _text(name, path, files, chosen, found=not backbones)
    _checked(text, path, catalogue)
    write_atomically(path, text)
    return NewStudy(path, tuple(files), tuple(each.name for each in chosen))


def _check_paths(path: Path, files: Sequence[Path]) -> None:
    """Refuses what cannot stand in a study file, which is UTF-8, or in a comment of it.

    Raises:
        ConfigError: One of them cannot.
    """
    wrong = [
        f"{str(each)!r}: its name is not UTF-8, as a study file is; give the file another name"
        for each in (path, *files)
        if not _is_utf8(str(each))
    ]
    if wrong:
        raise ConfigError(*wrong)
    if printable(str(path)) != str(path) or "\n" in str(path):
        raise ConfigError(f"--to {str(path)!r}: a control character; give the file another name")


def _is_utf8(text: str) -> bool:
    return text.encode(errors="ignore").decode() == text


def _named(types: Sequence[str], catalogue: Catalogue) -> list[_Chosen]:
    specs = [catalogue.backbone(each, "--backbone") for each in dict.fromkeys(types)]
    return [_Chosen(each.name, {}) for each in specs]


def _on_this_machine(target: DataFile, catalogue: Catalogue) -> list[_Chosen]:
    """Backbones that lack nothing and are said to read all languages of the target.

    Raises:
        MissingAssetError: There is none.
    """
    specs = [each.spec for each in catalogue.records if isinstance(each.spec, BackboneSpec)]
    wanted = set(target.languages)
    fitting = ((each.name, _fitting(each, wanted)) for each in specs)
    chosen = [_Chosen(name, options) for name, options in fitting if options is not None]
    if not chosen:
        raise MissingAssetError(
            f"no backbone on this machine is said to read {' and '.join(sorted(wanted))}, the "
            f"languages of {target.path}: name one by --backbone, such as xlm-r-base, and get it "
            "with `autoqa fetch`; `autoqa plugins list` shows all"
        )
    return chosen[:_BACKBONES]


def _fitting(spec: BackboneSpec, languages: set[str]) -> dict[str, str] | None:
    """Options with which a backbone that is here reads some languages; the default if it does."""
    tables: list[dict[str, str]] = [{}]
    for key, field in spec.options.model_fields.items():
        tables += [{key: value} for value in get_args(field.annotation) if isinstance(value, str)]
    for table in tables:
        options, _ = parse(spec.options, table)
        if options is None or guarded(spec.name, spec.name, spec.missing, options) is not None:
            continue
        if languages <= set(guarded(spec.name, spec.name, spec.languages, options)):
            return table
    return None


def _text(
    name: str, path: Path, files: Sequence[DataFile], backbones: Sequence[_Chosen], *, found: bool
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    target = files[0]
    share = _share_held_out(target)
    environment = Environment(
        loader=PackageLoader("autoqa.upkeep"),
        autoescape=False,  # TOML, no HTML
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"toml": _toml, "toml_pairs": _toml_pairs}
    return environment.get_template("study.toml.jinja").render(
        name=name,
        command=dry_run_command(path),
        files=[
            {**vars(file), "sentence": file.sentence, "shares": _shares(file, target)}
            for file in files
        ],
        target=target,
        backbones=backbones,
        found=found,
        share=share,
        held_out=round(share * target.rows),
    )


def dry_run_command(path: Path) -> str:
    """What a shell is told to see what a study file amounts to."""
    return shlex.join(["autoqa", "search", str(path), "--dry-run"])


def _share_held_out(target: DataFile) -> float:
    """As many rows as are enough, and no fewer documents than are needed.

    Raises:
        DataError: There are too few documents.
    """
    least, most = _TENTHS
    wanted = min(max(round(10 * _HELD_OUT / target.rows), least), most)
    for tenths in range(wanted, most + 1):
        if round(tenths / 10 * target.documents) >= _FEWEST:
            return tenths / 10
    raise DataError(
        f"{target.path}: it holds {target.documents} different "
        f"document{'' if target.documents == 1 else 's'}, and half of a target's must be "
        f"{_FEWEST} at least, to be held out; add rows about others"
    )


def _shares(file: DataFile, target: DataFile) -> list[float]:
    """How much of a source may be drawn: as many rows as the target has, or three times as many."""
    if file.rows <= _LARGE * target.rows:
        return []
    return [float(f"{times * target.rows / file.rows:.1g}") for times in (1, 3)]


def _toml(value: str) -> str:
    """A basic string of TOML that no variable is looked for in."""
    text = json.dumps(value.replace("${", "$${"), ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")  # which JSON allows


def _toml_pairs(values: Mapping[str, str], between: str = ", ") -> str:
    return between.join(
        f"{key if key.isidentifier() else _toml(key)} = {_toml(value)}"
        for key, value in values.items()
    )


def _checked(text: str, path: Path, catalogue: Catalogue) -> None:
    """Refuses what a search would refuse, such as a name that no study can have."""
    import tomllib

    reading = check_tables(tomllib.loads(text))
    if reading.study is None or reading.problems:
        raise ConfigError(*reading.problems)
    bind(reading.study, catalogue, file=str(path))
