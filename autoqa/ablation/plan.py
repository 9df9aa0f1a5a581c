"""What an ablation would train, and about how long that takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from autoqa import recipes
from autoqa.ablation.experiment import AblationOptions, Experiment
from autoqa.analysis.finished_run import StudyRun
from autoqa.scores.sequential import looks


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationPlan:
    """What an ablation would train.

    Attributes:
        study: Its name.
        base: ``t0003-100`` or ``protocol:e5``.
        recipe: The base's recipe, in one line.
        arms: Name of each arm to its recipe, in one line.
        notes: Sentences on what cannot be ablated.
        kept: Runs that are there already.
        runs: Runs until each number of seeds after which is looked, if no arm is clear before.
        minutes: What these runs take, about; ``None`` where nobody knows.
        workers: How many, and why.
    """

    study: str
    base: str
    recipe: str
    arms: Mapping[str, str]
    notes: tuple[str, ...]
    kept: int
    runs: Mapping[int, int]
    minutes: Mapping[int, float] | None
    workers: str


def plan_ablation(run: StudyRun, options: AblationOptions) -> AblationPlan:
    """What :func:`autoqa.ablation.ablate.ablate` would do; trains nothing.

    Raises:
        ConfigError, MissingAssetError, DataError, NothingFeasibleError: As :func:`ablate`.
    """
    experiment = Experiment.of(run, options)
    rate, plan = experiment.base.run.learning_rate, experiment.workers(options.workers)
    open_arms = experiment.open_arms()
    missing = {
        seeds: experiment.missing(open_arms, seeds).values() for seeds in looks(options.seeds)
    }
    seconds = {
        each.recipe.hash: experiment.seconds(each.recipe)
        for runs in missing.values()
        for each in runs
    }
    known = all(value is not None for value in seconds.values())
    return AblationPlan(
        study=run.study.name,
        base=experiment.base.label,
        recipe=recipes.line(experiment.base.run.recipe, rate),
        arms={arm.name: recipes.line(arm.recipe, rate) for arm in experiment.arms},
        notes=tuple(experiment.notes),
        kept=experiment.kept_count(options.seeds),
        runs={count: len(runs) for count, runs in missing.items()},
        minutes={
            count: sum(seconds[each.recipe.hash] or 0.0 for each in runs) / 60 / plan.count
            for count, runs in missing.items()
        }
        if known
        else None,
        workers=plan.spelled(),
    )
