from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.data.folds import deal
from autoqa.errors import ConfigError
from autoqa.types import Answer, Example


def example(number: int, document: int, text: int) -> Example:
    # Contexts that have no word in common unless they are the same.
    context = " ".join(f"w{text}x{place}" for place in range(12)) + " ."
    answer = Answer(context.split()[0], 0)
    return Example(f"q{number}", "Which ?", context, (answer,), "en", f"d{document}")


held_out = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), min_size=2, max_size=40).map(
    lambda rows: [example(number, *row) for number, row in enumerate(rows)]
)


def joined(rows: list[Example]) -> dict[str, str]:
    """Documents by what they are connected to through contexts, found the slow way."""
    group = {row.document: row.document for row in rows}
    for _ in rows:
        for row in rows:
            for other in rows:
                if row.context == other.context:
                    low = min(group[row.document], group[other.document])
                    group[row.document] = group[other.document] = low
    return group


@given(rows=held_out, count=st.integers(2, 6))
@settings(max_examples=60, deadline=None)
def test_every_document_is_in_one_fold_with_those_that_share_its_text(
    rows: list[Example], count: int
) -> None:
    group = joined(rows)
    if len(set(group.values())) < count:
        with pytest.raises(ConfigError, match=f"folds = {count}"):
            deal(rows, count)
        return
    folds = deal(rows, count)
    assert len(folds) == count
    assert all(folds)
    assert sorted(document for fold in folds for document in fold) == sorted(group)
    place = {document: number for number, fold in enumerate(folds) for document in fold}
    for document, first in group.items():
        assert place[document] == place[first]
    # The last of the fullest fold was dealt when that fold was the emptiest.
    sizes = Counter(place[row.document] for row in rows)
    largest = max(Counter(group[row.document] for row in rows).values())
    assert max(sizes.values()) - min(sizes.values()) <= largest
    assert deal(rows[::-1], count) == folds


def test_more_folds_than_documents_is_a_sentence() -> None:
    rows = [example(number, number // 2, number // 2) for number in range(6)]
    assert len(deal(rows, 3)) == 3
    with pytest.raises(ConfigError, match=r"folds = 4: the 6 held-out rows are about 3 documents"):
        deal(rows, 4)
    alike = [replace(row, context=rows[0].context) for row in rows]
    with pytest.raises(ConfigError, match="about 1 documents"):
        deal(alike, 2)
