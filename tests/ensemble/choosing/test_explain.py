import numpy as np
import pytest

from autoqa.ensemble.choosing.selector import EnsembleLimits, Selector
from autoqa.scores.bootstrap import paired
from tests.ensemble.making import field


@pytest.fixture(scope="module")
def explained():
    examples, windows, candidates = field(0)
    selector = Selector(candidates, windows, examples, EnsembleLimits(), seed=1)
    selection = selector.select("mean")
    return selector, selection, selector.explain(selection)


def test_gains_of_first_seats_add_up(explained):
    _, selection, why = explained
    assert set(why.picks) == {selection.chosen, selection.best_public.chosen, "greedy"}
    (greedy,) = (other for other in selection.alternatives if other.kind == "greedy")
    members = why.picks["greedy"]
    assert {one.id: one.seats for one in members} == dict(greedy.members)
    assert members[0].first_seat is None
    if all(one.seats == 1 for one in members):
        gains = sum(one.first_seat for one in members[1:])
        assert members[0].alone + gains == pytest.approx(greedy.public.mean)
    assert all(0 <= one.bags <= 1 for one in members)


def test_what_a_removal_costs(explained):
    """Public: the ensemble against itself without the member. Out of bag: the bags' ensembles."""
    selector, _, why = explained
    evaluator, ones = selector._evaluator, np.ones(len(selector._examples))
    ids = [candidate.id for candidate in selector._contenders]
    for kind, members in why.picks.items():
        seats = selector._seats[kind]
        for one in members:
            i = ids.index(one.id)
            rest = tuple(j for j in seats if j != i)
            if not rest:
                assert one.kept is None
                continue
            scores = [evaluator.scores(each, ones) for each in (seats, rest)]
            assert one.kept == paired(*scores, selector._documents)
            gains = [[] for _ in ones]
            for bag in selector._bags.drawn:
                own = bag.seats[kind]
                left = tuple(j for j in own if j != i)
                if i not in own or not left:
                    continue
                gain = evaluator.scores(own, bag.weights) - evaluator.scores(left, bag.weights)
                for question in np.flatnonzero(bag.weights == 0):
                    gains[question].append(gain[question])
            means = [np.mean(gain) for gain in gains if gain]
            if one.kept_out_of_bag is None:
                assert not means
            else:
                assert one.kept_out_of_bag.gain == pytest.approx(np.mean(means))


def test_the_matrix_is_symmetric_and_of_the_members(explained):
    _, selection, why = explained
    matrix = np.array(why.disagreement)
    assert matrix == pytest.approx(matrix.T)
    assert np.diagonal(matrix) == pytest.approx(np.zeros(len(why.ids)))
    members = {one.id for each in why.picks.values() for one in each}
    assert set(why.ids) == members
    assert {seat.id for seat in selection.members} <= members


def test_the_tables_fit_a_hundred_columns(explained, capsys):
    from rich.console import Console

    from autoqa.ensemble.choosing.explain import Explanation
    from autoqa.report.selection import explanation_parts

    _, _, why = explained
    console = Console(width=100)
    ids = tuple(f"t{number:04}-100" for number in range(30))
    matrix = tuple(tuple(float(i != j) for i in range(30)) for j in range(30))
    for explanation in (why, Explanation({}, ids, matrix)):
        for part in explanation_parts(explanation):
            console.print(part)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert not any("…" in line for line in lines)
    assert sum("AD" in line for line in lines) >= 2
