"""Averages of weights in a selection: taken for what they are made of, and the default."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selection import Selection
from autoqa.ensemble.choosing.selector import Selector
from autoqa.ensemble.choosing.shrinkage import SOUP_GAIN, Pool
from autoqa.ensemble.choosing.soups import found_soups
from autoqa.ensemble.evaluation.evaluator import Contender
from tests.ensemble.choosing.pools import Kind, Part, make_pool


def mixed(part: Part, name: str, members: list[int], shift: float = 0.0) -> Contender:
    """A contender that answers as the mean of others' logits, or wrongly where it is shifted."""
    made_of = [part.candidates[i] for i in members]
    start, end = (np.mean([each.logits[side] for each in made_of], axis=0) for side in (0, 1))
    logits = (np.roll(start, int(shift)), np.roll(end, int(shift)))
    ids = tuple(each.id for each in made_of)
    return replace(made_of[0], id=name, recipe=name, logits=logits, ingredients=ids)


@pytest.fixture(scope="module")
def part() -> Part:
    return make_pool(Kind(), [3], 5)[0]


def select(part: Part, *soups: Contender) -> Selection:
    candidates = [*part.candidates, *soups]
    return Selector(candidates, part.windows, part.examples, EnsembleLimits()).select()


def test_without_evidence_the_widest_average_of_weights_is_taken(part: Part) -> None:
    wide, narrow = mixed(part, "soup-a", list(range(8))), mixed(part, "soup-b", [0, 1])
    selection = select(part, narrow, wide)
    assert [seat.id for seat in selection.members] == ["soup-a"]
    assert selection.chosen == "soup"
    assert "average of the most candidates' weights" in selection.verdict.lower()
    comparable = next(other for other in selection.alternatives if other.kind == "comparable")
    assert not {"soup-a", "soup-b"} & {name for name, _ in comparable.members}
    assert not any("soup" in note for note in selection.notes)


def test_a_soup_that_answers_wrongly_is_not(part: Part) -> None:
    selection = select(part, mixed(part, "soup-a", list(range(8)), shift=7))
    assert "soup" not in [other.kind for other in selection.alternatives]
    assert "soup-a" not in {seat.id for seat in selection.members}


def test_a_soup_that_is_a_little_worse_is_weighed_by_the_evidence() -> None:
    part = make_pool(Kind(), [60], 5)[0]
    good, bad = mixed(part, "soup-a", list(range(8))), mixed(part, "soup-b", list(range(8)))
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1.2, (2, len(bad.logits[0])))
    bad = replace(bad, logits=(bad.logits[0] + noise[0], bad.logits[1] + noise[1]))
    known = []
    for each in (good, bad):
        selection = select(part, each)
        soup = next(other for other in selection.alternatives if other.kind == "soup")
        assert soup.posterior is not None
        known.append(soup.posterior)
    assert known[1].observed is not None
    assert known[1].observed < -0.03
    assert known[1].mean < known[0].mean - 0.01
    assert selection.chosen != "soup"


def test_without_soups_nothing_is_said_of_them(part: Part) -> None:
    kinds = [other.kind for other in select(part).alternatives]
    assert "soup" not in kinds
    assert Selection.from_json(select(part).to_json()) == select(part)


def test_a_soup_of_something_else_is_a_candidate_like_others(part: Part) -> None:
    stranger = replace(mixed(part, "soup-a", [0, 1]), ingredients=("t00", "gone"))
    assert found_soups([*part.candidates, stranger]) == {}
    assert "soup" not in [other.kind for other in select(part, stranger).alternatives]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.integers(0, 99))
def test_parts_of_soups_go_to_what_they_are_made_of(weights: list[float], seed: int) -> None:
    alone = np.random.default_rng(seed).normal(0.5, 0.01, (6, 12))
    pool = Pool(alone, [f"d{i // 3}" for i in range(12)], {4: [0, 1, 2, 3], 5: [0, 1]})
    parts = np.array(weights)
    whole = pool.unmixed(parts)
    assert whole.sum() == pytest.approx(parts.sum())
    assert whole[4] == whole[5] == 0
    assert whole[2] == pytest.approx(parts[2] + parts[4] / 4)
    assert whole[0] == pytest.approx(parts[0] + parts[4] / 4 + parts[5] / 2)
    assert pool.souped(parts) == pytest.approx(parts[4] + parts[5])
    assert not {4, 5} & set(pool.comparable)
    equal = np.array([0.25] * 4 + [0.0, 0.0])
    soup = np.eye(6)[4]
    gain = pool.posterior(pool.unmixed(soup) - equal, 0.0, None, 0.0, pool.souped(soup))
    assert gain.prior == pytest.approx(SOUP_GAIN)
