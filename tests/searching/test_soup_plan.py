"""Which candidates' weights are averaged."""

from collections.abc import Callable
from typing import Any

import pytest

from autoqa.errors import ConfigError
from autoqa.searching.soup_plan import families, greedy_soup, soup_of, standard_soups
from autoqa.store.candidate_record import CandidateRecord, group_alone, soup_id
from tests.store.test_study_tables import with_jaccard


def record(trial: int, percent: int = 100, jaccard: float = 0.5, **changes: Any) -> CandidateRecord:
    name = f"t{trial:04d}-{percent:03d}"
    return with_jaccard(jaccard, id=name, trial=trial, fraction=percent / 100, **changes)


def soups(*records: CandidateRecord) -> dict[str, list[str]]:
    (family,) = families(records)
    return {soup.what: [each.id for each in soup.ingredients] for soup in standard_soups(family)}


def test_all_ends_runs_and_all_but_one() -> None:
    made = soups(record(1, 50), record(1), record(0, 50), record(0))
    assert made == {
        "all candidates": ["t0000-050", "t0000-100", "t0001-050", "t0001-100"],
        "the ends of runs": ["t0000-100", "t0001-100"],
        "all but t0000-050": ["t0000-100", "t0001-050", "t0001-100"],
        "all but t0000-100": ["t0000-050", "t0001-050", "t0001-100"],
        "all but t0001-050": ["t0000-050", "t0000-100", "t0001-100"],
        "all but t0001-100": ["t0000-050", "t0000-100", "t0001-050"],
        "the snapshots of run 0": ["t0000-050", "t0000-100"],
        "the snapshots of run 1": ["t0001-050", "t0001-100"],
    }


def test_equal_sets_are_one_soup_and_one_model_is_none() -> None:
    assert soups(record(0), record(1)) == {"all candidates": ["t0000-100", "t0001-100"]}
    assert soups(record(0, 50), record(0)) == {"all candidates": ["t0000-050", "t0000-100"]}
    assert list(soups(*map(record, range(9)))) == ["all candidates"], "nine: none is left out"
    assert len(soups(*map(record, range(8)))) == 9


def test_what_cannot_be_averaged_is_never_mixed() -> None:
    conditional = {"method": {"head": "conditional"}, "stages": []}
    others = [
        record(2, backbone="minilm"),
        record(3, group="other"),
        record(4, recipe=conditional),
        record(6, recipe={"method": {"reinit_layers": 1}, "stages": []}),
    ]
    soup = record(5, ingredients=("t0000-100", "t0001-100"))
    (family,) = families([record(0), record(1), *others, soup])
    assert [each.id for each in family] == ["t0000-100", "t0001-100"]
    assert families([record(0), *others, soup]) == []


def test_those_that_vote_alone_are_averaged_by_their_windows() -> None:
    alone = [record(n, group=group_alone("a", f"t{n:04d}-100")) for n in range(2)]
    (family,) = families([*alone, record(2, group=group_alone("b", "t0002-100"))])
    assert [each.id for each in family] == ["t0000-100", "t0001-100"]


def greedily(score: Callable[[tuple[str, ...]], float], *records: CandidateRecord) -> Any:
    """What is tried, and what stays."""
    (family,) = families(records)
    search, tried = greedy_soup(family), []
    ingredients = next(search)
    while True:
        tried.append(tuple(each.id[4] for each in ingredients))
        try:
            ingredients = search.send(score(tried[-1]))
        except StopIteration as finished:
            return tried, tuple(each.id[4] for each in finished.value)


def test_greedy_goes_from_the_best_on_and_keeps_what_does_not_lower_the_score() -> None:
    records = [record(number, jaccard=jaccard) for number, jaccard in enumerate((0.4, 0.6, 0.5))]
    scores = {("1", "2"): 0.6, ("0", "1", "2"): 0.59, ("0", "1"): 0.7}
    tried, kept = greedily(scores.__getitem__, *records)
    assert tried == [("1", "2"), ("0", "1", "2")]
    assert kept == ("1", "2"), "an equal score is no loss"
    assert greedily(lambda _: 0.5, *records) == ([("1", "2"), ("0", "1")], ("1",))
    assert greedily(lambda names: len(names), *records)[1] == ("0", "1", "2")


RECORDS = {
    each.id: each
    for each in (
        record(0),
        record(1),
        record(2, backbone="minilm", group="other"),
        record(3, recipe={"method": {"head": "conditional"}}),
        with_jaccard(0.6, id="soup-e5-abcdef", ingredients=("t0000-100", "t0001-100")),
    )
}


def test_a_soup_has_one_name_whatever_the_order() -> None:
    one = soup_of(RECORDS, ["t0001-100", "t0000-100", "t0001-100"], "study")
    assert [each.id for each in one.ingredients] == ["t0000-100", "t0001-100"]
    assert one.id == soup_id("e5", ["t0001-100", "t0000-100"])
    assert len(soup_id("b" * 200, ["t0001-100"])) == 40


@pytest.mark.parametrize(
    "names, sentence",
    [
        (["t0000-100", "t0001-101"], r"no such candidate; did you mean 't0001-100'\?"),
        (["t0000-100", "x"], "no such candidate; see `autoqa leaderboard study`"),
        (["t0000-100", "t0000-100"], "needs two different candidates or more"),
        (["t0000-100"], "needs two different candidates or more"),
        (
            ["t0000-100", "t0002-100"],
            r"t0000-100 and t0002-100 differ in backbone \(e5 and minilm\), group of tokenizer and "
            r"windows \(abc and other\), so their weights cannot be averaged",
        ),
        (["t0003-100", "t0000-100"], r"differ in answer head \(independent and conditional\)"),
        (["soup-e5-abcdef", "t0000-100"], "is a soup itself: name .* t0000-100 t0001-100"),
    ],
)
def test_bad_requests_are_a_sentence_each(names: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        soup_of(RECORDS, names, "study")
