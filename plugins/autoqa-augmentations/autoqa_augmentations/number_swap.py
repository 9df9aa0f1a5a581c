"""``number-swap``: the numbers of a question and its context become others."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Example, Options, TrainingRows

# Thousands, also lakhs and crores: 1,234,567 and 12,34,567 and 1.234.567.
_GROUPED = re.compile(
    r"(?<!\d)(?<!\d[.,٬])\d{1,3}(?:(?:,\d{2,3})*,\d{3}|(?:[.٬]\d{3})+)(?![.,٬]?\d)"
)
_NUMBER = re.compile(rf"{_GROUPED.pattern}|\d+")
_MOST_DIGITS = 15
_KINDS = ((1, 9), (10, 31), (32, 99), (1000, 2099), (2100, 9999))
"""First and last of the numbers that are exchanged among themselves: small counts, days, years.
Others are exchanged with those that have as many digits, so no number is of two kinds."""


class NumberSwapOptions(Options):
    """Options of ``number-swap``.

    Attributes:
        share: Probability that a row's numbers are exchanged.
    """

    share: Annotated[float, Field(ge=0, le=1)] = 0.1


def number_swap(example: Example, rng: np.random.Generator) -> Example:
    """Exchanges the numbers of a question and its context for others of the same kind.

    Equal numbers become equal ones, in whatever digits they are written, different ones different
    ones, and of a kind they keep their order. A number keeps its length, its digits' script, its
    leading zeros and its separators, so that everything stays where it was. One that touches a
    letter with a case (10th, B52), is very long or in digits of several scripts stays, and with it
    all numbers that equal it; so does 0. None becomes equal to one that stays.

    Args:
        example: A question about a context.
        rng: Source of randomness.

    Returns:
        The example with other numbers, in its answers, too; itself where there is none.
    """
    texts = (example.question, example.context)
    found = [(text, match) for text in texts for match in _NUMBER.finditer(text)]
    staying = {0} | {_value(m[0]) for text, m in found if _touches(text, m) or not _plain(m[0])}
    other = _exchanged({_value(match[0]) for _, match in found} - staying, staying, rng)
    question, context = (
        _NUMBER.sub(lambda match: _written(match[0], other), text) for text in texts
    )
    if (question, context) == texts:
        return example
    answers = tuple(replace(a, text=context[a.start : a.end]) for a in example.answers)
    return replace(example, question=question, context=context, answers=answers)


def _value(number: str) -> int:
    """What a number says, in whatever digits; 0 where that is too long to be exchanged."""
    digits = "".join(str(unicodedata.decimal(c)) for c in number if c.isdecimal()).lstrip("0")
    return int(digits) if 0 < len(digits) <= _MOST_DIGITS else 0


def _plain(number: str) -> bool:
    """Whether it can be written anew: it is not too long, and its digits are of one script."""
    digits = [c for c in number if c.isdecimal()]
    scripts = {ord(c) - unicodedata.decimal(c) for c in digits}
    return len(scripts) == 1 and len(digits) <= _MOST_DIGITS


def _touches(text: str, number: re.Match[str]) -> bool:
    around = text[max(number.start() - 1, 0) : number.start()], text[number.end() :][:1]
    return any(c.upper() != c.lower() for c in around)


def _kind(value: int) -> tuple[int, int]:
    digits = len(str(value))
    return next(
        ((low, high) for low, high in _KINDS if low <= value <= high),
        (10 ** (digits - 1), 10**digits - 1),
    )


def _exchanged(
    values: set[int], staying: Container[int], rng: np.random.Generator
) -> dict[int, int]:
    """Another number for each, in order inside each kind, and none of those that stay."""
    kinds = defaultdict(list)
    for value in sorted(values):
        kinds[_kind(value)].append(value)
    other: dict[int, int] = {}
    for (low, high), members in sorted(kinds.items()):
        drawn: set[int] = set()
        while len(drawn) < len(members):
            number = int(rng.integers(low, high + 1))
            if number not in staying:
                drawn.add(number)
        other |= dict(zip(members, sorted(drawn), strict=True))
    return other


def _written(number: str, other: dict[int, int]) -> str:
    """A number's new value in its own form."""
    value = _value(number)
    if value not in other:
        return number
    places = [at for at, character in enumerate(number) if character.isdecimal()]
    zero = ord(number[places[0]]) - unicodedata.decimal(number[places[0]])
    signs = list(number)
    for at, digit in zip(places, str(other[value]).zfill(len(places)), strict=True):
        signs[at] = chr(zero + int(digit))
    return "".join(signs)


class NumberSwap(Augmentation):
    """The numbers of a question and its context become others.

    **What.** With some probability a row's years, days, counts and amounts are exchanged for others
    of the same kind and length, equal ones for equal ones in question, context and answers. Names
    are left alone: without a model nobody can tell them in all scripts, and where a language
    inflects them an exchanged stem breaks the words around it.

    **When.** Data with many questions for dates and amounts, seen often: the model has to read the
    number where it stands, and cannot recall it. Sums and spans of time ("two years later") may no
    longer be right, and numbers in words stay what they were, so a small share is the safer one.

    **Source.** Exchange of entities as in Longpre et al. (2021), "Entity-based knowledge conflicts
    in question answering", which found that readers recall what they were trained on; here of
    numbers only, and in training.
    """

    def __init__(self, options: NumberSwapOptions) -> None:
        self.options = options

    def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
        """See :meth:`autoqa.api.Augmentation.rows`."""
        chosen = rng.random(len(rows.examples)) < self.options.share
        return [
            number_swap(each, rng) if drawn else each
            for each, drawn in zip(rows.examples, chosen.tolist(), strict=True)
        ]


SPEC = AugmentationSpec(
    name="number-swap",
    summary="numbers of question and context become others of the same kind and length",
    options=NumberSwapOptions,
    build=NumberSwap,
)
