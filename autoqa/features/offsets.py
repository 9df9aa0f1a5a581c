"""The characters of tokens, where a tokenizer lost some of them or cut into one.

Three things go wrong in practice. A byte-level tokenizer that puts a space before every word and
trims it off the offsets again (the RobBERT family) trims the first letter. A normaliser that
composes two code points to one (NFKC) leaves the second to no token, one that drops accents drops
vowel signs. And tokens may end anywhere: between a letter and its sign, or within one character.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Indices
from autoqa.features.flat import Characters
from autoqa.text.graphemes import Kind, continues, is_letter, kinds

_FAR = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Mended:
    """Tokens with the characters that are theirs.

    Attributes:
        offsets: First and one-past-last character in the token's text, int32 ``[P, 2]``.
        strays: First and one-past-last of characters with a letter among them for which no token
            stands: none of their kind touches them. Counted in
            :class:`autoqa.features.flat.Characters`, int64 ``[S, 2]``.
    """

    offsets: npt.NDArray[np.int32]
    strays: Indices


def mend(
    characters: Characters, offsets: npt.NDArray[np.int32], counts: npt.NDArray[np.int32]
) -> Mended:
    """Gives every character between two tokens to one of them, and no half character to any.

    What lies between two tokens is cut at white space: what touches the earlier one goes to it,
    what touches the later one to that. Where it holds no white space, it is cut where letters and
    punctuation meet; what is like neither neighbour goes to the earlier one. Then tokens that begin
    or end inside a grapheme cluster get all of it. A token without characters counts as whatever
    it touches. Control and format characters that nobody sees are left alone, as white space is.

    Args:
        characters: The texts.
        offsets: Characters of their tokens, counted inside each text, int32 ``[P, 2]``.
        counts: Tokens in each text, int32 ``[texts]``.
    """
    text = _Text(characters)
    bare = np.stack([characters.starts, characters.ends], axis=1)[counts == 0]
    bare = bare[text.letters(*bare.T) > 0] if len(bare) else bare
    if not len(offsets):
        return Mended(offsets, bare)
    base = np.repeat(characters.starts, counts)
    starts, ends = (offsets.T + base).astype(np.int64)
    gaps = _Gaps.of(starts, ends, text, counts)
    strays = _fill(text, gaps, starts, ends) if len(gaps.begin) else bare[:0]
    if text.has_clusters:
        solid = starts < ends
        starts = np.where(solid, text.cluster_begin(starts), starts)
        ends = np.where(solid, text.cluster_end(ends), ends)
    mended = np.empty_like(offsets)
    np.subtract(starts, base, out=mended[:, 0], casting="same_kind")
    np.subtract(ends, base, out=mended[:, 1], casting="same_kind")
    return Mended(mended, np.concatenate([strays, bare]))


class _Text:
    """Where things are among characters; found out when it is asked for, since it rarely is."""

    def __init__(self, characters: Characters) -> None:
        self.characters = characters
        self._kind = kinds(characters.codes)
        self._inside = np.append(continues(characters.codes, self._kind), False)
        self.has_clusters = bool(self._inside.any())

    @cached_property
    def _begins(self) -> Indices:
        return np.flatnonzero(~self._inside)

    @cached_property
    def _seen_before(self) -> Indices:
        return np.append(0, np.cumsum(self._kind > Kind.IGNORED))

    @cached_property
    def _unseen(self) -> Indices:
        return np.append(np.flatnonzero(self._kind <= Kind.IGNORED), len(self._kind))

    @cached_property
    def _letters_before(self) -> Indices:
        return np.append(0, np.cumsum(is_letter(self._kind)))

    @cached_property
    def _turns(self) -> Indices:
        sort = np.where(self._kind >= Kind.MARK, 2, self._kind > Kind.IGNORED)
        turns = np.flatnonzero(np.diff(sort)) + 1
        return np.concatenate([np.zeros(1, np.int64), turns, [len(sort)]])

    def hold_any(self, begin: Indices, end: Indices) -> npt.NDArray[np.bool_]:
        """Whether there is a character that can be seen in each range of one or more."""
        found: npt.NDArray[np.bool_] = self._kind[begin] > Kind.IGNORED
        longer = np.flatnonzero(~found & (end - begin > 1))
        if len(longer):
            begin, end = begin[longer], end[longer]
            found[longer] = self._seen_before[end] > self._seen_before[begin]
        return found

    def letters(self, begin: Indices, end: Indices) -> Indices:
        """How many letters there are in each range."""
        return self._letters_before[end] - self._letters_before[begin]

    def unseen(self, begin: Indices, end: Indices) -> tuple[Indices, Indices]:
        """The first character in each range that cannot be seen, and one past the last such one.

        Where there is none: the range's end, and its begin.
        """
        first = self._unseen[np.searchsorted(self._unseen, begin)]
        last = self._unseen[np.searchsorted(self._unseen, end) - 1] + 1
        return np.minimum(first, end), np.where(first < end, last, begin)

    def next_turn(self, place: Indices) -> Indices:
        """Where the kind of what stands before a place ends, at or after it."""
        return self._turns[np.searchsorted(self._turns, place)]

    def last_turn(self, place: Indices) -> Indices:
        """Where the kind of what stands at a place begins, at or before it."""
        turns: Indices = self._turns[np.searchsorted(self._turns, place, side="right") - 1]
        return turns

    def cluster_begin(self, place: Indices) -> Indices:
        """The same place, or the begin of the cluster that it lies in."""
        return self._moved(place, -1)

    def cluster_end(self, place: Indices) -> Indices:
        """The same place, or the end of the cluster that it lies in."""
        return self._moved(place, 0)

    def _moved(self, place: Indices, by: int) -> Indices:
        inside = np.flatnonzero(self._inside[place])
        if len(inside):
            place = place.copy()
            place[inside] = self._begins[np.searchsorted(self._begins, place[inside]) + by]
        return place


@dataclass(frozen=True, slots=True)
class _Gaps:
    """Ranges of characters between neighbouring tokens, before the first and behind the last.

    Attributes:
        begin: First character, int64 ``[G]``.
        end: One past the last, int64 ``[G]``.
        earlier: The token that ends where the gap begins, -1 before a text's first, int64 ``[G]``.
        later: The token that begins where it ends, -1 behind a text's last, int64 ``[G]``.
    """

    begin: Indices
    end: Indices
    earlier: Indices
    later: Indices

    @classmethod
    def of(
        cls, starts: Indices, ends: Indices, text: _Text, counts: npt.NDArray[np.int32]
    ) -> "_Gaps":
        """The gaps that hold anything to be seen.

        Running extremes make this exact even where offsets are out of order.

        Args:
            starts: First character of each token, int64 ``[P]``. Tokens without characters are
                moved here to where their neighbours leave room.
            ends: One past the last, int64 ``[P]``.
            text: The characters.
            counts: Tokens in each text.
        """
        characters = text.characters
        firsts = (np.cumsum(counts, dtype=np.int64) - counts)[counts > 0]
        lasts = np.append(firsts[1:], len(starts)) - 1
        low, high = characters.starts[counts > 0], characters.ends[counts > 0]
        reached, ahead = _extremes(starts, ends)
        empty = np.flatnonzero(starts >= ends)
        if len(empty):
            row = np.searchsorted(firsts, empty, side="right") - 1
            least = np.maximum(np.append(0, reached)[empty], low[row])
            most = np.minimum(ahead[empty], high[row])
            starts[empty] = ends[empty] = np.minimum(np.maximum(starts[empty], least), most)
            reached, ahead = np.maximum.accumulate(ends), _least_ahead(starts)
        before = np.append(0, reached[:-1])
        before[firsts] = low
        between = np.flatnonzero(before < ahead)
        between = between[text.hold_any(before[between], ahead[between])]
        behind = np.flatnonzero(reached[lasts] < high)
        behind = behind[text.hold_any(reached[lasts][behind], high[behind])]
        if not len(between) and not len(behind):
            return cls(between, between, between, between)
        place = np.arange(len(starts))
        holds = np.maximum.accumulate(np.where(ends >= reached, place, 0))
        held = _least_ahead(np.where(starts <= ahead, place, _FAR))
        earlier = np.append(-1, holds[:-1])
        earlier[firsts] = -1
        return cls(
            begin=np.concatenate([before[between], reached[lasts][behind]]),
            end=np.concatenate([ahead[between], high[behind]]),
            earlier=np.concatenate([earlier[between], holds[lasts][behind]]),
            later=np.concatenate([held[between], np.full(len(behind), -1)]),
        )


def _extremes(starts: Indices, ends: Indices) -> tuple[Indices, Indices]:
    """How far tokens up to each reach, and where those from each on begin; empty ones left out."""
    solid = starts < ends
    if not solid.all():
        starts, ends = np.where(solid, starts, _FAR), np.where(solid, ends, 0)
    return np.maximum.accumulate(ends), _least_ahead(starts)


def _least_ahead(values: Indices) -> Indices:
    """The least of each value and all that follow it."""
    least: Indices = np.minimum.accumulate(values[::-1])[::-1]
    return least


def _fill(text: _Text, gaps: _Gaps, starts: Indices, ends: Indices) -> Indices:
    """Moves ends and starts of tokens into the gaps between them; returns strays."""
    begin, end = gaps.begin, gaps.end
    none_before, none_behind = gaps.earlier < 0, gaps.later < 0
    hollow_before = starts[gaps.earlier] >= ends[gaps.earlier]
    hollow_behind = ~none_behind & (starts[gaps.later] >= ends[gaps.later])
    first, last = text.unseen(begin, end)
    # How far what is like the earlier token reaches, and from where on all is like the later one.
    like_earlier = np.minimum(text.next_turn(begin), first)
    like_earlier = np.where(none_before | hollow_before, begin, like_earlier)
    like_later = np.maximum(text.last_turn(end), last)
    like_later = np.where(none_behind, end, like_later)
    like_later = np.where(hollow_behind, np.maximum(like_earlier, last), like_later)
    cut = np.minimum(text.cluster_end(np.maximum(like_earlier, like_later)), end)
    cut = np.where(none_before, begin, np.where(none_behind, end, cut))
    parted = first < end
    earlier, later = ~none_before, ~none_behind
    ends[gaps.earlier[earlier]] = np.where(parted, first, cut)[earlier]
    starts[gaps.later[later]] = np.where(parted, last, cut)[later]
    between = np.stack([like_earlier, np.maximum(like_earlier, like_later)], axis=1)
    return between[text.letters(*between.T) > 0]
