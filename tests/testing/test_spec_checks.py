"""Modules that are slow, heavy or loud, and options that are wrong, are found."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from autoqa.testing import run_checks
from tests.plugin_kit import write_distribution
from tests.testing.test_kit import source
from tests.testing.test_source_checks import failed

SOURCE = """
class NoOptions(Options):
    "None."

spec = SourceSpec(name="odd", summary="Odd", options=NoOptions, licence=lambda o: "CC0-1.0",
    load=lambda o: [Example("1", "Where?", "In Rome.", (Answer("Rome", 3),), "en", "1")],
    missing=lambda o: {missing})
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("my_odd", None)


def all_failed(spec: Any) -> dict[str, str]:
    """Name of each check that failed to its sentence."""
    results = run_checks(spec)
    return {each.check.name: each.sentence for each in results if each.outcome == "failed"}


def imported(site: Path, code: str, missing: str = "None", name: str = "odd") -> Any:
    points = {"sources": {name: "spec"}}
    write_distribution(site, "my-odd", points, code + SOURCE.format(missing=missing))
    return importlib.import_module("my_odd").spec


@pytest.mark.parametrize(
    "code, check, sentence",
    [
        ("import optuna\n", "import", "importing my_odd:spec imports optuna"),
        ("time.sleep(1.2)\n", "import", " s, and every `autoqa plugins list` waits for it"),
        ("print('hello')\n", "silence", "importing my_odd:spec prints 'hello\\n' to stdout"),
        ("os.write(1, b'hello')\n", "silence", "prints 'hello' to stdout"),
    ],
)
def test_an_import_that_is_a_burden_is_found(
    site: Path, code: str, check: str, sentence: str
) -> None:
    assert sentence in all_failed(imported(site, code))[check]


def test_asking_what_is_missing_is_light(site: Path) -> None:
    said = all_failed(imported(site, "", "__import__('optuna') and None"))
    assert said["missing"].startswith("missing imports optuna; importlib.util.find_spec tells")


def test_the_entry_point_has_the_same_name(site: Path) -> None:
    said = failed(imported(site, "", name="even"))
    assert said == {"entry-point": "the entry point is called 'even', the spec 'odd'"}


class Loose(BaseModel):
    """Keys.

    Attributes:
        rows: How many.
    """

    rows: int = 2


class Silent(BaseModel, extra="forbid"):
    rows: int = 2


class Contrary(BaseModel, extra="forbid"):
    rows: int = Field(default=-1, ge=0, description="How many.")


class Schemaless(BaseModel, extra="forbid", arbitrary_types_allowed=True):
    rows: type(sys) = Field(default=sys, description="A module.")  # type: ignore[valid-type]


@pytest.mark.parametrize(
    "model, given, check, sentence",
    [
        (Loose, None, "options", "Loose ignores keys that it does not know"),
        (Silent, None, "documentation", "Silent does not say what rows means; write it below"),
        (
            Contrary,
            {"rows": 1},
            "defaults",
            "Contrary does not take its own defaults: options.rows: ",
        ),
        (Schemaless, None, "options", "Schemaless has no JSON schema: Pydantic"),
    ],
)
def test_wrong_options_are_found(model: Any, given: Any, check: str, sentence: str) -> None:
    spec = source(options=model, load=lambda options: [])
    assert failed(spec, given)[check].startswith(sentence)


@pytest.mark.parametrize(
    "summary, sentence",
    [("", "the summary is empty"), ("a\nb", "several lines"), ("a" * 161, "161 characters")],
)
def test_a_summary_is_a_line(summary: str, sentence: str) -> None:
    assert sentence in failed(source(summary=summary))["summary"]


def test_the_version_of_the_api_is_compared() -> None:
    assert failed(source(api_version=7))["api-version"] == "api_version is 7, and autoqa's is 1"
