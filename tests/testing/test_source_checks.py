"""What is wrong with a source is found by the check for it, in a sentence."""

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoqa.api import (
    Answer,
    DataError,
    Example,
    Examples,
    Options,
    RowOptions,
    SourceSpec,
    examples_from,
    read_rows,
    rows_from,
    selected,
)
from autoqa.testing import DamagedRows, Subject, checks_of, run_check
from autoqa.testing.kit import options_of
from tests.testing.test_kit import load, source

ROW = Example("1", "Where?", "In Rome.", (Answer("Rome", 3),), "en", "1")


IN_A_PROCESS = ("import", "silence", "missing")
"""Checks that start a process, which costs a second."""


def failed(spec: Any, options: Any = None, only: str = "", **more: Any) -> dict[str, str]:
    """Name of each check that failed to its sentence; those in a process are left out.

    Args:
        spec: The plugin.
        options: Its options.
        only: The only check to do; left out, all.
        more: Of the subject.
    """
    parts = {"folder": Path("nowhere")} | more
    subject = Subject(spec=spec, options=options_of(spec, options), **parts)
    results = [
        run_check(check, subject)
        for check in checks_of(spec)
        if (check.name == only if only else check.name not in IN_A_PROCESS)
    ]
    return {each.check.name: each.sentence for each in results if each.outcome == "failed"}


def gives(*rows: Any) -> SourceSpec:
    return source(load=lambda options: list(rows))


@pytest.mark.parametrize(
    "row, check, sentence",
    [
        (replace(ROW, answers=(Answer("Rome", 2),)), "offsets", "context[2:6] is ' Rom', not the"),
        (
            replace(ROW, answers=(Answer("Rome", -5),)),
            "offsets",
            "context[-5:-1] is 'In Rome', not the",
        ),
        (replace(ROW, language="English"), "languages", "its language is 'English', not an ISO"),
        (replace(ROW, question=" "), "rows", "question is empty; correct or remove the row."),
        ("Rome", "rows", "row 1 is of type str, not autoqa.api.Example"),
    ],
)
def test_a_wrong_row_is_found(row: Any, check: str, sentence: str) -> None:
    assert sentence in failed(gives(row))[check]


def test_no_rows_are_told() -> None:
    assert failed(gives())["ids"].startswith("load gives no row with these options")


def test_another_order_is_found() -> None:
    turns = iter([[ROW, replace(ROW, id="2")], [replace(ROW, id="2"), ROW]] * 20)
    spec = source(load=lambda options: next(turns))
    assert failed(spec)["order"].startswith("loading twice gives another row 1: ")


class TownOptions(RowOptions):
    """Keys.

    Attributes:
        path: The file.
    """

    path: Path = Path("none")


def objects(options: TownOptions) -> Any:
    given = {
        "question": "Q?",
        "context": "In Rome.",
        "answers": {"text": ["Rome"], "answer_start": [3]},
    }
    rows = [given | {"id": str(n), "language": language} for n, language in enumerate(["en", "hi"])]
    return rows_from(rows, "towns", options.columns)


def filtered(options: TownOptions) -> Examples:
    return examples_from(objects(options), options, "towns")


def test_the_language_filter_is_exact() -> None:
    sound = source(options=TownOptions, load=filtered)
    assert failed(sound) == {}
    deaf = source(options=TownOptions, load=lambda options: filtered(TownOptions()))
    assert failed(deaf)["language-filter"] == "languages = ['en'] lets hi through"


def test_rows_are_those_that_load_begins_with() -> None:
    raw = lambda options: selected(objects(options), options)  # noqa: E731
    assert failed(source(options=TownOptions, load=filtered, rows=raw)) == {}
    none = source(options=TownOptions, load=filtered, rows=lambda options: iter(()))
    assert "the audit would miss some" in failed(none)["raw-rows"]


def test_the_network_is_noticed() -> None:
    def fetching(options: Options) -> list[Example]:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
        return [ROW]

    said = failed(source(load=fetching))["offline"]
    assert said == (
        "missing says that nothing is missing, yet load asks the network: "
        "the check allows no network"
    )
    asking = source(missing=lambda options: socket.getaddrinfo("example.invalid", 80))
    assert failed(asking)["offline"].startswith("missing asks the network: ")
    needing = source(missing=lambda options: "copy the rows to /rows", load=fetching)
    assert failed(needing) == {}


def test_damaged_rows_are_named(tmp_path: Path) -> None:
    path = tmp_path / "towns.jsonl"
    path.write_text('{"id": "1", "question": "Q?", "context": "In Rome.", "answers": 7}\n')
    options = TownOptions(path=path, language="en", on_mismatch=("refuse",))

    def reading(given: TownOptions) -> Any:
        if given.path == Path("none"):
            return filtered(given)
        return examples_from(read_rows(given.path), given, "towns")

    spec = source(options=TownOptions, load=reading)
    assert failed(spec, damaged=DamagedRows(options=options, place="towns.jsonl:1")) == {}
    other = DamagedRows(options=options, place="towns.jsonl:9")
    assert "does not say 'towns.jsonl:9'" in failed(spec, damaged=other)["damaged-rows"]
    silent = source(options=TownOptions, load=lambda options: filtered(TownOptions()))
    assert (
        failed(silent, damaged=other)["damaged-rows"] == "damaged rows are loaded without an error"
    )


def test_what_a_plugin_raises_is_a_failure_with_its_place() -> None:
    def broken(options: Options) -> list[Example]:
        raise DataError("towns.csv, line 3: nothing") if options is None else KeyError("rome")

    said = failed(source(load=broken))
    assert set(said) == {"offsets", "ids", "languages", "rows", "order", "offline"}
    assert "KeyError: 'rome' (" in said["ids"]
    assert "test_source_checks.py, line " in said["ids"]


@pytest.mark.parametrize("licence", ["", "MIT\nApache", 7])
def test_a_licence_is_a_line(licence: Any) -> None:
    assert "not one line" in failed(source(licence=lambda options: licence))["licence"]


def test_the_same_rows_are_sound() -> None:
    assert failed(source(load=load)) == {}
