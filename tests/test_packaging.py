"""House rules that a reader can rely on, held to the code: sizes, imports, names."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.installing.projects import CORE, PACKAGES, PLUGINS, imports, named, tree

MODULES = sorted(path for folder in PACKAGES for path in folder.rglob("*.py"))

modules = pytest.mark.parametrize("path", MODULES, ids=named)
plugins = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)


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
