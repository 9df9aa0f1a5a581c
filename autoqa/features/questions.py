"""How much of a question stands in a window, so that its context still has room.

A question stands whole where its context fits beside it whole, or windows beside it advance at all.
Where neither is so, it keeps its beginning, as with ``max_query_length`` in the first scripts for
SQuAD: as much as leaves room for the context, and at least half of what special tokens and the
stride leave, so that windows advance by the other half. Shortening more than that would change
the windows of questions that models have answered as they are: through an English vocabulary,
questions in Hindi take more than half.
"""

import numpy as np

from autoqa.arrays import Indices
from autoqa.errors import ConfigError
from autoqa.features.encode import Encoded
from autoqa.features.tokenizer import Template

_LEAST = 2
"""Tokens of a window that neither are special nor stand in the next one: a question's, a step's."""


def check_window(template: Template, length: int, stride: int, where: str = "") -> None:
    """Refuses windows into which no question and context could be cut.

    Args:
        template: Special tokens around a question and a context.
        length: Most tokens in a window.
        stride: Context tokens that neighbouring windows share.
        where: The table of the study file that says so, if one does.

    Raises:
        ConfigError: There is no room for a token of each.
    """
    begin = f"{where}: " if where else ""
    if stride < 0:
        raise ConfigError(
            f"{begin}stride is {stride}, but neighbouring windows share 0 tokens or more."
        )
    needed = template.specials + stride + _LEAST
    if length < needed:
        raise ConfigError(
            f"{begin}length {length} leaves windows no room for a question and its context: "
            f"{template.specials} tokens are special and {stride} shared by neighbours (stride); "
            f"raise the length to {needed} or more, or lower the stride."
        )


def kept(encoded: Encoded, length: int, stride: int) -> Indices:
    """Tokens of each question that stand in its windows, from its first one on, int64 ``[N]``.

    Raises:
        ConfigError: A question must be shortened, but there is no room, see :func:`check_window`.
    """
    question, context = encoded.question_tokens, encoded.context_tokens
    room = length - encoded.template.specials
    long = (question + context > room) & (room - question <= stride)
    if stride < 0 or long.any():
        check_window(encoded.template, length, stride)
    return np.where(long, np.maximum(room - context, (room - stride) // 2), question)


def shortened(encoded: Encoded, length: int, stride: int) -> Indices:
    """Rows whose question stands in its windows without its end, ascending.

    Raises:
        ConfigError: As :func:`kept`.
    """
    return np.flatnonzero(kept(encoded, length, stride) < encoded.question_tokens)
