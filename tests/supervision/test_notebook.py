"""A search in a notebook: a table that is replaced, and lines below it."""

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

CELL = """
from autoqa.supervision.display import Status, TrialOutcome
from autoqa.supervision.display_choice import choose_display
from autoqa.training.messages import DeviceUse, Progress

with choose_display(quiet=False) as shown:
    shown.event("trial 3 starts on worker 0")
    shown.working(0, "e5", Progress(3, "training", 1, 2, 40, 80, 1.25, 31.0))
    shown.detail("trial 3: not asked for")
    shown.event("trial 3: [squad] <b>half</b>")
    shown.idle(0)
    cpu = DeviceUse("CPU", 4, 1_230_000_000)
    shown.working(1, "e5", Progress(4, "training", 1, 2, 40, 80, 1.25, 31.0, 130.0, cpu))
    ended = TrialOutcome(2, "e5", None, "failed: <b>nan</b>")
    shown.status(Status(3, 20, None, 3725, True, recent=(ended,)))
"""


def test_a_notebook_needs_no_widgets() -> None:
    notebook = new_notebook(cells=[new_code_cell(CELL)])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    page, *lines = outputs
    assert page.output_type == "display_data"
    assert {line.name for line in lines} == {"stdout"}
    text = "".join(line.text for line in lines)
    assert text == "trial 3 starts on worker 0\ntrial 3: [squad] <b>half</b>\n"
    html = page.data["text/html"]
    assert "3 of 20 trials, about 62 min left" in html
    assert "idle" in html, "the last picture stands, not the first one"
    assert html.startswith("<pre")
    assert "failed: &lt;b&gt;nan&lt;/b&gt;" in html
    for part in ("CPU×4", "1.2 GB", "2 min"):
        assert part in html, part
