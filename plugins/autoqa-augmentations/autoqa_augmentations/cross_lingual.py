"""``cross-lingual``: the question in one language, the context in another."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from autoqa.api import Augmentation, AugmentationSpec, Example, Options, TrainingRows

_ROW_NUMBER = re.compile(r"\d{1,6}")
"""Ids such as 17 number rows: that two files both have a row 17 says nothing."""


class CrossLingualOptions(Options):
    """Options of ``cross-lingual``.

    Attributes:
        share: Probability that a row's question is replaced, where there is another.
        sources: Sources that have the same questions in other languages, beside the row's own.
        languages: Codes of the languages that questions may come in; left out, all.
        id_pattern: A regular expression that ids match in full; rows whose groups 1 are equal ask
            the same. Left out, those whose ids are equal up to a language at their end (``7a@hi``)
            and are more than a row's number.
    """

    share: Annotated[float, Field(ge=0, le=1)] = 0.2
    sources: tuple[str, ...] = ()
    languages: (
        Annotated[tuple[Annotated[str, Field(pattern="^[a-z]{2,3}$")], ...], Field(min_length=1)]
        | None
    ) = None
    id_pattern: str | None = None

    @field_validator("id_pattern")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        try:
            groups = 1 if value is None else re.compile(value).groups
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        if not groups:
            raise ValueError(f"{value!r} has no group; put what ids share in parentheses")
        return value


def shared_id(example: Example, id_pattern: str | None = None) -> str | None:
    """What the ids of one question in several languages share; ``None`` where that is nothing.

    Args:
        example: A question about a context.
        id_pattern: As :class:`CrossLingualOptions` has it.
    """
    if id_pattern is not None:
        found = re.fullmatch(id_pattern, example.id)
        return None if found is None else found[1]
    name = example.id.removesuffix(f"@{example.language}")
    return None if _ROW_NUMBER.fullmatch(name) else name


def cross_lingual(
    examples: Sequence[Example],
    parallel: Sequence[Example],
    rng: np.random.Generator,
    options: CrossLingualOptions,
) -> list[Example]:
    """Gives rows the question of the same row in another language; answers stay the context's.

    Args:
        examples: Questions about contexts.
        parallel: Rows that may ask the same.
        rng: Source of randomness; two numbers are drawn per row.
        options: How many, in which languages, and what asks the same.
    """
    questions: dict[str, dict[str, str]] = defaultdict(dict)
    for each in parallel:
        name = shared_id(each, options.id_pattern)
        if name is not None and (options.languages is None or each.language in options.languages):
            questions[name].setdefault(each.language, each.question)
    changed = []
    draws = rng.random((len(examples), 2))
    for each, (drawn, pick) in zip(examples, draws.tolist(), strict=True):
        name = shared_id(each, options.id_pattern) if drawn < options.share else None
        spoken = questions.get(name, {}) if name is not None else {}
        others = [spoken[language] for language in sorted(spoken) if language != each.language]
        changed.append(replace(each, question=others[int(pick * len(others))]) if others else each)
    return changed


class CrossLingual(Augmentation):
    """The question in one language, the context in another.

    **What.** Each time a row is drawn its question is replaced with some probability by that of the
    same row in another language, from the row's own source or from those that are named; context
    and answers stay. Only rows that are trained on lend their questions. A study's checks for leaks
    know translations by their ids: under ids of their own, those of validation rows are not seen.

    **When.** Data that exist in several languages, such as XQuAD, MLQA or a translated data set,
    and a model that shall answer in one what it learned in another: it cannot go by words that
    question and context share.

    **Source.** Generalised cross-lingual transfer in Lewis et al. (2020), "MLQA: Evaluating
    cross-lingual extractive question answering", and code-switched training of questions as in
    Singh et al. (2019), "XLDA: Cross-lingual data augmentation".
    """

    def __init__(self, options: CrossLingualOptions) -> None:
        self.options = options

    def rows(self, rows: TrainingRows, rng: np.random.Generator) -> Sequence[Example]:
        """See :meth:`autoqa.api.Augmentation.rows`."""
        own = {each.source: None for each in rows.examples}
        names = dict.fromkeys([*own, *self.options.sources])
        parallel = [each for name in names for each in rows.source(name)]
        return cross_lingual(rows.examples, parallel, rng, self.options)


SPEC = AugmentationSpec(
    name="cross-lingual",
    summary="questions come in another language than their context, from parallel rows",
    options=CrossLingualOptions,
    build=CrossLingual,
    sources=lambda options: options.sources,
)
