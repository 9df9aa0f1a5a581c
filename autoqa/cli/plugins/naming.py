"""How commands are told which plugin is meant, and with which options."""

import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from autoqa.errors import ConfigError

if TYPE_CHECKING:
    from autoqa.registry import Record

takes_options = click.option(
    "--options",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the plugin, as a study file would say it; can be given several times.",
)


def find(words: Sequence[str]) -> "Record":
    """The plugin that ``[KIND] NAME`` names.

    Raises:
        PluginError: There is none, or it cannot be used.
        ConfigError: These are no such words.
    """
    from autoqa.registry import discover

    if len(words) not in (1, 2):
        raise ConfigError(
            f"give one plugin's name, or its kind and its name, not {len(words)} words"
        )
    return discover().named(words[-1], words[0] if len(words) == 2 else None)


def table_of(assignments: Sequence[str]) -> dict[str, Any]:
    """What ``--options KEY=VALUE`` say, as the table of a study file.

    A value that is no TOML is a text: ``path=rows.csv`` needs no quotes.

    Raises:
        ConfigError: One is not of that form, or a key is given twice.
    """
    table: dict[str, Any] = {}
    for assignment in assignments:
        key, sign, value = assignment.partition("=")
        if not sign or not key.strip():
            raise ConfigError(f"--options {assignment}: write KEY=VALUE, such as seed=3")
        if key.strip() in table:
            raise ConfigError(f"--options {assignment}: {key.strip()} is given twice")
        try:
            table[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            table[key.strip()] = value
    return table
