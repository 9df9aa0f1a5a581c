"""What may be asked of answers, from Python, the command line and over HTTP alike."""

import warnings
from dataclasses import dataclass, replace
from typing import Literal, Self, TypedDict, Unpack

from autoqa.bundle.documents import PASSAGES
from autoqa.bundle.manifest import Manifest
from autoqa.ensemble.joining.none_rule import ALWAYS_ANSWERS, NoneRule
from autoqa.errors import ConfigError, did_you_mean

NoAnswer = Literal["auto", "never"] | float
"""When no answer is given: as the bundle was fitted, never, or above this probability."""

MOST_ANSWERS = 100
"""Most answers to one question: further ones would be fragments that nobody thinks likely."""


class OtherKeywords(TypedDict, total=False):
    """The fields of :class:`AnswerOptions` but ``top_k``, as keywords of a call."""

    max_answer_tokens: int | None
    passages: int | None
    no_answer: NoAnswer
    min_score: float


class AnswerKeywords(OtherKeywords, total=False):
    """The fields of :class:`AnswerOptions`, as keywords of a call."""

    top_k: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerOptions:
    """How questions are answered.

    Attributes:
        top_k: Most answers to a question.
        max_answer_tokens: Most tokens in an answer, for all groups; ``None`` leaves it to the
            bundle.
        passages: Of many documents, how many passages are read for a question; ``None`` reads all.
        no_answer: When no answer is given: ``"auto"`` as the bundle was fitted, ``"never"``, or a
            number from 0 to 1, above which the probability of no answer must be.
        min_score: Answers with a lower score are withheld: their text is empty.
    """

    top_k: int = 1
    max_answer_tokens: int | None = None
    passages: int | None = PASSAGES
    no_answer: NoAnswer = "auto"
    min_score: float = 0.0

    def changed(self, manifest: Manifest, **keywords: Unpack[AnswerKeywords]) -> Self:
        """The options with some of them set, checked.

        Args:
            manifest: Of the bundle that answers.
            keywords: What is set.

        Raises:
            ConfigError: A value is none that could be kept to.
        """
        changed = replace(self, **keywords)
        _check_count("top_k", changed.top_k, MOST_ANSWERS)
        if changed.passages is not None:
            _check_count("passages", changed.passages, None)
        check_no_answer(changed.no_answer)
        _check_share("min_score", changed.min_score)
        if changed.max_answer_tokens is not None:
            _check_longest(changed.max_answer_tokens, manifest)
        return changed

    def limits(self, manifest: Manifest) -> dict[str, int]:
        """Most tokens in an answer by group."""
        own = manifest.max_answer_tokens
        return {group: self.max_answer_tokens or limit for group, limit in own.items()}

    def rule(self, manifest: Manifest) -> NoneRule | None:
        """When no answer is given; ``None`` where the bundle always answers."""
        rule = manifest.plan.none
        if rule is None or self.no_answer == "auto":
            return rule
        return rule.at(ALWAYS_ANSWERS if self.no_answer == "never" else float(self.no_answer))

    def warn(self, manifest: Manifest) -> None:
        """Warns of a threshold that does nothing, in the name of the caller's caller."""
        if manifest.no_answer is not None or isinstance(self.no_answer, str):
            return
        warnings.warn(
            f"no_answer = {self.no_answer:g} does nothing: the bundle was validated on no question "
            "without an answer, so it cannot tell and always answers; leave it out.",
            stacklevel=3,
        )


def check_no_answer(value: object) -> None:
    """Refuses what is neither a word nor a probability.

    Raises:
        ConfigError: It is neither.
    """
    if value in ("auto", "never"):
        return
    if isinstance(value, str):
        hint = did_you_mean(value, ("auto", "never"))
        raise ConfigError(
            f"no_answer is {value!r}{hint or ':'} give auto, never or a number from 0 to 1."
        )
    _check_share("no_answer", value, "auto, never or ")


def _check_share(name: str, value: object, others: str = "") -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= float(value) <= 1:  # type: ignore[arg-type]
        raise ConfigError(f"{name} is {value!r}: give {others}a number from 0 to 1.")


def _check_count(name: str, value: object, most: int | None) -> None:
    if type(value) is not int or value < 1 or (most is not None and value > most):
        until = "on" if most is None else f"to {most}"
        way_out = ", or None to read all" if name == "passages" else ""
        raise ConfigError(f"{name} is {value!r}: give a whole number from 1 {until}{way_out}.")


def _check_longest(most: object, manifest: Manifest) -> None:
    longest = longest_answer(manifest)
    if type(most) is not int or not 1 <= most <= longest:
        raise ConfigError(
            f"max_answer_tokens is {most!r}: give a whole number from 1 to {longest}; an answer "
            f"stands in one window, and those of the bundle have {longest + 1} tokens, question "
            "included."
        )


def longest_answer(manifest: Manifest) -> int:
    """Most tokens that an answer could have: fewer than the longest windows."""
    return max(group.length for group in manifest.groups) - 1
