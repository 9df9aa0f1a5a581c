"""Which runs are trained again for a refit, with which rows, and about how long that takes.

This module imports neither torch nor transformers: the parent process of a search uses it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autoqa.config.study import StudyFile
from autoqa.data import StudyData
from autoqa.data.portions import expected_rows
from autoqa.errors import ConfigError
from autoqa.recipes import Recipe
from autoqa.store.candidate_record import CandidateRecord, in_time
from autoqa.types import Example

Points = tuple[CandidateRecord, ...]
"""Candidates of one run, in the order of time."""


@dataclass(frozen=True, slots=True)
class RefitPlan:
    """What has to be trained for some members.

    Attributes:
        members: Id of each member that draws added rows to the ids of the points that it is the
            mean of; its own where it is no soup.
        runs: The runs of all these points.
    """

    members: Mapping[str, tuple[str, ...]]
    runs: tuple[Points, ...]

    @property
    def recipes(self) -> list[Recipe]:
        """One for each run."""
        return [points[0].training_run.recipe for points in self.runs]


def draws_from(record: CandidateRecord, source: str) -> bool:
    """Whether a candidate was trained on a source; of a soup, whether an ingredient was.

    A pupil counts as not: its teachers' answers taught it, which a refit does not give.
    """
    return not record.teachers and any(
        portion.get("source") == source
        for stage in record.recipe.get("stages", ())
        for portion in stage.get("portions", ())
    )


def plan_refit(
    records: Mapping[str, CandidateRecord], members: Sequence[str], study: StudyFile
) -> RefitPlan:
    """Finds the runs that members come from.

    Members that are not trained on the validation's source are left out: they would come out as
    they are.

    Args:
        records: The members and their ingredients, by id.
        members: Ids.
        study: Names the validation's source.

    Raises:
        ConfigError: No member is trained on the validation's source.
        DataError: A recipe is of another version.
    """
    source = study.validation.source
    made_of = {
        name: records[name].ingredients or (name,)
        for name in members
        if draws_from(records[name], source)
    }
    if not made_of:
        raise ConfigError(
            f"refit without rows to add: validation is of the source {source!r}, and no recipe of "
            f"{', '.join(members)} has a portion of it; export them as they are"
        )
    runs: dict[tuple[int, str], set[str]] = defaultdict(set)
    for name in {point for points in made_of.values() for point in points}:
        runs[records[name].trial, records[name].training_run.key].add(name)
    return RefitPlan(
        members=made_of,
        runs=tuple(
            tuple(sorted((records[name] for name in names), key=in_time))
            for _, names in sorted(runs.items())
        ),
    )


def drawn(recipes: Iterable[Recipe], source: str, rows: Sequence[Example]) -> list[Example]:
    """The rows that a portion of a source may draw: those in its languages."""
    portions = [
        portion
        for recipe in recipes
        for stage in recipe.stages
        for portion in stage.portions
        if portion.source == source
    ]
    anyone = any(portion.languages is None for portion in portions)
    languages = {language for portion in portions for language in portion.languages or ()}
    return [row for row in rows if anyone or row.language in languages]


def expected_seconds(
    runs: Iterable[Points], data: StudyData, added: StudyData, *, workers: int
) -> float:
    """About how long runs take: as long as they took, by the rows that there are more of.

    Args:
        runs: Each with all points that are wanted of it.
        data: What was trained on.
        added: What will be trained on.
        workers: How many train at once.
    """
    seconds = [
        max(point.seconds for point in points)
        * expected_rows(recipe, added.train)
        / max(1.0, expected_rows(recipe, data.train))
        for points in runs
        for recipe in [points[0].training_run.recipe]
    ]
    return max(sum(seconds) / workers, max(seconds, default=0.0))


@dataclass(frozen=True, slots=True)
class RefitOffer:
    """What a refit of all runs would take.

    Attributes:
        source: The validation's source.
        rows: How many rows would be added.
        runs: How many runs there are.
        seconds: About how long they would take.
    """

    source: str
    rows: int
    runs: int
    seconds: float


def offer(
    study: StudyFile, data: StudyData, candidates: Sequence[CandidateRecord], workers: int
) -> RefitOffer | None:
    """The offer of a refit; ``None`` where it would add no row.

    Args:
        study: The study file.
        data: Its data.
        candidates: All candidates, one at least.
        workers: How many train at once.
    """
    source = study.validation.source
    if source not in data.train or not any(draws_from(each, source) for each in candidates):
        return None
    records = {record.id: record for record in candidates}
    plan = plan_refit(records, [each.id for each in candidates if not each.ingredients], study)
    rows = drawn(plan.recipes, source, (*data.public, *data.private))
    if not rows:
        return None
    seconds = expected_seconds(plan.runs, data, data.refit(source), workers=workers)
    return RefitOffer(source, len(rows), len(plan.runs), seconds)
