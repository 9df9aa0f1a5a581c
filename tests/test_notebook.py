"""docs/notebook.ipynb is kept without outputs, and runs over a finished search."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tests.docs_kit import ROOT, environment

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"


def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def executed(folder: Path, home: Path, study: str, cell: str = "") -> list[str]:
    """What the cells show, as text, where a study of that name has run; plus a cell's."""
    read = notebook()
    first = next(each for each in read.cells if each.cell_type == "code")
    first.source = first.source.replace('STUDY = "first"', f'STUDY = "{study}"')
    assert f'"{study}"' in first.source
    if cell:
        read.cells.append(nbformat.v4.new_code_cell(cell))
    variables = environment(home) | {"AUTOQA_HOME": str(home / "runs")}
    client = NotebookClient(read, timeout=600, resources={"metadata": {"path": str(folder)}})
    client.execute(env=variables)
    return [text for each in read.cells for text in shown(each)]


def shown(cell: NotebookNode) -> list[str]:
    outputs = cell.get("outputs", [])
    assert not [each for each in outputs if each.output_type == "error"]
    return [each.get("text") or each.data["text/plain"] for each in outputs]


def test_it_is_kept_without_outputs() -> None:
    read = notebook()
    nbformat.validate(read)
    cells = [each for each in read.cells if each.cell_type == "code"]
    assert cells
    assert all(each.outputs == [] and each.execution_count is None for each in cells)
    lines = [line for each in read.cells for line in each.source.splitlines()]
    assert max(map(len, lines)) <= 110


def test_its_links_lead_somewhere() -> None:
    text = "\n".join(each.source for each in notebook().cells if each.cell_type == "markdown")
    targets = re.findall(r"\]\(([^)#]+)", text)
    assert targets
    assert all((NOTEBOOK.parent / target).is_file() for target in targets)


def test_it_shows_a_finished_search(golden: Path) -> None:
    (golden / "runs").symlink_to(golden / "searched", target_is_directory=True)
    texts = executed(golden, golden, "golden")
    together = "\n".join(texts)
    for part in ("Run('golden'", "t0000-100", "on the public part", "candidates", "IFrame"):
        assert part in together
    assert (golden / "golden-explored.html").is_file()
    assert (golden / "golden-explored" / "manifest.json").is_file()


@pytest.mark.slow
def test_a_cell_that_raises_fails_it(golden: Path) -> None:
    (golden / "runs").symlink_to(golden / "searched", target_is_directory=True)
    with pytest.raises(CellExecutionError, match="no study"):
        executed(golden, golden, "golden", 'autoqa.open_run("no-such-study")')
