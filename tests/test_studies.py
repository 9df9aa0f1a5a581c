"""The study files that come with the project are valid, and their reference is complete."""

import tomllib
from pathlib import Path

import pytest

from autoqa.api import TrainingProtocol
from autoqa.config import study as models
from autoqa.config.study import StudyFile

STUDIES = Path(__file__).parents[1] / "studies"
FILES = sorted(STUDIES.glob("*.toml"))
TABLES = [
    StudyFile,
    models.SourceTable,
    models.BackboneTable,
    models.RecipeTable,
    models.PortionTable,
    models.AugmentationTable,
    models.ValidationTable,
    models.SearchTable,
    models.SelectionTable,
    TrainingProtocol,
]


def read(path: Path) -> StudyFile:
    return StudyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_is_a_study_named_after_its_file(path: Path) -> None:
    assert read(path).name == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_uses_each_source_and_only_those_it_names(path: Path) -> None:
    study = read(path)
    used = {portion.source for portion in study.recipe.portions} | {study.validation.source}
    assert used == set(study.sources)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_slots_have_names_of_their_own(path: Path) -> None:
    slots = [portion.slot for portion in read(path).recipe.portions]
    assert len(slots) == len(set(slots))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_enqueued_points_name_backbones_and_slots_that_exist(path: Path) -> None:
    study = read(path)
    slots = {portion.slot for portion in study.recipe.portions}
    plain = {"backbone", "learning_rate", "stages"}
    plain |= {f"length_{stage}" for stage in range(1, study.recipe.stages.high + 1)}
    plain |= {table.type for table in study.recipe.augmentations}
    for point in study.search.enqueue:
        assert point["backbone"] in study.backbones
        assert set(point) <= slots | plain


def test_the_winners_system_has_three_stages_and_growing_windows() -> None:
    study = read(STUDIES / "chaii.toml")
    assert len(study.backbones) == 3
    for point in study.search.enqueue:
        lengths = [point[f"length_{stage}"] for stage in (1, 2, 3)]
        assert point["stages"] == 3
        assert lengths == sorted(lengths)
        assert 256 <= lengths[0] <= lengths[-1] <= 448


def test_the_reference_names_every_key() -> None:
    text = (STUDIES / "README.md").read_text(encoding="utf-8")
    documented = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    named = {"sources": "[sources.NAME]", "backbones": "[backbones.NAME]"}
    named |= {name: f"[{name}]" for name in ("recipe", "validation", "search", "selection")}
    for table in TABLES:
        for name in table.model_fields:
            assert name in documented or f"## `{named[name]}`" in text


def test_the_reference_names_every_file() -> None:
    text = (STUDIES / "README.md").read_text(encoding="utf-8")
    for path in STUDIES.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in text
