"""From a study's sources to its data, ready for search and training."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from autoqa.config.study import PortionTable, ValidationTable
from autoqa.data.checks import checked, unique
from autoqa.data.folds import deal
from autoqa.data.near import Sketches
from autoqa.data.overlap import Leak, Overlap, sentence
from autoqa.data.overlay import fingerprint, read_overlay
from autoqa.data.references import majority, several_sentence
from autoqa.data.similarity import check_comparable
from autoqa.data.split import Split, split
from autoqa.data.study_data import Folds, StudyData
from autoqa.errors import AutoqaError, ConfigError, DataError, MissingAssetError, PluginError
from autoqa.registry.bound import BoundSource, BoundStudy
from autoqa.scores.registry import get_metric
from autoqa.types import Example, Segmentation


def prepare_data(bound: BoundStudy) -> StudyData:
    """Loads, checks and splits what the recipe and the validation use.

    Args:
        bound: The study with its plugins.

    Raises:
        DataError: A row cannot be used, a source or language has nothing to train on, or the
            validation set has too few documents.
        MissingAssetError: A source is not on this machine.
        PluginError: A plugin failed in a way it should not.
    """
    study = bound.study
    used = bound.used_sources
    validating = study.validation.source
    loaded, notes = _loaded(bound, dict.fromkeys([validating, *used]))
    sketches = Sketches()
    parts = split(loaded[validating], study.validation, sketches)
    if study.validation.references == "majority":
        parts, settled = _majority(parts, get_metric(study.validation.metric).segmentation)
        notes.append(settled)
    notes += [*parts.notes, *_unanswered(parts)]
    overlap = Overlap(parts.public + parts.private, sketches)
    folds = None
    if study.validation.folds is not None:
        folds = _folds(study.validation, parts, sketches)
        notes.append(
            f"validation.folds = {folds.count}: every run is trained {folds.count} times, and each "
            "public question is answered by a model that was not trained on its document."
        )
    sealed = overlap if folds is None else Overlap(parts.private, sketches)
    train: dict[str, tuple[Example, ...]] = {}
    leaks: list[Leak] = []
    for name in used:
        usable: Sequence[Example] = parts.rest if name == validating else loaded[name]
        row_leaks = (sealed if name == validating else overlap).find(usable)
        if row_leaks:
            notes.append(sentence(name, len(usable), row_leaks.values()))
        leaks += row_leaks.values()
        trainable = tuple(example for row, example in enumerate(usable) if row not in row_leaks)
        _check_left(name, trainable, len(loaded[name]), len(usable), len(row_leaks))
        train[name] = trainable
    data = StudyData(train, parts.public, parts.private)
    several = several_sentence(train, study.recipe.answers)
    notes += [several] if several else []
    notes += _languages(study.recipe.portions, data)
    _check_unanswerable(study.recipe.portions, data)
    target = study.recipe.target
    for portion in study.recipe.portions:
        if target is not None and portion.compares:
            check_comparable(train[portion.source], train[target], portion.source)
    return replace(data, notes=tuple(notes), leaks=tuple(leaks), target=target, folds=folds)


def _loaded(bound: BoundStudy, names: Iterable[str]) -> tuple[dict[str, list[Example]], list[str]]:
    """The corrected rows of sources, and notes; all that cannot be used are named at once."""
    loaded: dict[str, list[Example]] = {}
    notes: list[str] = []
    problems: list[str] = []
    for name in names:
        try:
            rows, load_notes = load_source(name, bound.sources[name])
            overlays = bound.study.sources[name].overlays
            loaded[name], overlay_notes = corrected(name, rows, overlays)
        except DataError as error:
            problems.append(str(error))
        else:
            notes += load_notes + overlay_notes
    if problems:
        raise DataError("\n".join(problems))
    return loaded, notes


def _folds(validation: ValidationTable, parts: Split, sketches: Sketches) -> Folds:
    assert validation.folds is not None
    try:
        folds = deal(parts.public, validation.folds, sketches)
    except ConfigError as error:
        raise ConfigError(f"validation.{error}") from error
    return Folds(
        validation.source,
        {document: number for number, fold in enumerate(folds) for document in fold},
    )


def load_source(name: str, source: BoundSource) -> tuple[list[Example], list[str]]:
    """A source's rows, checked, with unique ids, before any correction; and notes for people.

    Raises:
        DataError: A row cannot be used, or there is none.
        MissingAssetError: The source is not on this machine.
        PluginError: The plugin failed in a way it should not.
    """
    with naming(name, source):
        rows = source.spec.load(source.options)
        examples = checked(rows, name)
    if not examples:
        raise DataError(f"sources.{name}: it holds no examples; its options were {source.options}.")
    distinct, notes = unique(examples, name)
    plugin_notes = [f"sources.{name}: {note}" for note in getattr(rows, "notes", ())]
    return distinct, plugin_notes + notes


@contextmanager
def naming(name: str, source: BoundSource) -> Iterator[None]:
    """Gives what a source raises the source's name, and turns its bugs into sentences.

    Raises:
        AutoqaError: The source's own.
        PluginError: Anything else that it raises.
    """
    try:
        yield
    except (DataError, MissingAssetError) as error:
        message = str(error)
        prefix = "" if message.startswith(f"sources.{name}") else f"sources.{name}: "
        raise type(error)(prefix + message) from error
    except AutoqaError:
        raise
    except Exception as error:
        raise PluginError(
            f"sources.{name}: the plugin {source.spec.name!r} failed while loading, "
            f"{type(error).__name__}: {error}"
        ) from error


def corrected(
    name: str, rows: list[Example], overlays: Sequence[str]
) -> tuple[list[Example], list[str]]:
    """Lays a source's overlays over its rows.

    Args:
        name: The source.
        rows: Its rows before any correction.
        overlays: The overlays' files, in order.

    Returns:
        The rows, and what was done in sentences.

    Raises:
        MissingAssetError: There is no such file.
        DataError: A file is no overlay, corrects another source, or was made for other rows.
    """
    if not overlays:
        return rows, []
    mark, notes = fingerprint(rows), []
    for index, path in enumerate(overlays):
        overlay = read_overlay(Path(path))
        if overlay.source != name:
            raise DataError(
                f"sources.{name}.overlays[{index}]: {path} corrects the source "
                f"{overlay.source!r}, not {name!r}."
            )
        rows = overlay.apply(rows, mark, path)
        notes.append(f"sources.{name}: rows corrected by {path}: {len(overlay.changes)}.")
    return rows, notes


def _check_left(
    name: str, trainable: Sequence[Example], total: int, rest: int, overlapping: int
) -> None:
    """Refuses a source of which nothing is left that a model could learn from."""
    if not trainable:
        parts = []
        if total - rest:
            parts.append(f"{total - rest} belong to documents held out for validation")
        if overlapping:
            parts.append(f"{overlapping} overlap with the validation set")
        raise DataError(
            f"sources.{name}: nothing is left to train on; of its {total} rows "
            f"{' and '.join(parts)}. Lower validation.share, or take its portions out of the "
            "recipe; `autoqa data leaks` lists the rows that overlap."
        )
    if not any(example.answers for example in trainable):
        raise DataError(
            f"sources.{name}: none of the {len(trainable)} rows that are left to train on has an "
            "answer, so nothing can be learned from them; check the source's options, or take "
            "its portions out of the recipe."
        )


def _languages(portions: Sequence[PortionTable], data: StudyData) -> list[str]:
    notes = []
    for index, portion in enumerate(portions):
        if portion.include is False or not isinstance(portion.languages, tuple):
            continue
        have = data.languages(portion.source)
        absent = sorted(set(portion.languages) - set(have))
        where = f"recipe.portions[{index}].languages"
        if len(absent) == len(set(portion.languages)):
            raise DataError(
                f"{where}: sources.{portion.source} has nothing to train on in "
                f"{', '.join(absent) or 'no language'}; it has {', '.join(have)}."
            )
        if absent:
            notes.append(
                f"{where}: sources.{portion.source} has nothing to train on in "
                f"{', '.join(absent)}, only in {', '.join(have)}."
            )
    return notes


def _check_unanswerable(portions: Sequence[PortionTable], data: StudyData) -> None:
    """Refuses a share of questions without an answer where there is none to draw."""
    for index, portion in enumerate(portions):
        asked = portion.unanswerable
        most = max(asked) if isinstance(asked, tuple) else asked
        if portion.include is False or not most:
            continue
        if all(example.answers for example in data.train[portion.source]):
            raise DataError(
                f"recipe.portions[{index}].unanswerable: sources.{portion.source} has no question "
                "without an answer to train on; leave the key out."
            )


def _majority(parts: Split, segmentation: Segmentation) -> tuple[Split, str]:
    """Validation examples with the references that most annotators gave, and a sentence."""
    public, private = (
        [majority(example, segmentation) for example in part]
        for part in (parts.public, parts.private)
    )
    pairs = zip([*public, *private], [*parts.public, *parts.private], strict=True)
    fewer = sum(len(now.answers) < len(before.answers) for now, before in pairs)
    note = (
        f"validation.references = 'majority': questions whose references were reduced: {fewer} of "
        f"{len(public) + len(private)}."
    )
    return replace(parts, public=tuple(public), private=tuple(private)), note


def _unanswered(parts: Split) -> list[str]:
    rows = parts.public + parts.private
    count = sum(not example.answers for example in rows)
    if count == len(rows):
        raise DataError("validation: no row has an answer; a set without answers scores nothing.")
    if not count:
        return []
    return [
        f"validation: questions without an answer: {count} of {len(rows)}; "
        "only an empty prediction scores there."
    ]
