import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoqa.text.rules import RULES, apply_rules
from autoqa.types import Span

LETTERS = "aइபU.ई पू"
ALPHABET = st.one_of(
    st.sampled_from(LETTERS + '।,;:"“”()[]«»-–… \n\u00a0१९४೧௧0123೧কিமு'),
    st.characters(),
)


@st.composite
def cases(draw):
    context = draw(st.text(ALPHABET, max_size=40))
    low = draw(st.integers(0, len(context)))
    high = draw(st.integers(low, len(context)))
    return Span(low, high, 0.5, context[low:high]), context


each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)


@each_rule
@settings(max_examples=1500, deadline=None)
@given(case=cases())
@example(case=(Span(0, 0, 0.5, ""), ""))
def test_what_comes_out_is_a_fragment_and_stays_as_it_is(rule, case):
    span, context = case
    found = rule.apply(span, context)
    assert 0 <= found.start <= found.end <= len(context)
    assert context[found.start : found.end] == found.text
    assert found.score == span.score
    assert bool(found.text.strip()) == bool(span.text.strip())
    assert rule.apply(found, context) == found


@each_rule
def test_the_example_shows_what_the_summary_says(rule):
    before, after = rule.example()
    assert before == rule.answer != after
    assert rule.summary
    assert rule.apply.__doc__


def after(name, context, answer, occurrence=0):
    start = -1
    for _ in range(occurrence + 1):
        start = context.index(answer, start + 1)
    span = Span(start, start + len(answer), 0.5, answer)
    found = RULES[name].apply(span, context)
    assert context[found.start : found.end] == found.text
    return found.text


@pytest.mark.parametrize(
    "context, answer, expected",
    [
        ("वह 1947, में", "1947,", "1947"),
        ("दिल्ली।", "दिल्ली।", "दिल्ली"),
        ("– दिल्ली ॥", "– दिल्ली ॥", "दिल्ली"),
        ("in the U.S. and", "the U.S.", "the U.S."),
        ("500 ई.पू. में", "500 ई.पू.", "500 ई.पू."),
        ("கி.மு. 500.", "கி.மு. 500.", "கி.மு. 500"),
        ("at -5 °C.", "-5 °C.", "-5 °C"),
        ("is .5,", ".5,", ".5"),
        ('the "Avatar" film', '"Avatar"', "Avatar"),
        ("the (“Avatar”).", "(“Avatar”).", "Avatar"),
        ('"a" and "b"', '"a" and "b"', '"a" and "b"'),
        ("(a) and (b)", "(a) and (b)", "(a) and (b)"),
        ("...", "...", "..."),
        ("100 %", "100 %", "100 %"),
        ("Yes, ", "Yes, ", "Yes"),
    ],
)
def test_punctuation(context, answer, expected):
    assert after("punctuation", context, answer) == expected


@pytest.mark.parametrize(
    "context, answer, expected",
    [
        ("यह 500 ई.पू. की", "500 ई.पू", "500 ई.पू."),
        ("यह 500 ई.पू. की", "500 ई", "500 ई.पू."),
        ("यह 500 ई.पू. की", "पू. की", "ई.पू. की"),
        ("கி.மு. 500", "கி.மு", "கி.மு."),
        ("the U.S. Army", "U.S", "U.S."),
        ("आई.ए.एस. है", "आई.ए", "आई.ए.एस."),
        ("दिल्ली. फिर", "दिल्ली", "दिल्ली"),  # one piece: the end of a sentence
        ("www.example.com", "www", "www"),  # pieces too long
        ("1.5 km", "1", "1"),  # a number
        ("a ... b", "a", "a"),
    ],
)
def test_abbreviations(context, answer, expected):
    assert after("abbreviations", context, answer) == expected


