"""A package with a plugin that works, written from the templates in this room."""

import keyword
import re
import sys
from pathlib import Path

from autoqa import __version__
from autoqa.api import API_VERSION
from autoqa.entry_points import installed
from autoqa.errors import ConfigError
from autoqa.files import writing_output
from autoqa.registry.records import GROUPS, PluginKind
from autoqa.scores.registry import built_in

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TAKEN = ("autoqa", "test", "tests")


def write_plugin(kind: PluginKind, name: str, target: Path) -> tuple[str, ...]:
    """Writes the package, whole or not at all.

    Args:
        kind: Which kind of plugin.
        name: Its name and the package's.
        target: The folder to make.

    Returns:
        The files that were written, relative to the folder, sorted.

    Raises:
        ConfigError: The name cannot be a package's, a plugin of the kind has it, or the folder
            exists.
    """
    module = _module(name)
    _require_free(kind, name)
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{target} exists already; give another folder by --to")
    values = {
        "kind": kind,
        "name": name,
        "module": module,
        "title": name.replace("-", " ").title().replace(" ", ""),
        "version": __version__,
        "api_version": API_VERSION,
    }
    with writing_output(target) as folder:
        for template, path in _files(kind, module):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(_rendered(template, values), encoding="utf-8")
        return tuple(sorted(path for _, path in _files(kind, module)))


def _files(kind: str, module: str) -> list[tuple[str, str]]:
    """Template and path of each file."""
    files = [
        ("pyproject.toml.jinja", "pyproject.toml"),
        ("README.md.jinja", "README.md"),
        ("package.py.jinja", f"{module}/__init__.py"),
        (f"{kind}.py.jinja", f"{module}/{kind}.py"),
        (f"test_{kind}.py.jinja", f"tests/test_{kind}.py"),
    ]
    if kind == "source":
        files.append(("rows.jsonl.jinja", f"{module}/rows.jsonl"))
    return files


def _module(name: str) -> str:
    """The module of a package.

    Raises:
        ConfigError: No package can have that name.
    """
    module = name.replace("-", "_")
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for a package: take lower-case letters, digits and single "
            "hyphens, a letter first, such as my-encoder"
        )
    if keyword.iskeyword(module) or module in (*sys.stdlib_module_names, *_TAKEN):
        raise ConfigError(f"{name!r} is the name of another module of Python; take another one")
    return module


def _require_free(kind: PluginKind, name: str) -> None:
    """Checks that no plugin of the kind has the name: two would be refused by every study.

    Raises:
        ConfigError: One has.
    """
    points = [point for point in installed(GROUPS[kind]) if point.name == name]
    owners = [f"{point.dist.name} {point.dist.version}" for point in points if point.dist]
    if kind == "metric" and name in built_in():
        owners = [f"autoqa {__version__}"]
    if owners:
        raise ConfigError(
            f"the {kind} {name!r} is there already, by {' and '.join(sorted(owners))}; take "
            f"another name, such as {'my-' + name!r}; `autoqa plugins show {kind} {name}` shows it"
        )


def _rendered(template: str, values: dict[str, object]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("autoqa.testing"),
        autoescape=False,  # code and TOML, no HTML
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    return environment.get_template(template).render(values)
