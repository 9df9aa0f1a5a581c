"""``--dry-run``: what would stop a backbone's first run, found without loading a model."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from autoqa.config.study import RecipeTable
from autoqa.data import StudyData
from autoqa.errors import AutoqaError, ConfigError
from autoqa.features.cut import find_cuts
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.registry import BoundBackbone, BoundStudy
from autoqa.types import Example


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
        if facts.tokenizer is not None:
            problems += _no_room(backbone, bound.study.recipe, facts.tokenizer, data)
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


def _no_room(
    backbone: BoundBackbone, recipe: RecipeTable, path: Path, data: StudyData | None
) -> list[str]:
    """What the tokenizer, or questions beside which a context cannot be cut, would say."""
    where = f"backbones.{backbone.name}"
    try:
        tokenizer = QATokenizer.from_folder(path.parent)
    except AutoqaError as error:
        return [f"{where}: {error}"]
    if data is None:
        return []
    protocol = backbone.protocol
    length = protocol.length if recipe.length is None else recipe.length.low
    share = protocol.stride / protocol.length if recipe.stride is None else recipe.stride
    trained = [example for examples in data.train.values() for example in examples]
    sizes = {
        f"{where}.protocol.length": (protocol.length, protocol.stride, data.public + data.private),
        "recipe.length": (length, min(round(share * length), length - 1), trained),
    }
    if recipe.length is None:
        sizes[f"{where}.protocol"] = sizes.pop("recipe.length")
    found = []
    for key, (tokens, stride, examples) in sizes.items():
        narrow = _narrow(tokenizer, tokens - stride, examples)
        try:
            find_cuts(encode(tokenizer, narrow), tokens, stride)
        except ConfigError as error:
            found += [f"{key}: {problem}" for problem in error.problems]
    return list(dict.fromkeys(found))


def _narrow(tokenizer: QATokenizer, room: int, examples: Sequence[Example]) -> list[Example]:
    """Examples whose questions leave no more tokens than neighbouring windows share."""
    questions = list(dict.fromkeys(example.question.lstrip() for example in examples))
    encoded = tokenizer.core.encode_batch(questions, add_special_tokens=False)
    specials = tokenizer.template.specials
    long = {
        question
        for question, encoding in zip(questions, encoded, strict=True)
        if len(encoding.ids) + specials >= room
    }
    return [example for example in examples if example.question.lstrip() in long]
