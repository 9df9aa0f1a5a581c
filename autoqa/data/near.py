"""Texts that are near copies of one another, hold one another, or share a passage.

Pairs worth comparing are found by sampled MinHash over character n-grams: of each text the n-grams
whose hash is below a fixed bound are kept (A. Broder, "On the resemblance and containment of
documents", 1997; known as FracMinHash since L. Irber et al., 2022). Unlike signatures of a fixed
length, samples of a paragraph and of an article overlap as much as the texts do, and of a text with
every tenth character changed, whose resemblance is too low for banded signatures, enough is left.
The pairs are then compared as they are: no estimate decides.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

_SIZE = 8  # characters; of a text with every tenth one changed, 0.9 ** 8 = 0.43 are left
_SAMPLE = 8  # every eighth n-gram is kept
_COMMON = 16  # what more of the indexed texts have is no hint
_HINT = 0.12  # of the smaller sample; a near copy has 0.43 on average
_COMPARED = 0.28  # the same of all n-grams, below which comparing is not worth the time
_PROBE, _PROBES = 64, 8  # characters of a piece that is aligned, and how many at most
_ALIKE = 0.88
_LEAST = _PROBE  # characters; shorter texts resemble one another by chance
_LONG, _PASSAGE = 32, 0.4  # n-grams of a verbatim passage, and the share of the shorter text
_CHUNK = 1 << 20
# Two copies of one encyclopedia article often differ in its reference marks alone.
_MARKS = re.compile(r"\[[^\]]{1,12}\](:\d+)?")

Hashes = npt.NDArray[np.uint64]


class Near(NamedTuple):
    """A text that is nearly another, or shares a passage with it.

    Attributes:
        text: Which of the texts that were looked up.
        held: Which of the indexed texts.
        share: How much of the shorter one is in the other, 0 to 1.
    """

    text: int
    held: int
    share: float


class Sketches:
    """Samples of texts; each text is hashed once, however often it is asked for."""

    def __init__(self) -> None:
        self._known: dict[str, Hashes] = {}

    def of(self, texts: Sequence[str]) -> list[Hashes]:
        """The sampled hashes of each text, ascending, each once."""
        fresh = iter(dict.fromkeys(text for text in texts if text not in self._known))
        while batch := _next_batch(fresh):
            self._known.update(zip(batch, _samples([folded(text) for text in batch]), strict=True))
        return [self._known[text] for text in texts]


class NearIndex:
    """Finds near copies of texts.

    Args:
        texts: Different texts.
        sketches: Shared by indexes over the same texts.
    """

    def __init__(self, texts: Sequence[str], sketches: Sketches | None = None) -> None:
        self._texts = texts
        self._sketches = sketches or Sketches()
        samples = self._sketches.of(texts)
        sizes = [len(sample) for sample in samples]
        hashes = np.concatenate([*samples, np.empty(0, np.uint64)])
        holders = np.repeat(np.arange(len(texts)), sizes)
        order = np.argsort(hashes, kind="stable")
        self._holders = holders[order]
        self._hashes, self._first, self._count = np.unique(
            hashes[order], return_index=True, return_counts=True
        )
        rare = np.repeat(self._count <= _COMMON, self._count)
        self._rare = np.bincount(self._holders[rare], minlength=len(texts))

    def find(self, texts: Sequence[str]) -> Iterator[Near]:
        """All pairs of one of ``texts`` and an indexed text that are near, in order.

        Args:
            texts: Different texts; a text that is indexed itself is near itself.
        """
        if not len(self._hashes):
            return
        samples = self._sketches.of(texts)
        begin = 0
        while begin < len(texts):
            end, room = begin, _CHUNK
            while end < len(texts) and (end == begin or room > len(samples[end])):
                room -= len(samples[end])
                end += 1
            for row, held in self._candidates(samples[begin:end]):
                shared = share(texts[begin + row], self._texts[held])
                if shared:
                    yield Near(begin + row, held, shared)
            begin = end

    def _candidates(self, samples: Sequence[Hashes]) -> Iterator[tuple[int, int]]:
        """Pairs whose samples have something in common that few texts have."""
        sizes = [len(sample) for sample in samples]
        hashes = np.concatenate([*samples, np.empty(0, np.uint64)])
        rows = np.repeat(np.arange(len(samples)), sizes)
        at = np.searchsorted(self._hashes, hashes).clip(max=len(self._hashes) - 1)
        known = self._hashes[at] == hashes
        rows, at = rows[known], at[known]
        common = self._count[at] > _COMMON
        rare = np.array(sizes) - np.bincount(rows[common], minlength=len(samples))
        rows, at = rows[~common], at[~common]
        counts = self._count[at]
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        holders = self._holders[np.repeat(self._first[at], counts) + place]
        pairs, shared = np.unique(
            np.repeat(rows, counts) * len(self._texts) + holders, return_counts=True
        )
        row, held = np.divmod(pairs, len(self._texts))
        least = np.maximum(2, _HINT * np.minimum(rare[row], self._rare[held]))
        likely = shared >= least
        yield from zip(row[likely].tolist(), held[likely].tolist(), strict=True)


def share(text: str, other: str) -> float:
    """How much of the shorter of two texts is in the other, 0 to 1; 0 where that says nothing.

    Texts are near where pieces of the shorter one, spread over its length, align with some place
    in the other (mean indel similarity of at least 0.88; random changes of one character in ten
    leave 0.93), or where 0.4 of it stands in the other in stretches of 32 characters and more.
    """
    from rapidfuzz import fuzz

    short, long = sorted((_folded(text), _folded(other)), key=lambda side: (len(side), side))
    if short == long:
        return 1.0
    if len(short) < _LEAST:
        return 0.0
    if _common(short, long, _SIZE) < _COMPARED:
        return 0.0
    last, count = len(short) - _PROBE, min(_PROBES, -(-len(short) // _PROBE))
    begins = (round(last * probe / max(1, count - 1)) for probe in range(count))
    ratios = [fuzz.partial_ratio(short[begin : begin + _PROBE], long) for begin in begins]
    alike = sum(ratios) / len(ratios) / 100
    passage = _common(short, long, _LONG)
    return max(alike if alike >= _ALIKE else 0.0, passage if passage >= _PASSAGE else 0.0)


def _common(short: str, long: str, size: int) -> float:
    """Share of the first text's n-grams that the second has."""
    hashes, others = _set(short, size), _set(long, size)
    at = np.searchsorted(others, hashes).clip(max=len(others) - 1)
    return float(np.mean(others[at] == hashes))


