"""Post-processing rules: small changes of an answer's ends that a score may like or not.

A rule is a pure function ``(span, context) -> span``. It never fails, keeps
``context[start:end] == text`` and the score, never makes an answer empty, and applied twice does
what it does once. Which rules help depends on data, language and models, so none is on until a
paired test has shown that it helps (:mod:`autoqa.export.postprocessing`).

The score counts words cut at white space, punctuation included: ``1947,`` and ``1947`` are
different words, so one character at the end of an answer costs as much as a whole word.

Sources: the competitors of Kaggle's chaii competition (2021) stripped punctuation from both ends
of an answer and gave back the last dot of abbreviations for eras (the second place gained about
.02 on the public leaderboard by rules; the first place's rules helped on the public part and hurt
on the private one). Digits and brackets are of the same kind: strings that an annotator would not
have marked.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autoqa.text.scripts import is_letter, language_of
from autoqa.types import Span

_MARKS = frozenset(",;:.!?…·।॥،؛؟۔、。，：；！？-–—")
"""What ends a clause or a sentence in the scripts of the common data sets, and dashes."""

_QUOTE = '"'
_PAIRS = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»", "「": "」", "『": "』", "（": "）"}
_OPENING = {closing: opening for opening, closing in _PAIRS.items()}
_PIECE = 3
"""Most letters, vowel signs not counted, between two dots of an abbreviation."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with an example.

    Attributes:
        name: How manifests and reports call it.
        summary: What it does, in a line.
        apply: The rule.
        context: A context of the example.
        answer: The answer in it before the rule; what comes out is what ``apply`` returns.
    """

    name: str
    summary: str
    apply: Callable[[Span, str], Span]
    context: str
    answer: str

    def example(self) -> tuple[str, str]:
        """The example's answer before and after."""
        start = self.context.index(self.answer)
        span = Span(start, start + len(self.answer), 1.0, self.answer)
        return span.text, self.apply(span, self.context).text


def brackets(span: Span, context: str) -> Span:
    """Takes in the partner of a bracket or double quote next to the answer, or drops the bracket.

    When: a model that sees tokens cuts an answer between two of them. A bracket without its
    partner at the very edge is dropped; one further inside takes in its partner if that is the
    next character. A partner further away is left alone: taking it in would add words.
    Single quotes are no brackets, because most of them are apostrophes.
    """
    low, high = span.start, span.end
    while count := len(_unpaired(context, low, high)):
        for a, b in _neighbours(context, low, high):
            a, b = _solid(context, a, b)
            if len(_unpaired(context, a, b)) < count:
                low, high = a, b
                break
        else:
            break
    return _moved(span, context, low, high)


