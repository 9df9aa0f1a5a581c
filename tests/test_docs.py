"""The pages are run and complete: commands, study files, plugins, links, exit codes."""

import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from autoqa import errors
from autoqa.cli.main import cli
from autoqa.config.study import StudyFile
from autoqa.registry.records import GROUPS
from autoqa.testing import run_checks
from tests.docs_kit import PAGES, ROOT, Block, blocks, blocks_of, check_commands, plain, run

LINK = re.compile(r"\]\(([^)]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_mark_stands_above_a_block_that_is_run(page: str) -> None:
    found = blocks_of(page)
    assert len(found) == PAGES[page].count("<!-- test")
    runnable = {"console", "toml", "python"}
    assert {block.language for block in found if not block.file} <= runnable


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_do_what_the_pages_show(block: Block, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    check_commands(block, tmp_path)


def test_every_command_that_is_listed_exists(tmp_path: Path) -> None:
    listed = set(re.findall(r"^\| `autoqa (\w+)", PAGES["README.md"], re.M))
    done = run("autoqa --help", ROOT, tmp_path)
    section = done.stdout.partition("Commands:")[2]
    assert listed == set(re.findall(r"^  (\w+)  ", section, re.M))
    for command in sorted(listed):
        assert run(f"autoqa {command} --help", ROOT, tmp_path).returncode == 0


def leaves(command: click.Command, name: str) -> Iterator[str]:
    """Full names of the commands that do something, groups left out."""
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for child in command.list_commands(context):
        subcommand = command.get_command(context, child)
        assert subcommand is not None
        yield from leaves(subcommand, f"{name} {child}")


@pytest.mark.parametrize("name", list(leaves(cli, "autoqa")))
def test_every_command_stands_in_a_page(name: str) -> None:
    assert any(re.search(rf"{name}\b", plain(text)) for text in PAGES.values())


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A study with another's tables laid over it, key by key."""
    return base | {
        key: merged(base[key], value) if isinstance(value, dict) and key in base else value
        for key, value in changes.items()
    }


def readme_study() -> dict[str, Any]:
    (block,) = [block for block in blocks("toml") if block.page == "README.md"]
    assert len(block.text.splitlines()) <= 25
    return tomllib.loads(block.text)


def test_the_study_file_is_one_and_short() -> None:
    assert StudyFile.model_validate(readme_study()).validation.source == "target"


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_tables_of_a_study_file_fit_into_that_of_the_readme(block: Block) -> None:
    """Or are a project file's, for a plugin."""
    tables = tomllib.loads(block.text)
    if "project" in tables:
        assert set(tables["project"]["entry-points"]) <= set(GROUPS.values())
    else:
        StudyFile.model_validate(merged(readme_study(), tables))


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_plugins_shown_pass_their_checks(block: Block) -> None:
    space: dict[str, Any] = {"__name__": "my_package"}
    exec(compile(block.text, block.page, "exec"), space)
    results = run_checks(space["spec"])
    assert {each.check.name: each.sentence for each in results if each.outcome == "failed"} == {}


def test_every_kind_of_plugin_is_shown() -> None:
    tables = [tomllib.loads(block.text) for block in blocks("toml")]
    groups = [table["project"]["entry-points"] for table in tables if "project" in table]
    assert {name for group in groups for name in group} == set(GROUPS.values())


def test_every_exit_code_is_explained() -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGES["docs/bundles.md"], re.M)}
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    raised = {each.exit_code for each in kinds if issubclass(each, errors.AutoqaError)}
    assert explained == raised | {0, 130}


def anchors(text: str) -> set[str]:
    """What a hosting site calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in LINK.findall(PAGES[page]):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), target


def test_the_readme_leads_to_every_page() -> None:
    targets = set(LINK.findall(PAGES["README.md"]))
    assert {page for page in PAGES if page.startswith("docs/")} <= targets


def test_the_map_names_every_room_and_only_what_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition("| room |")[2].partition("\n\n")[0]
    named = [
        name
        for line in table.splitlines()[2:]
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    ]
    package = ROOT / "autoqa"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    assert sorted(named) == sorted(rooms | modules)
    for path in re.findall(r"`((?:\w+/)+\w+\.py)`", text):
        assert (package / path).is_file() or path.startswith("report/x"), path
