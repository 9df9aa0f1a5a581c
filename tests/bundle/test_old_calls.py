"""The tables of docs/coming-from.md about answering do what they say."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest

import autoqa
from autoqa.bundle.input_rows import Row
from tests import bundle_kit
from tests.docs_kit import PAGES

PAGE = "docs/coming-from.md"
EXAMPLE = bundle_kit.examples(5)[4]


def table(head: str) -> list[tuple[str, str]]:
    """Cells of a table: the code of each, or its text where it is no code."""
    rows = PAGES[PAGE].partition(f"| {head} | with a bundle |\n|---|---|\n")[2]
    lines = rows.partition("\n\n")[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert cells
    assert all(len(each) == 2 for each in cells)
    return [(left.strip("`"), right) for left, right in cells]


def answers(value: Any) -> list[str]:
    several = value if isinstance(value, list) else [value]
    return [str(each if isinstance(each, str | float) else each["answer"]) for each in several]


@pytest.fixture
def space(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(bundle.parent)
    assert bundle.name == "bundle"
    code = re.findall(r"```python\n(.*?)```", PAGES[PAGE], re.S)[0]
    names: dict[str, Any] = {"Row": Row, "ensemble": autoqa.load("bundle")}
    exec(code, names)
    return names | {"question": EXAMPLE.question, "context": EXAMPLE.context}


@pytest.mark.parametrize("old, new", table("with transformers"))
def test_calls_of_the_pipeline(space: dict[str, Any], old: str, new: str) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = answers(eval(old, space))
    assert all(found)
    if not new.startswith("`"):
        assert len(said) == 1
        return
    assert not said
    assert answers(eval(new.strip("`"), space)) == found


def test_calls_of_haystack(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    haystack = pytest.importorskip("haystack", reason="the extra haystack is not installed")
    monkeypatch.setenv("HAYSTACK_TELEMETRY_ENABLED", "False")
    monkeypatch.chdir(bundle.parent)
    documents = [haystack.Document(content=e.context) for e in bundle_kit.examples(4)]
    names: dict[str, Any] = {"question": EXAMPLE.question, "documents": documents}
    for old, new in table("with Haystack 2"):
        code = new.strip("`")
        if code.startswith("reader.run"):
            assert old == code
            assert all(each.data for each in eval(code, names)["answers"])
        else:
            exec(code, names)
