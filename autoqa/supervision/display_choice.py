"""Which display people see."""

import sys
from typing import TextIO

from rich.console import Console

from autoqa.supervision.display import Display, PlainDisplay, QuietDisplay
from autoqa.supervision.live import LiveDisplay

_SELDOM, _OFTEN = 600.0, 60.0
"""Seconds between two reports in a log, without and with details."""


def choose_display(quiet: bool, stream: TextIO | None = None, *, verbose: bool = False) -> Display:
    """A live picture on a terminal or in a notebook, plain lines elsewhere, nothing if asked for.

    Args:
        quiet: Show nothing but the result.
        stream: Where to; standard error if left out.
        verbose: Show details, too.
    """
    console = Console(file=stream or sys.stderr)
    if quiet:
        return QuietDisplay()
    if console.is_jupyter and stream is None:
        # A notebook has IPython, which others need not.
        from autoqa.supervision.notebook import NotebookDisplay

        return NotebookDisplay(verbose=verbose)
    if console.is_terminal and not console.is_dumb_terminal:
        return LiveDisplay(console, verbose=verbose)
    return PlainDisplay(stream or sys.stderr, _OFTEN if verbose else _SELDOM, verbose=verbose)
