"""``autoqa cache``: what lies in the cache of this machine, and what of it goes."""

from typing import TYPE_CHECKING

import click

from autoqa.cli.terminal import data_console, echo_json, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS = ("features", "activations", "timings", "backbones")


@click.group()
def cache() -> None:
    """Look into the cache that all studies of this machine share, or clean it."""


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object instead of a table.")
def show(as_json: bool) -> None:
    """Show what lies in the cache, by kind.

    Features are tokenized examples, activations what frozen layers make of them, timings what
    runs were measured to take, backbones pretrained weights that plugins have converted.
    """
    from autoqa.env import cache_folder
    from autoqa.report.amounts import size
    from autoqa.report.studies import cache_objects, cache_table
    from autoqa.upkeep.cache import cache_entries

    entries = cache_entries()
    if as_json:
        echo_json({"folder": str(cache_folder()), "kinds": cache_objects(entries)})
        return
    data_console().print(cache_table(entries))
    click.echo(f"{size(sum(each.size for each in entries))} in {cache_folder()}")


@cache.command()
@click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="DAYS",
    help="Only what was not used for so many days.",
)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(_KINDS),
    multiple=True,
    help="Only this kind; may be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
def clean(older_than: float, kinds: "Sequence[str]", dry_run: bool) -> None:
    """Remove what lies in the cache; all of it is made again where it is needed.

    Only what autoqa itself has put there goes, and nothing that a process is making. Backbones
    stay while something trains on this machine.
    """
    from autoqa.report.amounts import size
    from autoqa.report.studies import cache_table
    from autoqa.upkeep.cache import cache_entries, remove_entries, training_here

    entries = cache_entries(kinds or _KINDS, older_than=older_than)
    if any(each.kind == "backbones" for each in entries):
        busy = training_here()
        if busy is not None:
            warn(f"backbones stay: the {busy.purpose} of {busy.process} may read them")
            entries = [each for each in entries if each.kind != "backbones"]
    if not dry_run:
        entries, left = remove_entries(entries)
        for each in left:
            warn(f"{each.path} stays: a process is making it")
    data_console().print(cache_table(entries))
    total = size(sum(each.size for each in entries))
    click.echo(f"{total} would be freed" if dry_run else f"{total} freed")
