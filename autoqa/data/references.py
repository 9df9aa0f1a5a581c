"""Several annotators' answers to one question: the different ones, and what most of them gave."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autoqa.data.checks import question_key
from autoqa.text.segmentation import pieces
from autoqa.types import Answer, Example, Segmentation


def majority(example: Example, segmentation: Segmentation = "words") -> Example:
    """The example with only those references that most annotators gave.

    Each reference is one annotator's. Two count as the same answer where the metric sees no
    difference, that is where they have the same set of words; the earliest of them stands for all.
    Where several answers have most voices, each of them stays.

    Args:
        example: A question with its references.
        segmentation: Where the study's metric cuts texts into words.
    """
    voices: dict[frozenset[str], list[Answer]] = {}
    for answer in example.answers:
        voices.setdefault(frozenset(pieces(answer.text, segmentation)), []).append(answer)
    most = max(map(len, voices.values()), default=0)
    agreed = tuple(same[0] for same in voices.values() if len(same) == most)
    return replace(example, answers=agreed)


def different(example: Example) -> tuple[Answer, ...]:
    """The references that stand in different places, in their order.

    White space at their ends makes no difference.
    """
    found: dict[tuple[int, int], Answer] = {}
    for answer in example.answers:
        text = answer.text.strip()
        start = answer.start + len(answer.text) - len(answer.text.lstrip())
        found.setdefault((start, start + len(text)), Answer(text, start))
    return tuple(found.values())


def several_sentence(examples: Mapping[str, Iterable[Example]], choice: str) -> str | None:
    """What training makes of rows with several different references; ``None`` without such rows.

    Args:
        examples: Those that are trained on, by source.
        choice: ``[recipe] answers`` of the study file.
    """
    counts = {
        name: sum(len(different(example)) > 1 for example in rows)
        for name, rows in examples.items()
    }
    parts = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    if not parts:
        return None
    return (
        f"recipe.answers = {choice!r}: rows with several different answers, of which "
        f"{_MEANINGS[choice]}: {parts}"
    )


def merged(examples: Iterable[Example]) -> list[Example]:
    """Rows with all answers that a question about one context got, whatever else is wrong."""
    found: dict[tuple[str, str, str], Example] = {}
    for example in examples:
        key = example.context, question_key(example.question), example.language
        first = found.setdefault(key, example)
        if first is not example:
            found[key] = replace(first, answers=first.answers + example.answers)
    return list(found.values())


_MEANINGS = {
    "first": "training sees the first",
    "each": "training sees each",
    "draw": "training sees one, drawn by the seed of the run",
}
