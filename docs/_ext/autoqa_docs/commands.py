"""The page about the command: what sphinx-click makes of it, with names of groups and a list."""

from collections.abc import Iterator
from typing import Any

import click
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from autoqa.cli.main import cli
from autoqa_docs.markup import GeneratedPart, marked

PROGRAM = "autoqa"


class CommandsPart(GeneratedPart):
    """``.. commands::``: a line for each command that does something, which leads to it."""

    def text(self) -> str:
        """A list with links to the headings below."""
        return "\n".join(
            f"- `{name} <#{nodes.make_id(name)}>`__: {marked(command.get_short_help_str(200))}"
            for name, command in leaves(cli, PROGRAM)
        )


class CommandNames(SphinxTransform):
    """Headings of commands in groups name the group, ``cache clean`` for ``clean``."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Looks at the sections that sphinx-click made."""
        for section in self.document.findall(nodes.section):
            name = " ".join(section["names"])
            title = section.next_node(nodes.title)
            if title is not None and name.startswith(f"{PROGRAM} "):
                title.children = []
                title += nodes.Text(name.removeprefix(f"{PROGRAM} "))


def no_bare_arguments(_: Sphinx, __: click.Context, lines: list[str]) -> None:
    """Leaves out the arguments, of which click knows only what the usage line shows."""
    lines.clear()


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The commands that do something, by their whole names.

    Args:
        command: A command, or a group of them.
        name: Its whole name.
    """
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for child in command.list_commands(context):
        found = command.get_command(context, child)
        if found is not None and not found.hidden:
            yield from leaves(found, f"{name} {child}")
