"""What one table of a study file demands of another."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from autoqa.config.phrases import NAME_PATTERN, shown
from autoqa.config.problems import subtable
from autoqa.config.study import StudyFile, ValidationTable
from autoqa.errors import ConfigError, did_you_mean


def check(study: StudyFile) -> list[str]:
    """Every contradiction between the tables of a study, one sentence each."""
    return [
        *_references(study),
        *_slots(study),
        *_augmentations(study),
        *_target_texts(study),
        *_lists(study),
        *_rounds(study),
        *_selection(study),
    ]


def target_sources(study: StudyFile) -> tuple[str, ...]:
    """Sources whose training texts are of the kind that is validated on, or that is the target."""
    trained = {portion.source for portion in study.recipe.portions if portion.include is not False}
    named = dict.fromkeys((study.validation.source, study.recipe.target))
    return tuple(source for source in named if source in trained)


def check_source(study: StudyFile, name: str, option: str = "--source") -> None:
    """Raises ConfigError where the study has no source of the name that an option gives."""
    if name not in study.sources:
        hint = did_you_mean(name, study.sources) or f"; there are: {', '.join(study.sources)}"
        raise ConfigError(
            f"{option} {name!r}: the study {study.name!r} has no source {name!r}{hint}"
        )


def unknown_names(data: Mapping[str, Any]) -> Iterator[str]:
    """Names of sources and backbones that no table has, in a file that may have other faults.

    Args:
        data: A study file's tables, of whatever shape they are.
    """
    recipe, validation, search = (subtable(data, key) for key in ("recipe", "validation", "search"))
    named = [("validation.source", "source", validation.get("source"))]
    named += [("recipe.target", "source", recipe.get("target"))]
    for index, portion in enumerate(_list(recipe, "portions")):
        named.append((f"recipe.portions[{index}].source", "source", portion.get("source")))
    for index, point in enumerate(_list(search, "enqueue")):
        named.append((f"search.enqueue[{index}].backbone", "backbone", point.get("backbone")))
    for where, kind, name in named:
        known = subtable(data, f"{kind}s")
        # A table with an impossible name will get another one: that problem goes first.
        told = known and all(re.fullmatch(NAME_PATTERN, each) for each in known)
        if isinstance(name, str) and told and name not in known:
            hint = did_you_mean(name, known) or f"; there are: {', '.join(sorted(known))}"
            yield f"{where}: there is no [{kind}s.{name}]{hint}"


def _list(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = data.get(key)
    listed = found if isinstance(found, list) else []
    return [each if isinstance(each, Mapping) else {} for each in listed]


def _references(study: StudyFile) -> Iterator[str]:
    for index, portion in enumerate(study.recipe.portions):
        if portion.source == study.validation.source and _all_held_out(study.validation):
            yield (
                f"recipe.portions[{index}].source: validation overlaps training: all of "
                f"{portion.source!r} validates (validation.share = 1); hold out less, e.g. "
                "validation.share = 0.2, or train on another source"
            )
    for index, point in enumerate(study.search.enqueue):
        where = f"search.enqueue[{index}].backbone"
        name = point.get("backbone")
        if name is None:
            yield f"{where}: is missing; name one of {', '.join(sorted(study.backbones))}"
        elif not isinstance(name, str):
            yield f"{where}: should be a text, not {shown(name)}"


def _rounds(study: StudyFile) -> Iterator[str]:
    folds = study.validation.folds
    if study.search.rounds > 1 and folds is not None:
        yield (
            f"search.rounds: with validation.folds = {folds} the mean of a round has learned from "
            "the public questions that would judge the next one; leave folds or rounds out"
        )


def _all_held_out(validation: ValidationTable) -> bool:
    return validation.share == 1 and validation.folds is None


def _slots(study: StudyFile) -> Iterator[str]:
    portions = study.recipe.portions
    taken: dict[str, int] = {}
    for index, portion in enumerate(portions):
        first = taken.setdefault(portion.slot, index)
        if first != index:
            yield (
                f"recipe.portions[{index}].name: the slot {portion.slot!r} exists already "
                f"(recipe.portions[{first}]); give one of them another name"
            )
        if portion.name and not re.fullmatch(NAME_PATTERN, portion.name):
            yield (
                f"recipe.portions[{index}].name: should be of lower-case letters, digits, "
                f"'-' and '_', not {portion.name!r}"
            )
    yield from _similar(study)
    if all(portion.include is False for portion in portions):
        yield "recipe.portions: include is false in every portion, so there is nothing to train on"


def _similar(study: StudyFile) -> Iterator[str]:
    """Who is compared with the target, and whether there is one to train on."""
    target = study.recipe.target
    trained = {p.source for p in study.recipe.portions if p.include is not False}
    if target in study.sources and target not in trained:
        yield f"recipe.target: no portion trains on {target!r}, so nothing can be compared with it"
    for index, portion in enumerate(study.recipe.portions):
        where = f"recipe.portions[{index}].similar"
        if portion.compares and target is None:
            yield f"{where}: similar to what? name a source in recipe.target"
        elif portion.compares and portion.source == target:
            yield f"{where}: {target!r} is the target itself; leave similar out"


def _target_texts(study: StudyFile) -> Iterator[str]:
    """Whether there are texts for the masked-language stage."""
    if study.recipe.method.mlm_epochs not in (0.0, (0.0,)) and not target_sources(study):
        yield (
            f"recipe.method.mlm_epochs: no portion trains on {study.validation.source!r}, so there "
            "are no texts to learn the target's language from; name a source that is trained on "
            "in recipe.target, or leave mlm_epochs out"
        )


def _augmentations(study: StudyFile) -> Iterator[str]:
    taken: dict[str, int] = {}
    for index, table in enumerate(study.recipe.augmentations):
        first = taken.setdefault(table.type, index)
        if first != index:
            yield (
                f"recipe.augmentations[{index}].type: {table.type!r} is applied already "
                f"(recipe.augmentations[{first}]); keep one of them"
            )


def _lists(study: StudyFile) -> Iterator[str]:
    """Lists that are empty, or name a thing twice."""
    lists: dict[str, object] = {
        "validation.languages": study.validation.languages,
        "search.snapshots": study.search.snapshots,
        "recipe.learning_rate": study.recipe.learning_rate_factor,
    }
    lists |= {f"recipe.method.{key}": value for key, value in study.recipe.method}
    for index, portion in enumerate(study.recipe.portions):
        for key in ("languages", "share", "negatives", "similar", "unanswerable", "position"):
            lists[f"recipe.portions[{index}].{key}"] = getattr(portion, key)
    for where, values in lists.items():
        if not isinstance(values, tuple):
            continue
        if not values:
            yield f"{where}: the list is empty; name at least one value, or leave the key out"
        twice = {str(value) for value in values if values.count(value) > 1}
        if twice:
            yield f"{where}: {', '.join(sorted(twice))} stands in the list more than once"


def _selection(study: StudyFile) -> Iterator[str]:
    quota, seats = study.selection.quota, study.selection.seats
    if quota > seats:
        yield (
            f"selection.quota: is {quota}, more than selection.seats ({seats}), so no group could "
            "have so many; lower the quota or allow more seats"
        )
