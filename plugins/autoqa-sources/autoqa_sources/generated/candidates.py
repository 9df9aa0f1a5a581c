"""Fragments of a text that somebody might ask for, found by rules that know no language.

Dates, numbers and what stands in quotation marks; in scripts with case, words that are capitalised
though no sentence begins with them, and what follows them so; in other scripts that put spaces
between words, words that few of the texts have, by up to three.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

from autoqa.api import pieces, sentences

_DATES = re.compile(r"\b\d{1,2}\s+[^\W\d]\S*\s+\d{4}\b|\b[^\W\d]\S*\s+\d{1,2},\s+\d{4}\b")
_NUMBERS = re.compile(r"\d+(?:[.,٫٬:/]\d+)*")
_QUOTED = re.compile(r"“([^”\n]+)”|«([^»\n]+)»|„([^“\n]+)“|「([^」\n]+)」|\"([^\"\n]+)\"")
_WORD = re.compile(r"\S+")
_MARKS = "\"'“”‘’«»„()[]{}.,;:!?।॥؟،؛…·-–—*#|/<>=~_"
_MOST_WORDS, _LONGEST = 8, 80
_RARE_RUN = 3
_RARE_LETTERS = 3
"""Fewest characters of a word that is taken for being rare."""


def common_words(texts: Iterable[str]) -> frozenset[str]:
    """Words that stand in more than one and in more than a fiftieth of texts."""
    counts: Counter[str] = Counter()
    seen = 0
    for text in texts:
        seen += 1
        counts.update({text[low:high].lower() for low, high in _words(text)})
    return frozenset(word for word, count in counts.items() if count > max(1, seen / 50))


def candidate_answers(text: str, common: Collection[str]) -> list[tuple[int, int]]:
    """First and one-past-last character of each candidate, in order; none lies in another.

    Args:
        text: A context.
        common: Words that say nothing, see :func:`common_words`.
    """
    dates = [found.span() for found in _DATES.finditer(text)]
    quoted = [found.span(found.lastindex or 0) for found in _QUOTED.finditer(text)]
    numbers = [found.span() for found in _NUMBERS.finditer(text)]
    found: list[tuple[int, int]] = []
    # What is surest first: a number in a date is no candidate of its own.
    for span in (*dates, *quoted, *_named(text), *numbers, *_rare(text, common)):
        low, high = span
        fits = high - low <= _LONGEST and len(text[low:high].split()) <= _MOST_WORDS
        if fits and text[low:high].strip() and all(b <= low or high <= a for a, b in found):
            found.append(span)
    return sorted(found)


def _words(text: str) -> Iterator[tuple[int, int]]:
    """First and one-past-last character of each word without the marks around it."""
    for found in _WORD.finditer(text):
        solid = found[0].strip(_MARKS)
        if solid:
            low = found.start() + found[0].index(solid)
            yield low, low + len(solid)


def _named(text: str) -> Iterator[tuple[int, int]]:
    """Runs of capitalised words, but for a single one at the beginning of a sentence."""
    begins = {next(_words(text[low:high]), (0, 0))[0] + low for low, high in sentences(text)}
    words = list(_words(text))
    for run in _runs(text, words, lambda word: word[0].isupper() and len(word) > 1):
        if len(run) > 1 or run[0][0] not in begins:
            yield run[0][0], run[-1][1]


def _rare(text: str, common: Collection[str]) -> Iterator[tuple[int, int]]:
    """Runs of words that few texts have, in scripts without case but with spaces."""

    def rare(word: str) -> bool:
        caseless = word.upper() == word.lower() and word[0].isalpha()
        spaced = len(pieces(word, "mixed")) == 1
        return caseless and spaced and len(word) >= _RARE_LETTERS and word.lower() not in common

    for run in _runs(text, list(_words(text)), rare):
        for at in range(0, len(run), _RARE_RUN):
            some = run[at : at + _RARE_RUN]
            yield some[0][0], some[-1][1]


def _runs(
    text: str, words: list[tuple[int, int]], wanted: Callable[[str], bool]
) -> Iterator[list[tuple[int, int]]]:
    """Neighbouring words that are wanted, with nothing but a space between them."""
    run: list[tuple[int, int]] = []
    for low, high in words:
        fits = wanted(text[low:high])
        if run and (not fits or text[run[-1][1] : low] != " "):
            yield run
            run = []
        if fits:
            run.append((low, high))
    if run:
        yield run
