"""What people see in a notebook while a search runs; no widgets are needed."""

import io

from IPython.display import HTML, display
from rich.console import Console, RenderableType

from autoqa.supervision.live import LiveDisplay

_WIDTH, _HEIGHT = 100, 60
"""Characters of a line, and lines at most."""

_PAGE = '<pre style="line-height: normal; font-family: monospace">{code}</pre>'


class NotebookDisplay(LiveDisplay):
    """The picture as an output that is replaced; what happens follows as text."""

    def __init__(self, *, verbose: bool = False) -> None:
        # Told that it is no notebook: rich would print there at once.
        console = Console(
            file=io.StringIO(), width=_WIDTH, height=_HEIGHT, record=True, force_jupyter=False
        )
        super().__init__(console, verbose=verbose)

    def __enter__(self) -> "NotebookDisplay":
        self._output = display(self._html(self.picture()), display_id=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._show(self.picture())

    def event(self, text: str) -> None:
        """Prints a line below the table."""
        print(text, flush=True)  # noqa: T201

    def _show(self, picture: RenderableType) -> None:
        self._output.update(self._html(picture))

    def _html(self, picture: RenderableType) -> HTML:
        self._console.print(picture)
        return HTML(self._console.export_html(inline_styles=True, code_format=_PAGE))
