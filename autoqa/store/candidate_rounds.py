"""Rounds of a search, told by what candidates began with."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from statistics import fmean

from autoqa.store.candidate_record import CandidateRecord


def depths(records: Iterable[CandidateRecord]) -> dict[str, int]:
    """How many rounds of runs came before each point of a run, by its id.

    0 where it began with the pretrained weights; one more than the deepest of what it began with
    elsewhere. Candidates that were made of others are left out.
    """
    runs = {each.id: each for each in records if not each.derived}

    def depth(name: str) -> int:
        before = runs[name].begins_with if name in runs else ()
        return max((1 + depth(each) for each in before), default=0)

    return {name: depth(name) for name in runs}


def round_of(record: CandidateRecord, depth: Mapping[str, int]) -> int:
    """The depth of a candidate; of a soup that of its deepest ingredient."""
    return max(depth.get(name, 0) for name in record.ingredients or (record.id,))


def outdone_rounds(records: Collection[CandidateRecord]) -> set[str]:
    """Ids of candidates of rounds that a later one of their backbone has outdone in the mean.

    A later round goes on from the mean of one before, so that its runs are no rivals of those by
    chance but their better continuation, which few questions would not show of each of them.

    Args:
        records: All candidates of a study; of soups it is their deepest ingredient that counts.
    """
    depth = depths(records)
    scores: dict[tuple[str, int], list[float]] = defaultdict(list)
    for record in records:
        if record.id in depth:
            scores[record.backbone, depth[record.id]].append(record.score)
    means = {key: fmean(each) for key, each in scores.items()}
    outdone = {
        (backbone, number)
        for backbone, number in means
        if any(
            other == backbone and later > number and mean > means[backbone, number]
            for (other, later), mean in means.items()
        )
    }

    return {
        each.id
        for each in records
        if not each.teachers and (each.backbone, round_of(each, depth)) in outdone
    }
