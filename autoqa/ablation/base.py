"""The recipe that experiments are compared with."""

from collections.abc import Mapping
from typing import Any

from autoqa.ablation.arms import Base
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.leaderboard import build_leaderboard
from autoqa.errors import ConfigError, NothingFeasibleError, did_you_mean
from autoqa.proposals.first_points import protocol_parameters
from autoqa.proposals.space import Space
from autoqa.recipes import TrainingRun
from autoqa.scores.ladder import best_so_far
from autoqa.scores.standard_errors import Spread
from autoqa.store.candidate_record import CandidateRecord
from autoqa.trials.optuna_study import trials_of
from autoqa.trials.trial_attributes import TrialAttributes, fixed_parameters

PROTOCOL = "protocol"


def find_base(run: StudyRun, spaces: Mapping[str, Space], named: str | None) -> Base:
    """The recipe to start from.

    Args:
        run: The study's run.
        spaces: One per backbone.
        named: A candidate's id; ``protocol`` for that of the study file's first backbone,
            ``protocol:NAME`` for another one's; left out, the best candidate by the ladder that is
            a point of a run of its own.

    Raises:
        ConfigError: There is no such candidate or backbone, or the candidate was made of others.
        NothingFeasibleError: No candidate's predictions are on this machine.
        DataError: Predictions are damaged, or the recipe is of another version.
    """
    if named is not None and named.partition(":")[0] == PROTOCOL:
        return _protocol(run, spaces, named.partition(":")[2])
    records = {record.id: record for record in run.store.candidates()}
    name = _best(run) if named is None else named
    if name not in records:
        hint = did_you_mean(name, records) or f"; see `autoqa leaderboard {run.study.name}`"
        raise ConfigError(f"base {name!r}: the study has no such candidate{hint}")
    record = records[name]
    if record.derived:
        made_of = ", ".join(record.ingredients or sorted(set(record.teachers)))
        raise ConfigError(
            f"base {name!r}: it was made of other candidates, and no recipe alone makes it; name "
            f"one of those: {made_of}"
        )
    if record.backbone not in spaces:
        raise ConfigError(f"base {name!r}: the study has no backbone {record.backbone!r} any more")
    return _candidate(run, spaces[record.backbone], record)


def _best(run: StudyRun) -> str:
    """The ladder's best among the points of runs."""
    board = build_leaderboard(run)
    own = [number for number, each in enumerate(board.compared) if not each.derived]
    if not own:
        raise NothingFeasibleError(
            f"the study {run.study.name!r} has no candidate with predictions on this machine: "
            "search first, or name protocol as the base"
        )
    return board.compared[own[best_so_far(Spread(board.scores[own], board.documents))]].id


def _candidate(run: StudyRun, space: Space, record: CandidateRecord) -> Base:
    trial = trials_of(run.study, run.folder).get(record.trial)
    parameters = {} if trial is None else {**fixed_parameters(trial), **trial.params}
    return Base(
        label=record.id,
        backbone=record.backbone,
        run=record.training_run,
        fraction=record.fraction,
        slots=_slots(space, parameters),
        micro_scale=(trial and TrialAttributes.of(trial).micro_scale) or 1.0,
    )


def _protocol(run: StudyRun, spaces: Mapping[str, Space], backbone: str) -> Base:
    name = backbone or next(iter(spaces))
    if name not in spaces:
        hint = did_you_mean(name, spaces) or f"; there are: {', '.join(spaces)}"
        raise ConfigError(f"base {PROTOCOL}:{name}: the study has no backbone {name!r}{hint}")
    parameters = protocol_parameters(spaces[name])
    recipe, rate = spaces[name].decode(parameters)
    training = TrainingRun(recipe, rate, run.study.seed)
    return Base(f"{PROTOCOL}:{name}", name, training, 1.0, _slots(spaces[name], parameters))


def _slots(space: Space, parameters: Mapping[str, Any]) -> frozenset[str]:
    """Slots that are switched on; those of a trial that nobody knows any more count as on."""
    return frozenset(
        table.slot
        for table in space.recipe.portions
        if table.include is True
        or (
            table.include == "search"
            and parameters.get(space.name(f"{table.slot}.include"), not parameters)
        )
    )
