"""The study files that come with the project are valid, and their reference is complete."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from autoqa.api import TrainingProtocol
from autoqa.config import load_study
from autoqa.config import study as models
from autoqa.config.selection_table import SelectionTable
from autoqa.config.study import StudyFile
from autoqa.proposals.first_points import points
from autoqa.proposals.space import Space
from autoqa.registry import BoundStudy, bind, discover
from autoqa.registry.description import option_descriptions
from autoqa.registry.study_tables import study_tables

STUDIES = Path(__file__).parents[1] / "studies"
REFERENCE = STUDIES.parent / "docs" / "studies.md"
FILES = sorted(STUDIES.rglob("*.toml"))
TABLES = [
    StudyFile,
    models.SourceTable,
    models.BackboneTable,
    models.RecipeTable,
    models.MethodTable,
    models.PortionTable,
    models.AugmentationTable,
    models.ValidationTable,
    models.SearchTable,
    SelectionTable,
    TrainingProtocol,
]


TYDI = ("ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te")
LANGUAGES = {"tydi": TYDI, "tydi-near": ("bn", "te"), "parallel": ("en", "hi")}
LANGUAGES["tydi-far"] = tuple(each for each in TYDI if each not in LANGUAGES["tydi-near"])


def read(path: Path) -> StudyFile:
    return StudyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.fixture
def bound(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BoundStudy:
    monkeypatch.delenv("AUTOQA_PLUGINS", raising=False)
    for variable in ("AUTOQA_DATA", "CHAII_DATA"):
        monkeypatch.setenv(variable, "/no/such/folder")
    return bind(load_study(request.param), discover())


bound_studies = pytest.mark.parametrize(
    "bound", FILES, ids=[path.stem for path in FILES], indirect=True
)


@bound_studies
def test_every_key_is_an_option_of_its_plugin(bound: BoundStudy) -> None:
    assert set(bound.backbones) == set(bound.study.backbones)
    assert set(bound.sources) == set(bound.study.sources)


@bound_studies
def test_enqueued_points_lie_in_the_space(bound: BoundStudy) -> None:
    held = {source: LANGUAGES.get(source, ("hi",)) for source in bound.study.sources}
    spaces = {
        name: Space(name, backbone.protocol, bound.study.recipe, held)
        for name, backbone in bound.backbones.items()
    }
    tried = points(spaces, bound.study.search.enqueue)
    enqueued = sum(len(each) - 1 for each in tried.values())
    assert enqueued == len(bound.study.search.enqueue)
    for name, each in tried.items():
        for point in each:
            assert spaces[name].decode(point.parameters)[0].stages


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


def test_the_winners_system_has_three_stages_and_growing_windows() -> None:
    study = read(STUDIES / "chaii.toml")
    assert len(study.backbones) == 3
    for point in study.search.enqueue:
        lengths = [point[f"length_{stage}"] for stage in (1, 2, 3)]
        assert point["stages"] == 3
        assert lengths == sorted(lengths)
        assert 256 <= lengths[0] <= lengths[-1] <= 448


def documented_keys(text: str) -> set[str]:
    first_cells = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    return {name for cell in first_cells for name in re.findall("`([^`]+)`", cell)}


def test_the_reference_names_every_key() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    documented = documented_keys(text)
    named = {"sources": "[sources.NAME]", "backbones": "[backbones.NAME]"}
    named |= {name: f"[{name}]" for name in ("recipe", "validation", "search", "selection")}
    for table in TABLES:
        for attribute, field in table.model_fields.items():
            name = field.alias or attribute
            assert name in documented or f"## `{named[name]}`" in text


@pytest.mark.parametrize("distribution", ["sources", "backbones", "augmentations"])
def test_the_reference_names_every_option_of_first_party_plugins(distribution: str) -> None:
    pages = (REFERENCE, REFERENCE.parent / "data.md")
    documented = set().union(*(documented_keys(page.read_text(encoding="utf-8")) for page in pages))
    plugins = [each for each in discover().records if each.distribution == f"autoqa-{distribution}"]
    assert plugins
    for plugin in plugins:
        assert plugin.spec is not None
        assert set(plugin.spec.options.model_fields) <= documented, plugin.name


def rows(text: str) -> Iterator[tuple[str, str, str]]:
    """(table of the study file that the section is about, key, what stands for leaving it out)."""
    table = ""
    for line in text.splitlines():
        if line.startswith("#"):
            found = re.search(r"`(\[+[^`]+\]+)`", line)
            table = found[1] if found else ""
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            keys, defaults = re.findall("`([^`]+)`", cells[0]), cells[2].split(", ")
            alike = [cells[2]] * len(keys) if len(defaults) != len(keys) else defaults
            yield from ((table, key, default) for key, default in zip(keys, alike, strict=True))


def literal(cell: str) -> str | None:
    """A value as models write it; ``None`` where the cell says something in words."""
    text = cell.strip("`").strip('"')
    if re.fullmatch(r"-?[\d.]+", text):
        return str(float(text))
    return text if re.fullmatch("`[^`]+`", cell) else None


def test_defaults_in_the_reference_are_those_of_the_code() -> None:
    """Tables that explain keys by hand, beside the site's, which are made from the code."""
    of_tables = {
        (table.heading, key.name): {key.default} for table in study_tables() for key in table.keys
    }
    of_plugins: dict[str, set[str | None]] = {}
    for each in discover().records:
        if each.distribution.startswith("autoqa-") and each.spec is not None:
            for option in option_descriptions(each.spec.options):  # type: ignore[union-attr]
                of_plugins.setdefault(option.name, set()).add(option.default)
    checked, wrong = 0, []
    for table, key, cell in rows(REFERENCE.read_text(encoding="utf-8")):
        defaults = of_tables.get((table, key), set()) | of_plugins.get(key, set())
        if not defaults:
            continue
        known = {None if each is None else literal(f"`{each}`") for each in defaults}
        said = literal(cell)
        checked += 1
        if not (said in known if said is not None or cell == "required" else known != {None}):
            wrong.append(f"{table} {key}: {cell!r}, not {defaults}")
    assert checked > 80
    assert wrong == []


def test_the_list_of_studies_names_every_file() -> None:
    text = (STUDIES / "README.md").read_text(encoding="utf-8")
    for path in STUDIES.rglob("*.*"):
        name = path.relative_to(STUDIES).as_posix()
        assert name == "README.md" or f"`{name}`" in text
