"""docs/plugins.md is complete: every public name, every check, every template."""

import inspect
import re
from types import ModuleType

import pytest
from pydantic import BaseModel

import autoqa.api
import autoqa.testing
from autoqa.registry.description import option_descriptions
from autoqa.testing import CHECKS, MODEL_CHECKS, cases
from autoqa.testing.new_plugin import write_plugin
from tests.docs_kit import PAGES

PAGE = PAGES["docs/plugins.md"]
ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.M)
CASES = ("SourceCase", "BackboneCase", "AugmentationCase", "MetricCase", "PluginCase")


def names(heading: str) -> dict[str, str]:
    """The rows of a table of names."""
    return dict(ROW.findall(PAGE.partition(f"### {heading}\n")[2].partition("\n### ")[0]))


def said(value: object) -> str | None:
    """The first line of a docstring; ``None`` of a constant or a type alias."""
    if not inspect.isclass(value) and not inspect.isfunction(value):
        return None
    line = (inspect.getdoc(value) or "").partition("\n")[0]
    return line.replace("``", "`").rstrip(".")


@pytest.mark.parametrize("module", [autoqa.api, autoqa.testing], ids=lambda module: module.__name__)
def test_every_public_name_has_a_line(module: ModuleType) -> None:
    listed = names(f"`{module.__name__}`")
    for name in module.__all__:
        wanted = said(getattr(module, name))
        assert name in listed, f"| `{name}` | {wanted} |"
        assert wanted in (None, listed[name].rstrip(".")), f"| `{name}` | {wanted} |"
    assert list(listed) == sorted(module.__all__)


def test_every_case_has_a_line() -> None:
    listed = names("`autoqa.testing.cases`")
    assert listed == {name: said(getattr(cases, name)) for name in sorted(CASES)}


def test_every_check_has_a_line() -> None:
    listed = ROW.findall(PAGE.partition("## The checks")[2].partition("\n## ")[0])
    made = [
        (c.name, c.summary) for c in (*sum(CHECKS.values(), ()), *sum(MODEL_CHECKS.values(), ()))
    ]
    assert set(listed) == set(made)


def test_members_of_public_classes_are_documented() -> None:
    for module in (autoqa.api, autoqa.testing):
        for name in module.__all__:
            value = getattr(module, name)
            if not inspect.isclass(value) or not value.__module__.startswith("autoqa"):
                continue
            if issubclass(value, BaseModel):
                assert [o.name for o in option_descriptions(value) if not o.meaning] == [], name
            fields = getattr(value, "__dataclass_fields__", {})
            text = value.__doc__ or ""
            assert [each for each in fields if f"{each}:" not in text] == [], name
            for member, function in vars(value).items():
                own = not member.startswith("_") and getattr(function, "__name__", "") == member
                if inspect.isfunction(function) and own:
                    assert function.__doc__, f"{name}.{member}"


def test_the_backbone_is_the_one_that_is_written(tmp_path) -> None:  # type: ignore[no-untyped-def]
    write_plugin("backbone", "my-encoder", tmp_path / "package")
    written = (tmp_path / "package" / "my_encoder" / "backbone.py").read_text("utf-8")
    assert f"```python\n{written}```\n" in PAGE
