"""Whatever stands in a study file in place of what should, sentences say so."""

import copy
import datetime
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.errors import ConfigError, PluginError
from autoqa.registry import discover, open_study

STUDIES = [
    tomllib.loads(path.read_text(encoding="utf-8"))
    for path in sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))
]
CATALOGUE = discover()
VALUES: list[Any] = [
    *(0, -1, 3, 10**30, 0.5, 1e308, float("nan"), float("inf"), True),
    *("", "search", "${", "${NOT_SET}", "$${a}", "[red]", "\x1b[31m", "हिन्दी"),
    *([], [1], ["a", "a"], [[1]], [{}], [True, "a"], {}, {"type": "e5-small"}, {"low": "a"}),
    *(datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1), datetime.time(1, 2)),
]
KEYS = ("", "type", "source", "x y", "A", "[key]", "\n", "हि")


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = enumerate(value) if isinstance(value, list) else ()
    for key, below in value.items() if isinstance(value, dict) else inner:
        yield (*at, key)
        yield from places(below, (*at, key))


def written(value: Any) -> str:
    match value:
        case dict():
            pairs = (f"{json.dumps(key)} = {written(below)}" for key, below in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list():
            return f"[{', '.join(map(written, value))}]"
        case bool() | str():
            return json.dumps(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
    return repr(value)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A study of the repository with one to three places that hold something else, or nothing."""
    study = copy.deepcopy(draw(st.sampled_from(STUDIES)))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(list(places(study)) or [("name",)]))
        table: Any = study
        for key in above:
            table = table[key]
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        match draw(st.sampled_from(["set", "set", "remove", "rename", "add"])):
            case "set":
                table[last] = value
            case "remove":
                del table[last]
            case "rename" if isinstance(table, dict):
                table[draw(st.sampled_from(KEYS))] = table.pop(last)
            case "add" if isinstance(table, dict):
                table[draw(st.sampled_from(KEYS))] = value
    return study


@settings(deadline=None, max_examples=150)
@given(data=mutated())
def test_any_study_is_fine_or_refused_in_sentences(
    data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("mutated") / "study.toml"
    path.write_text(
        "\n".join(f"{json.dumps(key)} = {written(value)}" for key, value in data.items()),
        encoding="utf-8",
    )
    assert written(tomllib.loads(path.read_text(encoding="utf-8"))) == written(data)
    try:
        open_study(path, CATALOGUE)
    except (ConfigError, PluginError) as error:
        lines = str(error).split("\n")
        assert all(re.match(rf"{re.escape(str(path))}: \S.*: .", line) for line in lines), lines
        assert len(set(lines)) == len(lines)
        assert not any("Extra inputs" in line for line in lines)
        places_of = [line.removeprefix(f"{path}: ").split(": ")[0] for line in lines]
        unread = [
            place
            for place, line in zip(places_of, lines, strict=True)
            if re.search("is no variable; write|should be a finite|variable NOT_SET is not", line)
        ]
        # A value may hold several variables, but nothing else is wrong with what replaced it.
        for place in unread:
            assert places_of.count(place) == unread.count(place), lines
