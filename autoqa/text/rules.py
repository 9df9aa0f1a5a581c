"""Post-processing rules: small changes of an answer's ends that a score may like or not.

A rule is a pure function ``(span, context) -> span``. It never fails, keeps
``context[start:end] == text`` and the score, never makes an answer empty, and applied twice does
what it does once. Which rules help depends on data, language and models, so none is on until a
paired test has shown that it helps (:mod:`autoqa.analysis.rule_tests`).

The score counts words cut at white space, punctuation included: ``1947,`` and ``1947`` are
different words, so one character at the end of an answer costs as much as a whole word.

Sources: the competitors of Kaggle's chaii competition (2021) stripped punctuation from both ends
of an answer and gave back the last dot of abbreviations for eras (the second place gained about
.02 on the public leaderboard by rules; the first place's rules helped on the public part and hurt
on the private one). Digits and brackets are of the same kind: strings that an annotator would not
have marked.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autoqa.text.digits import digits
from autoqa.text.scripts import language_of
from autoqa.text.span_ends import abbreviations, brackets, punctuation
from autoqa.types import Span


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
