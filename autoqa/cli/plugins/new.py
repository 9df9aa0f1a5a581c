"""``autoqa plugins new``: a package with a plugin that works, to be changed into one's own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autoqa.registry.records import PluginKind


@click.command(name="new")
@click.argument("kind", type=click.Choice(["backbone", "source", "augmentation", "metric"]))
@click.argument("name")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    help="The folder to make; left out, one called NAME here.",
)
def new_plugin(kind: "PluginKind", name: str, folder: Path | None) -> None:
    """Write a package with a small plugin that works, its tests, and a README.

    NAME becomes the name of the package and of the plugin. The tests pass at once; change the
    plugin into your own and keep them passing.
    """
    from autoqa.testing.new_plugin import write_plugin

    target = folder or Path(name)
    for path in write_plugin(kind, name, target):
        click.echo(target / path)
    click.echo(
        # Without quotes zsh takes the brackets for a pattern.
        f'Next: pip install -e "{target}[test]" && autoqa plugins check {kind} {name}',
        err=True,
    )
