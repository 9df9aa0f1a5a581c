"""Many rows in blocks, so that memory does not grow with their number."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol, TypeVar

from autoqa.bundle.entries import GroupEntry
from autoqa.bundle.input_rows import Row
from autoqa.bundle.manifest import Manifest
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.questions import shortened
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Example

_BYTES = 256 << 20
"""Windows and logits of one block. Every model is loaded once per block: seconds against minutes of
answering."""
_SMALL = 200_000
"""Characters that are one block without measuring, at however many tokens a character."""
CHARACTERS = 2_000_000
"""Characters of a block for one model that stays loaded; larger blocks would gain nothing."""
_SAMPLE = 32
"""Rows by which the tokens per character are measured, evenly spread."""

# Bytes per token of windows. A group's windows stay for the whole block, as do the logits of every
# member; cutting and decoding need working memory for one group at a time.
_WINDOW, _LOGITS, _WORK = 17, 8, 120
_SHORT = 48
"""Most tokens in an answer at which that was measured."""


class HasText(Protocol):
    """A row or an example."""

    @property
    def question(self) -> str:
        """The question."""
        ...

    @property
    def context(self) -> str:
        """The text that holds the answer."""
        ...


TextRow = TypeVar("TextRow", bound=HasText)


def cut_rows(
    rows: Sequence[Row],
    groups: Sequence[GroupEntry],
    tokenizers: Mapping[str, QATokenizer],
    limits: Mapping[str, int],
    long: list[str] | None = None,
) -> dict[str, Windows]:
    """Windows of the rows by group.

    Args:
        rows: Questions and contexts.
        groups: Lengths and strides.
        tokenizers: By group.
        limits: Most tokens in an answer, by group.
        long: Gets the ids of rows whose question stands without its end in windows of some group.
    """
    examples = [Example(r.id, r.question, r.context, (), "", r.id) for r in rows]
    windows = {}
    cut_short: set[int] = set()
    for group in groups:
        encoded = encode(tokenizers[group.id], examples)
        windows[group.id] = replace(
            cut(encoded, group.length, group.stride), max_answer_tokens=limits[group.id]
        )
        if long is not None:
            cut_short.update(shortened(encoded, group.length, group.stride).tolist())
    if long is not None:
        long += [rows[position].id for position in sorted(cut_short)]
    return windows


def split(
    rows: Sequence[Row],
    manifest: Manifest,
    tokenizers: Mapping[str, QATokenizer],
    limits: Mapping[str, int],
) -> list[Sequence[Row]]:
    """Cuts rows into runs whose windows and logits take some 256 MiB, one row at least.

    Args:
        rows: Rows that can be cut into windows.
        manifest: The bundle that will answer them.
        tokenizers: Its tokenizers by group.
        limits: Most tokens in an answer, by group.
    """
    total = sum(map(size, rows))
    if total <= _SMALL:
        return [rows] if rows else []
    sample = list(islice(rows, 0, None, -(-len(rows) // _SAMPLE)))
    windows = cut_rows(sample, manifest.groups, tokenizers, limits)
    tokens = max(len(group.input_ids) for group in windows.values()) / sum(map(size, sample))
    # Decoding works on as many cells more, for each window, as an answer may have tokens.
    longer = max((limits[group.id] - _SHORT) / group.length for group in manifest.groups)
    work = _WORK * (1 + max(0.0, longer))
    per_token = _WINDOW * len(manifest.groups) + _LOGITS * len(manifest.members) + work
    return by_characters(rows, _BYTES / per_token / tokens)


def by_characters(rows: Sequence[TextRow], most: float = CHARACTERS) -> list[Sequence[TextRow]]:
    """Cuts rows into runs of at most so many characters, one row at least."""
    blocks: list[Sequence[TextRow]] = []
    begin, characters = 0, 0
    for position, row in enumerate(rows):
        characters += size(row)
        if characters > most and position > begin:
            blocks.append(rows[begin:position])
            begin, characters = position, size(row)
    return [*blocks, rows[begin:]] if rows else []


def size(row: HasText) -> int:
    """Characters of a row, which its number of windows goes by."""
    return len(row.question) + len(row.context)
