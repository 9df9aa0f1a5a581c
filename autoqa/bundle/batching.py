"""Many rows in blocks, so that memory does not grow with their number."""

from collections.abc import Mapping, Sequence
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
    long: list[str] | None = None,
) -> dict[str, Windows]:
    """Windows of the rows by group.

    Args:
        rows: Questions and contexts.
        groups: Lengths and strides.
        tokenizers: By group.
        long: Gets the ids of rows whose question stands without its end in windows of some group.
    """
    examples = [Example(r.id, r.question, r.context, (), "", r.id) for r in rows]
    windows = {}
    cut_short: set[int] = set()
    for group in groups:
        encoded = encode(tokenizers[group.id], examples)
        windows[group.id] = cut(encoded, group.length, group.stride)
        if long is not None:
            cut_short.update(shortened(encoded, group.length, group.stride).tolist())
    if long is not None:
        long += [rows[position].id for position in sorted(cut_short)]
    return windows


def split(
    rows: Sequence[Row], manifest: Manifest, tokenizers: Mapping[str, QATokenizer]
) -> list[Sequence[Row]]:
    """Cuts rows into runs whose windows and logits take some 256 MiB, one row at least.

    Args:
        rows: Rows that can be cut into windows.
        manifest: The bundle that will answer them.
        tokenizers: Its tokenizers by group.
    """
    total = sum(map(size, rows))
    if total <= _SMALL:
        return [rows] if rows else []
    sample = list(islice(rows, 0, None, -(-len(rows) // _SAMPLE)))
    windows = cut_rows(sample, manifest.groups, tokenizers)
    tokens = max(len(group.input_ids) for group in windows.values()) / sum(map(size, sample))
    per_token = _WINDOW * len(manifest.groups) + _LOGITS * len(manifest.members) + _WORK
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
