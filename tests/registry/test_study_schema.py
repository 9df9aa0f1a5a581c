"""Editors are told what a study file may hold."""

import copy
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from autoqa.registry import discover
from autoqa.registry.study_schema import study_schema
from tests.conftest import Run

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return study_schema(discover())


@pytest.fixture(scope="module")
def valid(schema: dict[str, Any]) -> Callable[[dict[str, Any]], bool]:
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema).is_valid


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_the_studies_that_come_along_are_valid(path: Path, valid: Any) -> None:
    assert valid(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        lambda study: study.update(nmae="x"),
        lambda study: study["sources"]["hindi"].update(type="dmeo"),
        lambda study: study["sources"]["hindi"].update(documnets=3),
        lambda study: study["sources"]["hindi"].update(documents="many"),
        lambda study: study["backbones"]["e5"].update(protocol={"learning_rat": 1e-5}),
        lambda study: study["backbones"]["e5"].update(protocol={"learning_rate": -1}),
        lambda study: study["recipe"].update(portions=[]),
        lambda study: study["validation"].update(public=1.5),
        lambda study: study["recipe"].update(augmentations=[{"type": "cutout", "share": "x"}]),
    ],
)
def test_mistakes_are_seen(change: Callable[[Any], None], valid: Any) -> None:
    study = tomllib.loads((STUDIES[0].parent / "quickstart.toml").read_text(encoding="utf-8"))
    assert valid(study)
    changed = copy.deepcopy(study)
    change(changed)
    assert not valid(changed)


def test_every_key_says_what_it_means(schema: dict[str, Any]) -> None:
    silent = []
    for name, table in {"the file": schema, **schema["definitions"]}.items():
        for branch in table.get("oneOf", [table]):
            silent += [
                f"{branch.get('title', name)}: {key}"
                for key, each in branch.get("properties", {}).items()
                if "description" not in each and key != "type"
            ]
    assert not silent


def test_the_command_writes_it(tmp_path: Path, run: Run, schema: dict[str, Any]) -> None:
    code, out, _ = run("studies", "schema")
    assert code == 0
    assert json.loads(out) == json.loads(json.dumps(schema))
    assert run("studies", "schema", "--to", tmp_path / "study.schema.json")[:2] == (0, "")
    assert (tmp_path / "study.schema.json").read_text() == out
    code, _, err = run("studies", "schema", "--to", tmp_path / "no" / "x.json")
    assert code == 2
    assert f"the folder {tmp_path / 'no'} does not exist" in err
