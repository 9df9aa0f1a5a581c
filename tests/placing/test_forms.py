"""Finding a text in another form, and cutting out what the context has there."""

import html
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoqa.placing.forms import LEVELS, Variant, variant_at, variants

CONTEXT = (
    "Le caf\u00e9 de la gare. AT&amp;T, "
    "D\u00fcrer\u00a0und  S\u00f6hne: \u33a1, \u0915\u093c\u092f\u093e."
)


@pytest.mark.parametrize(
    "answer, stands, level",
    [
        ("cafe\u0301", "caf\u00e9", "Unicode form"),
        ("\u0958\u092f\u093e", "\u0915\u093c\u092f\u093e", "Unicode form"),  # no NFC has it
        ("D\u00fcrer und S\u00f6hne", "D\u00fcrer\u00a0und  S\u00f6hne", "white space inside"),
        ("la \xadga\u200bre", "la gare", "white space inside"),
        ("AT&T", "AT&amp;T", "HTML entities"),
        ("caf&eacute;", "caf\u00e9", "HTML entities"),
        ("caf&#xe9; de", "caf\u00e9 de", "HTML entities"),
        ("m2", "\u33a1", "compatibility characters"),
        ("LE CAF\u00c9", "Le caf\u00e9", "letter case"),
        ("at&t,\u00a0du\u0308rer", "AT&amp;T, D\u00fcrer", "letter case"),
    ],
)
def test_each_level_finds_the_context_s_own_text(answer: str, stands: str, level: str) -> None:
    (found,) = variants(CONTEXT, answer)
    assert CONTEXT[found.start : found.end] == stands
    assert LEVELS[found.level] == level
    assert variant_at(CONTEXT, answer, found.start) == found
    assert variant_at(CONTEXT, answer, found.start + 1) is None


@pytest.mark.parametrize(
    "answer", ["cafe", "\u0915", "du Nord", "m", "&nosuch;", "\u0301", "\u200b"]
)
def test_no_cluster_is_taken_apart(answer: str) -> None:
    assert variants(CONTEXT, answer) == []


def test_a_hangul_syllable_is_whole() -> None:
    syllables = unicodedata.normalize("NFD", "각 가")
    assert variants(syllables, "가") == [Variant(4, 6, 0)]
    assert variants(syllables, "각") == [Variant(0, 3, 0)]


TEXT = st.lists(
    st.sampled_from(
        [
            "a",
            "É",
            "e\u0301",
            "ﬁ",
            "ß",
            "क़",
            "ड\u093c",
            "각",
            "🙂",
            "&",
            "<",
            "½",
            "Å",
            " ",
            "\u00a0",
            "\n",
            ".",
        ]
    )
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=2)
).map("".join)
CHANGES = {
    "NFC": lambda text: unicodedata.normalize("NFC", text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "NFKC": lambda text: unicodedata.normalize("NFKC", text),
    "html": html.escape,
    "upper": str.upper,
    "blanks": lambda text: "  ".join(text.split(" ")),
}


@given(
    before=TEXT,
    answer=TEXT,
    after=TEXT,
    change=st.sampled_from(sorted(CHANGES)),
    other=st.sampled_from(sorted(CHANGES)),
)
def test_an_answer_in_another_form_is_found_where_it_stood(
    before: str, answer: str, after: str, change: str, other: str
) -> None:
    # Dots, so that no mark of one part lands on a letter of another.
    answer = f"x{answer}x"
    context = f"{before}.{CHANGES[change](answer)}.{after}"
    asked = CHANGES[other](answer)
    start = len(before) + 1
    assume(not context.startswith(asked, start))
    end = start + len(CHANGES[change](answer))
    found = variant_at(context, asked, start)
    # Folding is case by case: capitals of some ligatures are no longer what they were.
    if found is None:
        assert not {"html", "upper"}.isdisjoint((change, other))
        assume(False)
    assert (found.start, found.end) == (start, end)
    if found.level == 0:
        same = [unicodedata.normalize("NFC", each) for each in (asked, context[start:end])]
        assert same[0] == same[1]


@given(context=TEXT, answer=TEXT.map(str.strip).filter(bool))
def test_what_is_found_folds_to_the_same_and_lies_in_the_context(context: str, answer: str) -> None:
    found = variants(context, answer)
    for variant in found:
        assert 0 <= variant.start < variant.end <= len(context)
        assert variant_at(context, answer, variant.start) is not None
    assert found == sorted(found, key=lambda variant: variant.start)
    if answer in context and found:
        assert found[0].level == 0
