"""What may be asked of answers, from Python, the command line and over HTTP alike."""

from dataclasses import dataclass, replace
from typing import Self, TypedDict, Unpack

from autoqa.bundle.documents import PASSAGES
from autoqa.bundle.manifest import Manifest
from autoqa.errors import ConfigError

MOST_ANSWERS = 100
"""Most answers to one question: further ones would be fragments that nobody thinks likely."""


class OtherKeywords(TypedDict, total=False):
    """The fields of :class:`AnswerOptions` but ``top_k``, as keywords of a call."""

    max_answer_tokens: int | None
    passages: int | None


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
    """

    top_k: int = 1
    max_answer_tokens: int | None = None
    passages: int | None = PASSAGES

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
        if changed.max_answer_tokens is not None:
            _check_longest(changed.max_answer_tokens, manifest)
        return changed

    def limits(self, manifest: Manifest) -> dict[str, int]:
        """Most tokens in an answer by group."""
        own = manifest.max_answer_tokens
        return {group: self.max_answer_tokens or limit for group, limit in own.items()}


def _check_count(name: str, value: object, most: int | None) -> None:
    if type(value) is not int or value < 1 or (most is not None and value > most):
        until = "on" if most is None else f"to {most}"
        way_out = ", or None to read all" if name == "passages" else ""
        raise ConfigError(f"{name} is {value!r}: give a whole number from 1 {until}{way_out}.")


def _check_longest(most: object, manifest: Manifest) -> None:
    longest = max(group.length for group in manifest.groups)
    if type(most) is not int or not 1 <= most < longest:
        raise ConfigError(
            f"max_answer_tokens is {most!r}: give a whole number from 1 to {longest - 1}; an "
            f"answer stands in one window, and those of the bundle have {longest} tokens, question "
            "included."
        )