def _neighbours(context: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Spans without an unpaired edge, then spans with the next character."""
    odd = _unpaired(context, low, high)
    if odd[0] == low:
        yield low + 1, high
    if odd[-1] == high - 1:
        yield low, high - 1
    if high < len(context) and context[high] in (*_OPENING, _QUOTE):
        yield low, high + 1
    if low and context[low - 1] in (*_PAIRS, _QUOTE):
        yield low - 1, high


def _unpaired(context: str, low: int, high: int) -> list[int]:
    """Places of brackets and quotes without a partner in a span, ascending."""
    opened: list[int] = []
    odd: list[int] = []
    for at in range(low, high):
        mark = context[at]
        partner = _QUOTE if mark == _QUOTE else _OPENING.get(mark)
        found = [i for i, place in enumerate(opened) if context[place] == partner]
        if found:  # what was opened since then is closed by nothing
            odd += opened[found[-1] + 1 :]
            del opened[found[-1] :]
        elif mark in _PAIRS or mark == _QUOTE:
            opened.append(at)
        elif mark in _OPENING:
            odd.append(at)
    return sorted(odd + opened)


def abbreviations(span: Span, context: str) -> Span:
    """Gives back the dot or the rest of an abbreviation that the answer cuts off.

    When: tokenizers cut at dots, and an annotator marks ``ई.पू.``, ``கி.மு.`` or ``U.S.`` whole.
    An abbreviation is two or more pieces of one to three letters (vowel signs not counted) with
    dots between them and no white space; a dot after the last piece belongs to it.
    """
    low, high = span.start, span.end
    if low < high:
        low = _abbreviation(context, low)[0]
        high = _abbreviation(context, high - 1)[1]
    return _moved(span, context, low, high)


def _abbreviation(context: str, at: int) -> tuple[int, int]:
    """The abbreviation that holds a character; that character alone where there is none."""
    low, high = at, at + 1
    if not _dotted(context[at]):
        return low, high
    while low and _dotted(context[low - 1]):
        low -= 1
    while high < len(context) and _dotted(context[high]):
        high += 1
    pieces = context[low:high].split(".")
    if not pieces[-1]:
        pieces.pop()
    sizes = [sum(unicodedata.category(c)[0] == "L" for c in piece) for piece in pieces]
    whole = len(pieces) > 1 and all(1 <= size <= _PIECE for size in sizes)
    return (low, high) if whole else (at, at + 1)


def _dotted(character: str) -> bool:
    return character == "." or is_letter(character)


def punctuation(span: Span, context: str) -> Span:
    """Strips commas, full stops, dandas, dashes and the like from both ends, and enclosing pairs.

    When: always worth a test; tokenizers that glue punctuation to words leave it in answers. The
    last dot of an abbreviation stays, and so does a sign before digits (``-5``, ``.5``). Brackets
    or double quotes are stripped where they enclose the whole answer.
    """
    low, high = _solid(context, span.start, span.end)
    while low < high:
        if _leads(context, low, high):
            low += 1
        elif context[high - 1] in _MARKS and not _closes(context, high - 1):
            high -= 1
        elif _enclosed(context, low, high):
            low, high = low + 1, high - 1
        else:
            break
        low, high = _solid(context, low, high)
    return _moved(span, context, low, high)


def _leads(context: str, low: int, high: int) -> bool:
    follows = context[low + 1 : min(low + 2, high)]
    return context[low] in _MARKS and not follows.isdecimal()


def _closes(context: str, at: int) -> bool:
    """Whether a mark is the last dot of an abbreviation."""
    low, high = _abbreviation(context, at)
    return high - low > 1


def _enclosed(context: str, low: int, high: int) -> bool:
    first, last = context[low], context[high - 1]
    if high - low < 3 or last != (_QUOTE if first == _QUOTE else _PAIRS.get(first)):
        return False
    inside = _unpaired(context, low + 1, high - 1)
    return not inside and (first != _QUOTE or _QUOTE not in context[low + 1 : high - 1])


def digits(span: Span, context: str) -> Span:
    """Moves to where the context writes the same with the digits that it mostly uses.

    When: articles in Indian languages mix their own digits with European ones, and an annotator
    who finds ``१९४७`` and ``1947`` in one article marks the usual form. The answer moves to the
    nearest place that differs from it in the digits only and is no part of a longer number; of two
    equally near ones to the earlier. Where both forms are equally frequent nothing moves.
    """
    zeros = {_zero(character) for character in span.text} - {None}
    if not zeros:
        return span
    counts = Counter(_zero(character) for character in context)
    del counts[None]
    usual, times = counts.most_common(1)[0]
    if zeros == {usual} or list(counts.values()).count(times) > 1:
        return span
    plain, wanted = context.translate(_PLAIN), span.text.translate(_PLAIN)
    places = [
        at
        for at in _occurrences(plain, wanted)
        if {_zero(c) for c in context[at : at + len(wanted)]} - {None} == {usual}
        and not plain[max(at - 1, 0) : at].isdecimal()
        and not plain[at + len(wanted) : at + len(wanted) + 1].isdecimal()
    ]
    if not places:
        return span
    start = min(places, key=lambda at: (abs(at - span.start), at))
    return _moved(span, context, start, start + len(wanted))


def _zero(character: str) -> int | None:
    """Code point of the zero that belongs to a digit; tells one set of digits from another."""
    value = unicodedata.decimal(character, None)
    return None if value is None else ord(character) - value


class _PlainDigits(dict[int, int]):
    """A table for ``str.translate`` that writes every decimal digit as ``0`` to ``9``."""

    def __missing__(self, code: int) -> int:
        value = unicodedata.decimal(chr(code), None)
        self[code] = code if value is None else ord("0") + value
        return self[code]


_PLAIN = _PlainDigits()


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    while at >= 0:
        yield at
        at = text.find(wanted, at + 1)


def _solid(context: str, low: int, high: int) -> tuple[int, int]:
    """A span without white space at its ends."""
    text = context[low:high]
    return low + len(text) - len(text.lstrip()), low + len(text.rstrip())


def _moved(span: Span, context: str, low: int, high: int) -> Span:
    """The span at another place, or as it was where nothing would remain."""
    if low >= high:
        return span
    return Span(low, high, span.score, context[low:high])


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "brackets",
            "take in the partner of a bracket or quote, or drop the bracket",
            brackets,
            "दिल्ली (भारत) में",
            "दिल्ली (भारत",
        ),
        Rule(
            "abbreviations",
            "give back the dot or the rest of an abbreviation",
            abbreviations,
            "यह 500 ई.पू. की बात है।",
            "500 ई.पू",
        ),
        Rule(
            "punctuation",
            "strip punctuation and enclosing quotes or brackets from the ends",
            punctuation,
            "राजधानी “नई दिल्ली” है।",
            "“नई दिल्ली”",
        ),
        Rule(
            "digits",
            "move to where the context writes the same in its usual digits",
            digits,
            "सन् १९४७ में, 15 अगस्त 1947 को",
            "१९४७",
        ),
    )
}
"""All rules by name, in the order in which they are applied."""


def apply_rules(
    spans: Sequence[Span],
    contexts: Sequence[str],
    languages: Sequence[str],
    enabled: Mapping[str, Sequence[str]],
) -> list[Span]:
    """The answers after the rules of their languages.

    An answer from which a vote has taken words away in the middle is no fragment of its context
    and stays as it is; so does the empty answer.

    Args:
        spans: One answer per question.
        contexts: Context of each question.
        languages: What is known of each question's language, see
            :func:`autoqa.text.scripts.language_of`.
        enabled: Names of rules by language, ISO 639-1.
    """
    if not enabled:
        return list(spans)
    cleaned = []
    for span, context, given in zip(spans, contexts, languages, strict=True):
        names = enabled.get(language_of(given, context), ())
        if span.text and context[span.start : span.end] == span.text:
            for rule in RULES.values():
                if rule.name in names:
                    span = rule.apply(span, context)
        cleaned.append(span)
    return cleaned