@pytest.mark.parametrize(
    "context, answer, expected",
    [
        ("दिल्ली (भारत) में", "दिल्ली (भारत", "दिल्ली (भारत)"),
        ("दिल्ली (भारत की राजधानी) में", "दिल्ली (भारत", "दिल्ली (भारत"),
        ("दिल्ली (भारत) में", "(भारत", "भारत"),
        ("दिल्ली (भारत) में", "भारत) में", "(भारत) में"),
        ("दिल्ली (भारत) में", "भारत)", "भारत"),
        ("दिल्ली ( भारत) में", "( भारत", "भारत"),
        ('film "Avatar" of', 'film "Avatar', 'film "Avatar"'),
        ('film "Avatar" of', 'Avatar" of', '"Avatar" of'),
        ('film "Avatar" of', '"Avatar', "Avatar"),
        ("f(g(x)) = 1", "f(g(x", "f(g(x))"),
        ("a (b]", "a (b]", "a (b"),
        ("(a)", "(a)", "(a)"),
        ("(", "(", "("),
    ],
)
def test_brackets(context, answer, expected):
    assert after("brackets", context, answer) == expected


@pytest.mark.parametrize(
    "context, answer, expected",
    [
        ("सन् १९४७, 15 अगस्त 1947", "१९४७", "1947"),
        ("सन् १९४७, १५ अगस्त 1947", "1947", "१९४७"),
        ("सन् १९४७ या 1947", "१९४७", "१९४७"),  # as much of one as of the other
        ("सन् १९४७, 15 अगस्त 1950", "१९४७", "१९४७"),  # not said in the other form
        ("१९ से 1947 तक", "१९", "१९"),  # part of a longer number
        ("१५ अगस्त, 15 अगस्त 1947", "१५ अगस्त", "15 अगस्त"),
        ("15 1947 १५ 15", "१५", "15"),
        ("கி.பி. ௧௯௪௭ 1947 1950", "௧௯௪௭", "1947"),
        ("no digits १", "no", "no"),
    ],
)
def test_digits(context, answer, expected):
    assert after("digits", context, answer) == expected


def test_digits_move_to_the_nearest_place():
    context = "1947 and then in १९४७ or 1947"
    span = Span(17, 21, 0.5, "१९४७")
    assert RULES["digits"].apply(span, context).start == 25


def test_rules_are_those_of_the_rows_language():
    contexts = ["दिल्ली, में", "Delhi, in", "दिल्ली, में", "दिल्ली, में"]
    spans = [Span(0, c.index(",") + 1, 0.5, c[: c.index(",") + 1]) for c in contexts]
    enabled = {"hi": ("punctuation",)}
    found = apply_rules(spans, contexts, ["hi", "en", "mr", "und"], enabled)
    assert [span.text for span in found] == ["दिल्ली", "Delhi,", "दिल्ली,", "दिल्ली"]
    assert apply_rules(spans, contexts, ["hi"] * 4, {}) == spans


def test_several_rules_go_in_their_order():
    context = 'film "Avatar (2009)", then'
    span = Span(5, 19, 0.5, context[5:19])
    assert span.text == '"Avatar (2009)'
    names = tuple(RULES)
    (found,) = apply_rules([span], [context], ["en"], {"en": names[::-1]})
    assert found.text == "Avatar (2009)"


def test_an_answer_with_words_voted_away_and_an_empty_one_stay():
    context = "May 15, 1947, then"
    joined, empty = Span(0, 13, 0.5, "May 1947,"), Span(0, 0, 0.0, "")
    enabled = {"en": tuple(RULES)}
    assert apply_rules([joined, empty], [context] * 2, ["en"] * 2, enabled) == [joined, empty]


@settings(max_examples=500, deadline=None)
@given(st.lists(cases(), max_size=4), st.sets(st.sampled_from(sorted(RULES))))
def test_any_rules_together_keep_what_each_keeps(rows, names):
    spans, contexts = [span for span, _ in rows], [context for _, context in rows]
    found = apply_rules(spans, contexts, ["hi"] * len(rows), {"hi": tuple(names)})
    for before, span, context in zip(spans, found, contexts, strict=True):
        assert context[span.start : span.end] == span.text
        assert bool(span.text.strip()) == bool(before.text.strip())


def test_letters_of_words_are_never_stripped():
    for letter in string.ascii_letters + string.digits + "कதি":
        assert after("punctuation", f"{letter}!", f"{letter}!") == letter
