"""Several annotators' answers to one question, and the one that most of them gave."""

from dataclasses import replace

from autoqa.text.words import words
from autoqa.types import Answer, Example


def majority(example: Example) -> Example:
    """The example with only those references that most annotators gave.

    Each reference is one annotator's. Two count as the same answer where the metric sees no
    difference, that is where they have the same set of words; the earliest of them stands for all.
    Where several answers have most voices, each of them stays.
    """
    voices: dict[frozenset[str], list[Answer]] = {}
    for answer in example.answers:
        voices.setdefault(frozenset(words(answer.text)), []).append(answer)
    most = max(map(len, voices.values()), default=0)
    agreed = tuple(same[0] for same in voices.values() if len(same) == most)
    return replace(example, answers=agreed)
