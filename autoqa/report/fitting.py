"""A table that leaves out its less important columns where the terminal is narrow."""

from collections.abc import Iterable
from copy import copy

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

_FOLDED = 16
"""Characters that a column of long texts needs at least."""


class FittingTable(Table):
    """A table whose columns in one line are whole or not there: no id and no score is cut.

    Where it does not fit into the width that there is, columns go one after another, and a line
    below says which. Only a table of nothing but important columns is folded.

    Attributes:
        spare: Headings of the columns that may be left out, the least important first.
    """

    spare: tuple[str, ...] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich."""
        shown, gone = self._columns_alone(self.columns), []
        for heading in self.spare:
            if _needed(shown, console, options) <= options.max_width:
                break
            gone.append(heading)
            shown = self._columns_alone(c for c in shown.columns if c.header != heading)
        if _needed(shown, console, options) > options.max_width:
            for column in shown.columns:
                column.no_wrap = False
        yield from Table.__rich_console__(shown, console, options)
        names = [column.header for column in self.columns if column.header in gone]
        if names:
            sentence = (
                f"Left out for want of width: {', '.join(map(str, names))}. --wide shows all."
            )
            yield Text(sentence, "dim")

    def _columns_alone(self, columns: Iterable[Column]) -> Table:
        """The same table with some of its columns."""
        other = copy(self)
        other.columns = [copy(column) for column in columns]
        for place, column in enumerate(other.columns):
            column._index = place
        return other


def _needed(table: Table, console: Console, options: ConsoleOptions) -> int:
    """Characters of the table's width where columns of long texts are folded."""
    probe = copy(table)
    probe.columns = [
        column if column.no_wrap else _at_most(column, _FOLDED) for column in table.columns
    ]
    wide = options.update(width=100_000)
    return Measurement(*Table.__rich_measure__(probe, console, wide)).maximum


def _at_most(column: Column, width: int) -> Column:
    other = copy(column)
    other.max_width = width
    return other
