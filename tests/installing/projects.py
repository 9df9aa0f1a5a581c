"""The four distributions of this repository: where their packages are, what they declare."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import autoqa

ROOT = Path(__file__).parents[2]
CORE = ROOT / "autoqa"
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())
PACKAGES = [CORE, *(plugin / plugin.name.replace("-", "_") for plugin in PLUGINS)]
OWN = {"autoqa", *(plugin.name for plugin in PLUGINS)}
VERSION = autoqa.__version__


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(node: ast.AST) -> Iterator[str]:
    """Dotted names of the modules that are imported, at whatever depth."""
    for each in ast.walk(node):
        if isinstance(each, ast.Import):
            yield from (alias.name for alias in each.names)
        elif isinstance(each, ast.ImportFrom):
            assert each.level == 0, "imports are absolute"
            yield each.module or ""
            if each.module == "autoqa":
                yield from (f"autoqa.{alias.name}" for alias in each.names)


@cache
def project(folder: Path) -> dict[str, Any]:
    with (folder / "pyproject.toml").open("rb") as file:
        table: dict[str, Any] = tomllib.load(file)["project"]
    return table


def normal(requirement: str) -> str:
    """``huggingface_hub>=1.0`` to ``huggingface-hub``."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def files(package: Path) -> set[str]:
    """All that a wheel should hold of a package, named from the folder above it."""
    return {
        str(path.relative_to(package.parent))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def packed(wheel: Path) -> set[str]:
    """What a wheel holds beside the facts about itself."""
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def requirements(folder: Path) -> list[str]:
    table = project(folder)
    extras = table.get("optional-dependencies", {}).values()
    return [*table["dependencies"], *(each for extra in extras for each in extra)]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][^,;+ ]*", line) for line in pinned), pinned
    return dict(line.split("==") for line in pinned)
