"""Which display people see."""

import sys
from typing import TextIO

from rich.console import Console

from autoqa.supervision.display import Display, LiveDisplay, PlainDisplay, QuietDisplay


def choose_display(quiet: bool, stream: TextIO | None = None) -> Display:
    """A live table on a terminal or in a notebook, plain lines elsewhere, nothing if asked for.

    Args:
        quiet: Show nothing but the result.
        stream: Where to; standard error if left out.
    """
    console = Console(file=stream or sys.stderr)
    if quiet:
        return QuietDisplay()
    if console.is_jupyter and stream is None:
        # A notebook has IPython, which others need not.
        from autoqa.supervision.notebook import NotebookDisplay

        return NotebookDisplay()
    return LiveDisplay(console) if console.is_terminal else PlainDisplay(stream or sys.stderr)