# An article is compared with many paragraphs.
@lru_cache(maxsize=256)
def _set(text: str, size: int) -> Hashes:
    hashes: Hashes = np.sort(_ngrams(_codes(text), size))
    fresh = np.ones(len(hashes), bool)
    fresh[1:] = hashes[1:] != hashes[:-1]
    return hashes[fresh]


@lru_cache(maxsize=256)
def _folded(text: str) -> str:
    return folded(text)


def plain(text: str) -> str:
    """The text with single spaces for all white space."""
    return " ".join(text.split())


def folded(text: str) -> str:
    """The text without case, reference marks and differences of white space."""
    return _MARKS.sub("", plain(text)).casefold()


def _next_batch(texts: Iterable[str]) -> list[str]:
    """The next texts, about a chunk of characters."""
    batch: list[str] = []
    room = _CHUNK
    for text in texts:
        batch.append(text)
        room -= len(text)
        if room <= 0:
            break
    return batch


def _samples(texts: Sequence[str]) -> list[Hashes]:
    """Each text's n-gram hashes below the bound, ascending, each once."""
    ends = np.cumsum([len(text) for text in texts])
    codes = _codes("".join(texts))
    if len(codes) < _SIZE:
        return [codes[:0] for _ in texts]
    hashes = _ngrams(codes, _SIZE)
    sampled = np.flatnonzero(hashes < np.uint64(2**64 // _SAMPLE))
    owner = np.searchsorted(ends, sampled, side="right")
    whole = sampled + _SIZE <= ends[owner]
    values, owner = hashes[sampled[whole]], owner[whole]
    order = np.lexsort((values, owner))
    values, owner = values[order], owner[order]
    fresh = np.ones(len(values), bool)
    fresh[1:] = (values[1:] != values[:-1]) | (owner[1:] != owner[:-1])
    values, owner = values[fresh], owner[fresh]
    return np.split(values, np.searchsorted(owner, np.arange(1, len(texts))))


def _codes(text: str) -> Hashes:
    data = text.encode("utf-32-le", "surrogatepass")
    return np.frombuffer(data, np.uint32).astype(np.uint64)


def _ngrams(codes: Hashes, size: int) -> Hashes:
    """A hash of each ``size`` characters, a power of two: of pairs, of pairs of pairs, and so on.

    The constants are odd and arbitrary; the last steps mix as MurmurHash3's finalizer does.
    """
    hashes, step = codes, 1
    while step < size:
        hashes = (hashes[:-step] * np.uint64(0x9E3779B97F4A7C15)) ^ hashes[step:]
        hashes ^= hashes >> np.uint64(29)
        step *= 2
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    return hashes
