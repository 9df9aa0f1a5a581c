"""``autoqa plugins show``: what a plugin takes and what it says of itself."""

import click

from autoqa.cli.plugins.naming import find, table_of, takes_options
from autoqa.cli.terminal import data_console, echo_json


@click.command(name="show")
@click.argument("words", nargs=-1, required=True, metavar="[KIND] NAME")
@takes_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, with the JSON schema.")
def show_plugin(words: tuple[str, ...], assignments: tuple[str, ...], as_json: bool) -> None:
    """Show a plugin's options, protocol, licence, and what is missing here.

    KIND is backbone, source, augmentation or metric, and needed only where plugins of several kinds
    have that name. What depends on options is shown for the defaults, or for those that are given.
    """
    from autoqa.registry.description import describe
    from autoqa.report.plugin import as_object, renderables

    description = describe(find(words), table_of(assignments))
    if as_json:
        echo_json(as_object(description))
        return
    console = data_console()
    for part in renderables(description):
        console.print(part)
