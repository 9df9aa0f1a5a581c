"""``autoqa data``: what is in a study's data, and what is wrong with it."""

import click

from autoqa.cli.main import LazyGroup

DATA: dict[str, tuple[str, str]] = {
    "audit": ("autoqa.cli.data.audit:audit", "Report what is in the data and what is wrong."),
    "leaks": ("autoqa.cli.data.leaks:leaks", "List rows that give validation answers away."),
    "similar": (
        "autoqa.cli.data.similar:similar",
        "Show which rows of a source ask like the target does.",
    ),
    "relocate": (
        "autoqa.cli.data.relocate:relocate",
        "Choose the place of answers that occur several times.",
    ),
    "disagreements": (
        "autoqa.cli.data.disagreements:disagreements",
        "List labels that confident candidates contradict.",
    ),
    "relabel": (
        "autoqa.cli.data.relabel:relabel",
        "Take labels that people corrected elsewhere as an overlay.",
    ),
}
"""Name to (where the click command is, its line in ``autoqa data --help``), in order of use."""


@click.group(cls=LazyGroup, lazy=DATA)
def data() -> None:
    """Look into a study's data before it costs a search."""
