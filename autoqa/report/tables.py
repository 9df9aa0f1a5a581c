"""One look for all tables: plain head, no frame."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Column, Table


def table(
    *columns: "str | Column",
    title: str | None = None,
    edge: bool = True,
    spare: Sequence[str] = (),
) -> "Table":
    """An empty table; what is in one line of a cell stays in one line, but in folded columns.

    Args:
        columns: A heading each, or what :func:`numbers`, :func:`folded` and :func:`unwrapped` make
            of headings.
        title: Stands above, to the left.
        edge: Whether a blank line stands above and below.
        spare: Headings of columns that may go where the terminal is narrow, the least important
            first.
    """
    # Rich takes a tenth of a second to import, which commands that print no table need not pay.
    from rich import box

    from autoqa.report.fitting import FittingTable

    shown = FittingTable(
        *(unwrapped(each)[0] if isinstance(each, str) else each for each in columns),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=edge,
        title=title,
        title_justify="left",
    )
    shown.spare = tuple(spare)
    return shown


def numbers(*headings: str) -> "list[Column]":
    """Columns aligned to the right."""
    return unwrapped(*headings, right=True)


def folded(*headings: str) -> "list[Column]":
    """Columns of long texts, which go on in further lines and lose nothing."""
    from rich.table import Column

    return [Column(heading, overflow="fold") for heading in headings]


def unwrapped(*headings: str, right: bool = False) -> "list[Column]":
    """Columns whose cells stay in one line; ``right`` aligns them to the right."""
    from rich.table import Column

    return [
        Column(heading, justify="right" if right else "left", no_wrap=True, overflow="fold")
        for heading in headings
    ]
