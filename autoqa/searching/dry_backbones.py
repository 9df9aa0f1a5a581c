"""``--dry-run``: what would stop a backbone's first run, found without loading a model."""

from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from autoqa.config.study import RecipeTable
from autoqa.data import StudyData
from autoqa.errors import AutoqaError, ConfigError
from autoqa.features.fertility import hard_to_read
from autoqa.features.offset_check import check_offsets
from autoqa.features.questions import check_window
from autoqa.features.tokenizer import QATokenizer
from autoqa.registry import BoundBackbone, BoundStudy
from autoqa.registry.prepared import known_tokenizer


def look_at_backbones(
    bound: BoundStudy, missing: Iterable[str], data: StudyData | None
) -> tuple[list[str], list[str]]:
    """Asks plugins about their models, and compares these with lengths and questions of the study.

    Args:
        bound: The study with its plugins.
        missing: Sentences on what is not on this machine; such backbones are left out.
        data: The study's data, where they are there.

    Returns:
        Problems, which stop the first run, and notes; each begins with the key of the study file
        that it is about.
    """
    absent = tuple(missing)
    problems: list[str] = []
    notes: list[str] = []
    for name, backbone in bound.backbones.items():
        where = f"backbones.{name}"
        if any(sentence.startswith(f"{where}:") for sentence in absent):
            continue
        facts = backbone.facts()
        problems += [f"{where}: {sentence}" for sentence in facts.problems]
        notes += [f"{where}: {sentence}" for sentence in facts.notes]
        if facts.positions is not None:
            problems += _too_long(backbone, bound.study.recipe, facts.positions)
        folder = known_tokenizer(backbone)
        if folder is not None:
            problems += _unfit(backbone, bound.study.recipe, folder, data)
            notes += _hard_to_read(where, folder, data)
    return problems, notes


def _too_long(backbone: BoundBackbone, recipe: RecipeTable, positions: int) -> list[str]:
    set_at = [(f"backbones.{backbone.name}.protocol.length", backbone.protocol.length)]
    if recipe.length is not None:
        set_at.append(("recipe.length", recipe.length.high))
    return [
        f"{where}: windows of {length} tokens are beyond the {positions} positions of the model "
        f"of backbones.{backbone.name}; set it to {positions} or less, or take another backbone"
        for where, length in set_at
        if length > positions
    ]


def _hard_to_read(where: str, folder: Path, data: StudyData | None) -> list[str]:
    """Which languages of the validation set the tokenizer hardly knows."""
    try:
        tokenizer = QATokenizer.from_folder(folder)
    except AutoqaError:  # that is a problem, and told as one
        return []
    texts = [] if data is None else [(each.language, each.context) for each in data.public]
    return [f"{where}: {sentence}" for sentence in hard_to_read(tokenizer, texts)]


def _unfit(
    backbone: BoundBackbone, recipe: RecipeTable, folder: Path, data: StudyData | None
) -> list[str]:
    """What is wrong with the tokenizer, or with windows of its tokens."""
    where = f"backbones.{backbone.name}"
    try:
        tokenizer = QATokenizer.from_folder(folder)
    except AutoqaError as error:
        return [f"{where}: {error}"]
    protocol = backbone.protocol
    length = protocol.length if recipe.length is None else recipe.length.low
    share = protocol.stride / protocol.length if recipe.stride is None else recipe.stride
    windows = {
        f"{where}.protocol": (protocol.length, protocol.stride),
        "recipe": (length, min(round(share * length), length - 1)),
    }
    checks = [
        partial(check_window, tokenizer.template, *sizes, table) for table, sizes in windows.items()
    ]
    if data is not None:
        rows = [*data.public, *chain.from_iterable(data.train.values())]
        checks.append(partial(check_offsets, tokenizer, rows, where))
    if recipe.length is None and recipe.stride is None:
        del checks[1]  # the same windows
    found: list[str] = []
    for check in checks:
        try:
            check()
        except ConfigError as error:
            found += error.problems
    return found
