"""The validation set is cut by whole documents, the same way everywhere."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.api import DataError
from autoqa.config.study import ValidationTable
from autoqa.data.split import split
from tests.data.stand_in import example, examples


def table(**changes: Any) -> ValidationTable:
    return ValidationTable(source="hi", **changes)


def documents(part: Any) -> set[str]:
    return {one.document for one in part}


def test_same_on_every_machine() -> None:
    parts = split(examples(range(10)), table(share=0.8, public=0.5))
    assert sorted(documents(parts.public)) == PUBLIC


PUBLIC = ["q-document-0", "q-document-3", "q-document-6", "q-document-9"]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=8, max_size=40),
    share=st.floats(0.6, 1),
    seed=st.integers(0, 99),
    order=st.randoms(),
)
def test_documents_stay_whole_in_any_order_of_rows(
    sizes: list[int], share: float, seed: int, order: Any
) -> None:
    rows = [
        example(100 * d + i, document=f"d{d}") for d, size in enumerate(sizes) for i in range(size)
    ]
    parts = split(rows, table(share=share, seed=seed, public=0.5))
    public, private, rest = map(documents, (parts.public, parts.private, parts.rest))
    assert len(public | private | rest) == len(public) + len(private) + len(rest) == len(sizes)
    assert len(parts.public + parts.private + parts.rest) == len(rows)
    order.shuffle(rows)
    again = split(rows, table(share=share, seed=seed, public=0.5))
    assert (documents(again.public), documents(again.private)) == (public, private)


def test_seed_draws_another_split() -> None:
    rows = examples(range(60))
    assert documents(split(rows, table()).public) != documents(split(rows, table(seed=1)).public)


@pytest.mark.parametrize("seed", range(8))
def test_equal_contexts_are_one_document(seed: int) -> None:
    rows = examples(range(20))
    twin = replace(rows[0], id="twin", document="elsewhere", context=rows[0].context + " \n")
    link = replace(rows[1], id="link", document="elsewhere")
    parts = split([*rows, twin, link], table(share=0.5, seed=seed))
    together = {rows[0].document, rows[1].document, "elsewhere"}
    sides = [documents(part) & together for part in (parts.public, parts.private, parts.rest)]
    assert sorted(map(len, sides)) == [0, 0, 3]


def bilingual() -> list[Any]:
    return [
        example(number, document=f"d{number}", language=language)
        for number in range(20)
        for language in ("hi", "en")
    ]


def test_other_languages_of_held_out_documents_are_neither_scored_nor_trained_on() -> None:
    parts = split(bilingual(), table(share=0.5, languages=("hi",)))
    assert {one.language for one in parts.public + parts.private} == {"hi"}
    assert {one.language for one in parts.rest} == {"hi", "en"}
    assert documents(parts.rest).isdisjoint(documents(parts.public + parts.private))
    assert len(parts.public + parts.private) == 10
    assert len(parts.rest) == 20


def test_absent_language_is_an_error() -> None:
    with pytest.raises(DataError, match=r"sources\.hi has no rows in ta; it has en, hi"):
        split(bilingual(), table(languages=("hi", "ta")))


def test_two_documents_on_a_side_are_the_fewest() -> None:
    parts = split(examples(range(4)), table(public=0.5))
    assert len(parts.public) == len(parts.private) == 2
    with pytest.raises(DataError, match=r"has 3 documents; .* make 1 public and 2 private"):
        split(examples(range(3)), table())


def test_few_documents_are_noted_with_the_interval_to_expect() -> None:
    (note,) = split(examples(range(20)), table()).notes
    assert note == (
        "validation: a part has fewer than 30 documents; expect 95 % intervals of about ±0.36 on "
        "the public part (8 questions about 8 documents) and ±0.27 on the private part (12 "
        "questions about 12 documents), which are themselves uncertain."
    )
    assert split(examples(range(75)), table()).notes == ()


def spoken(counts: dict[str, int]) -> list[Any]:
    """That many documents in each language; "hi+en" stands for documents in both."""
    return [
        example(number, document=f"{key}-{number}", language=language, prefix=key)
        for key, count in counts.items()
        for number in range(count)
        for language in key.split("+")
    ]


@given(
    hi=st.integers(1, 60),
    ta=st.integers(1, 60),
    both=st.integers(0, 20),
    share=st.floats(0.3, 1),
    public=st.floats(0.2, 0.8),
    seed=st.integers(0, 99),
)
def test_every_language_is_divided_by_the_same_shares(
    hi: int, ta: int, both: int, share: float, public: float, seed: int
) -> None:
    rows = spoken({"hi": hi, "ta": ta, "hi+ta": both})
    wanted = table(share=share, public=public, seed=seed)
    total = hi + ta + both
    held = round(share * total)
    if min(round(public * held), held - round(public * held)) < 2:
        return
    parts = split(rows, wanted)
    sides = [documents(parts.public), documents(parts.public) | documents(parts.private)]
    for key, count in (("hi", hi), ("ta", ta), ("hi+ta", both)):
        for side, aim in zip(sides, (round(public * held) / total, held / total), strict=True):
            found = len([name for name in side if name.rpartition("-")[0] == key])
            assert abs(found - aim * count) <= 1.5


def test_languages_do_not_swap_documents_when_one_grows() -> None:
    """The order within a language depends on that language's documents only."""
    few, many = (split(spoken({"hi": 40, "ta": n}), table(share=0.5)) for n in (10, 40))
    for part in ("public", "private"):
        hindi = [
            {name for name in documents(getattr(parts, part)) if name.startswith("hi-")}
            for parts in (few, many)
        ]
        assert len(hindi[0] ^ hindi[1]) <= 2


def test_a_language_without_documents_in_a_part_is_noted() -> None:
    parts = split(spoken({"hi": 80, "ta": 1}), table())
    silent = "private" if any(one.language == "ta" for one in parts.public) else "public"
    assert f"validation: the {silent} part has no document in ta; raise share." in parts.notes


def test_parts_are_in_the_order_of_documents_and_ids() -> None:
    rows = spoken({"hi": 30, "hi+ta": 10})
    parts, turned = split(rows, table()), split(rows[::-1], table())
    assert (parts.public, parts.private) == (turned.public, turned.private)
