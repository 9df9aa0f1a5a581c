"""``autoqa plugins``: what is installed, what it does, whether it keeps to its contract."""

import click

from autoqa.cli.plugins.checking import check_plugins
from autoqa.cli.plugins.listing import list_plugins
from autoqa.cli.plugins.new import new_plugin
from autoqa.cli.plugins.showing import show_plugin


@click.group()
def plugins() -> None:
    """List, show and check plugins, or begin one."""


for command in (list_plugins, show_plugin, check_plugins, new_plugin):
    plugins.add_command(command)
