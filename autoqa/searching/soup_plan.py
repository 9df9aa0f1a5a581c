"""Which candidates' weights are averaged: the standard soups, a greedy one, one that is named.

After Wortsman et al., Model soups (ICML 2022, arXiv:2203.05482). Only models that were fine-tuned
from one pretrained checkpoint, with one tokenizer, window length and answer head, can be averaged.
"""

from collections import defaultdict
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass

from autoqa.errors import ConfigError, did_you_mean
from autoqa.recipes import Method
from autoqa.store.candidate_record import CandidateRecord, by_score, in_time, soup_id
from autoqa.store.candidate_rounds import depths

Ingredients = tuple[CandidateRecord, ...]
"""Candidates of one family in the order of :func:`in_time`."""

LEAVE_ONE_OUT = range(3, 9)
"""Numbers of ingredients of which each in turn is left out: of more, one hardly matters."""


@dataclass(frozen=True, slots=True)
class Soup:
    """An average to make.

    Attributes:
        ingredients: Whose weights.
        what: Says which of the soups it is, for people.
    """

    ingredients: Ingredients
    what: str

    @property
    def id(self) -> str:
        """What the candidate will be called."""
        return soup_id(self.ingredients[-1].backbone, (each.id for each in self.ingredients))


def families(records: Collection[CandidateRecord]) -> list[Ingredients]:
    """Points of runs of one round that can be averaged with each other; two or more in each."""
    members: dict[tuple[object, ...], list[CandidateRecord]] = defaultdict(list)
    depth = depths(records)
    for record in sorted(records, key=in_time):
        if not record.derived:
            members[depth[record.id], *_family(record)].append(record)
    return [tuple(family) for family in members.values() if len(family) > 1]


def _family(record: CandidateRecord) -> tuple[str, str, str, int]:
    """What must be equal; layers that began anew have nothing in common with pretrained ones."""
    method, plain = record.recipe.get("method", {}), Method()
    head = method.get("head", plain.head)
    return record.backbone, record.windows, head, method.get("reinit_layers", plain.reinit_layers)


def standard_soups(family: Ingredients) -> list[Soup]:
    """Of all, of the ends of runs, of all but one, of each run's snapshots; each set once.

    Args:
        family: One of :func:`families`.
    """
    runs = _runs(family)
    soups = [Soup(family, "all candidates"), Soup(_ends(runs), "the ends of runs")]
    if len(family) in LEAVE_ONE_OUT:
        soups += [
            Soup(tuple(each for each in family if each is not absent), f"all but {absent.id}")
            for absent in family
        ]
    return each_once([*soups, *soups_of_runs(family)])


def each_once(soups: Sequence[Soup]) -> list[Soup]:
    """Those of two ingredients or more, each set under the first name that it has."""
    different = {soup.id: soup for soup in reversed(soups) if len(soup.ingredients) > 1}
    return list(reversed(different.values()))


def soups_of_runs(family: Ingredients) -> list[Soup]:
    """Of each run's snapshots, where there are two or more."""
    return [
        Soup(tuple(run), f"the snapshots of run {trial}")
        for trial, run in _runs(family).items()
        if len(run) > 1
    ]


def _runs(family: Ingredients) -> dict[int, list[CandidateRecord]]:
    runs: dict[int, list[CandidateRecord]] = defaultdict(list)
    for record in family:
        runs[record.trial].append(record)
    return runs


def _ends(runs: Mapping[int, Sequence[CandidateRecord]]) -> Ingredients:
    return tuple(run[-1] for run in runs.values())


def greedy_soup(family: Ingredients) -> Generator[Ingredients, float, Ingredients]:
    """From the best candidate on, each next one stays unless the public score falls.

    Args:
        family: One of :func:`families`.

    Yields:
        Ingredients whose average is to be scored.

    Receives:
        The public score of that average.

    Returns:
        The ingredients that stayed, perhaps only one.
    """
    best, *others = sorted(family, key=by_score)
    kept: Ingredients = (best,)
    highest = best.score
    for record in others:
        tried = tuple(sorted((*kept, record), key=in_time))
        reached = yield tried
        if reached >= highest:
            kept, highest = tried, reached
    return kept


def soup_of(records: Mapping[str, CandidateRecord], names: Sequence[str], study: str) -> Soup:
    """The soup of candidates that are named.

    Args:
        records: The study's candidates by id.
        names: Ids; one that is named twice counts once.
        study: The study's name.

    Raises:
        ConfigError: There are fewer than two, one is unknown, a soup itself or distilled, or they
            cannot be averaged.
    """
    for name in names:
        if name not in records:
            hint = did_you_mean(name, records) or f"; see `autoqa leaderboard {study}`"
            raise ConfigError(f"CANDIDATE {name!r}: the study has no such candidate{hint}")
        if records[name].teachers:
            raise ConfigError(
                f"CANDIDATE {name!r} was distilled: name points of runs, which search trained"
            )
        if records[name].ingredients:
            raise ConfigError(
                f"CANDIDATE {name!r} is a soup itself: name what it is made of, "
                f"{' '.join(records[name].ingredients)}"
            )
    ingredients = tuple(sorted({name: records[name] for name in names}.values(), key=in_time))
    if len(ingredients) < 2:
        raise ConfigError("CANDIDATE: an average needs two different candidates or more")
    first = ingredients[0]
    for other in ingredients[1:]:
        differing = [
            f"{what} ({before} and {after})"
            for what, before, after in zip(
                ("backbone", "group of tokenizer and windows", "answer head", "layers begun anew"),
                _family(first),
                _family(other),
                strict=True,
            )
            if before != after
        ]
        if differing:
            raise ConfigError(
                f"{first.id} and {other.id} differ in {', '.join(differing)}, so their weights "
                "cannot be averaged: select may let them vote instead"
            )
    return Soup(ingredients, "what was named")
