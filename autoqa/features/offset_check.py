"""Refuses a tokenizer whose tokens cannot say which letters an answer has.

What :func:`autoqa.features.offsets.mend` cannot mend shows on texts: letters that no token stands
for, or tokens that claim the same letters. Only texts that a study holds count, and a few in plain
Latin letters: nobody needs a tokenizer to read scripts that are not there.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Indices
from autoqa.errors import ConfigError
from autoqa.features.flat import Characters, encode_texts
from autoqa.features.offsets import Mended, mend
from autoqa.features.tokenizer import QATokenizer
from autoqa.text.graphemes import Kind, continues, is_letter, kinds
from autoqa.types import Example

Tokens = npt.NDArray[np.int32]
"""How many each text has."""

_PROBES = (
    "De stad Amsterdam ligt (aan) de Amstel.",
    '"It\'s 3.5% of U.S. e-mail," he said; a/b [sic]: x & y?',
)
_SAMPLE = 100
"""Rows that are looked at, evenly spread."""
_CHARACTERS = 1000
"""Characters of a context that are looked at."""
_SHARE = 0.001
"""Of the letters of contexts, those that may be lost: a study is not refused for a foreign word."""
_SHOWN = 6
"""Tokens that a refusal shows."""


def check_offsets(tokenizer: QATokenizer, examples: Sequence[Example], where: str) -> None:
    """Encodes some texts and looks for letters that no answer could hold or leave out.

    Args:
        tokenizer: A backbone's.
        examples: A study's rows; some of their contexts and first answers are looked at.
        where: The table of the study file that names the backbone.

    Raises:
        ConfigError: Any letter of a Latin text with punctuation or of an answer is lost, or too
            many of contexts are; shows an answer that would come out wrong.
    """
    sample = examples[:: max(1, len(examples) // _SAMPLE)]
    answers = [example.answers[0].text for example in sample if example.answers]
    contexts = [example.context[:_CHARACTERS] for example in sample]
    for texts, share in (([*_PROBES, *answers], 0.0), (contexts, _SHARE)):
        characters = Characters.of(texts)
        _, offsets, counts = encode_texts(tokenizer.core, texts)
        mended = mend(characters, offsets, counts)
        kind = kinds(characters.codes)
        wrong = np.concatenate([mended.strays, _overlaps(characters, mended, counts, kind)])
        letters = np.append(0, np.cumsum(is_letter(kind)))
        if (letters[wrong[:, 1]] - letters[wrong[:, 0]]).sum() > share * letters[-1]:
            raise ConfigError(_refusal(where, characters, mended, counts, int(wrong[0, 0])))


def _overlaps(
    characters: Characters, mended: Mended, counts: Tokens, kind: npt.NDArray[np.uint8]
) -> Indices:
    """Characters that tokens have in common beyond one cluster, int64 ``[O, 2]``.

    Pieces of one character overlap in it, and pieces of an unknown word may all have its place.
    """
    base = np.repeat(characters.starts, counts)[:, None]
    starts, ends = (mended.offsets + base)[np.diff(mended.offsets, axis=1)[:, 0] > 0].T
    if len(starts) < 2:
        return np.zeros((0, 2), np.int64)
    stops = np.minimum(np.maximum.accumulate(ends)[:-1], ends[1:])
    begins = np.minimum(starts[1:], stops)
    clusters = np.append(0, np.cumsum(~continues(characters.codes, kind) & (kind > Kind.IGNORED)))
    blanks = np.append(0, np.cumsum(kind == Kind.BLANK))
    twins = (starts[1:] == starts[:-1]) & (ends[1:] == ends[:-1])
    twins &= blanks[ends[1:]] == blanks[starts[1:]]
    wrong = (clusters[stops] - clusters[begins] > 1) & ~twins
    found: Indices = np.stack([begins, stops], axis=1)[wrong]
    return found


def _refusal(where: str, characters: Characters, mended: Mended, counts: Tokens, place: int) -> str:
    """A sentence with the text around a place, what its tokens cover, and an answer gone wrong."""
    row = int(np.searchsorted(characters.starts, place, side="right")) - 1
    begin, end = int(characters.starts[row]), int(characters.ends[row])
    text, place = characters.text[begin:end], place - begin
    while text[place : place + 1].isspace():
        place += 1
    low = max((at + 1 for at in range(place) if text[at].isspace()), default=0)
    high = next((at for at in range(place, len(text)) if text[at].isspace()), len(text))
    last = int(counts[: row + 1].sum())
    tokens = mended.offsets[last - int(counts[row]) : last].tolist()
    inside = [(a, b) for a, b in tokens if a < high and b > low]
    read = text[inside[0][0] : inside[-1][1]].strip() if inside else ""
    near = [text[a:b] for a, b in tokens if a < high + 9 and b > low - 9 and a < b][:_SHOWN]
    covered = f"its tokens stand for {', '.join(map(repr, near))}" if near else "no token is made"
    outcome = f"would come out as {read!r}" if read != text[low:high] else "cannot be told apart"
    return (
        f"{where}: the tokenizer loses letters. Of {text[max(low - 20, 0) : high + 20]!r} "
        f"{covered}, so that the answer {text[low:high]!r} {outcome}; take another backbone, or "
        "one whose tokenizer.json makes tokens of every letter and says where they stand."
    )
