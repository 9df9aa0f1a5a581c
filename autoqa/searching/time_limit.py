"""Before the first trial: what the time limit holds, and recipes that are small enough for it."""

from collections.abc import Mapping
from dataclasses import replace

from autoqa.config.study import StudyFile
from autoqa.planning.run_timing import RunTiming
from autoqa.planning.share_scale import ShareScale
from autoqa.planning.time_plan import MIN_RUNS, TimePlan, check_one_run, fit_scale, plan_time
from autoqa.proposals.first_points import protocol_parameters
from autoqa.proposals.space import Space
from autoqa.recipes import TrainingRun
from autoqa.store.run_folder import RunFolder
from autoqa.supervision.budget import Budget
from autoqa.trials.optuna_study import open_folder
from autoqa.trials.trials import Trials

SCALE = "share scale"
"""The user attribute of the Optuna study that holds :class:`ShareScale`."""


def protocol_runs(spaces: Mapping[str, Space], seed: int) -> dict[str, TrainingRun]:
    """The run of each backbone's protocol as the study file has it, whatever the scale."""
    runs = {}
    for name, space in spaces.items():
        whole = replace(space, scale=ShareScale())
        recipe, rate = whole.decode(protocol_parameters(whole))
        if recipe.stages:
            runs[name] = TrainingRun(recipe, rate, seed)
    return runs


def snapshots_of(study: StudyFile) -> int:
    """Points of a run that become candidates."""
    return len({*study.search.snapshots, 1.0})


def target_of(study: StudyFile) -> str | None:
    """The source that the study is about, if any of it is trained on."""
    trained = {each.source for each in study.recipe.portions if each.include is not False}
    named = study.recipe.target or study.validation.source
    return named if named in trained else None


def new_plan(
    study: StudyFile,
    timings: Mapping[str, RunTiming],
    *,
    budget: Budget,
    workers: int,
    trials: int,
) -> TimePlan:
    """What the time limit holds of a study that has no trial yet, made to fit if it asks for that.

    Args:
        study: The study.
        timings: Of its backbones, at least one.
        budget: The limit, with what is kept for soups.
        workers: Runs at a time.
        trials: Trials wanted.

    Raises:
        NothingFeasibleError: It holds no run at all.
    """
    left = budget.left()
    assert left is not None
    assert budget.minutes is not None
    scale = ShareScale()
    if study.search.fit:
        scale = fit_scale(
            timings,
            seconds=left,
            workers=workers,
            snapshots=snapshots_of(study),
            runs=min(max(MIN_RUNS, len(timings)) * study.search.rounds, trials),
            target=target_of(study),
        )
    plan = plan_time(
        timings,
        minutes=budget.minutes,
        seconds=left,
        workers=workers,
        snapshots=snapshots_of(study),
        scale=scale,
    )
    check_one_run(plan, left, backbones=len(timings), fit=study.search.fit)
    return plan


def stored_scale(trials: Trials) -> ShareScale:
    """The scale that the study began with."""
    return ShareScale.from_json(trials.study.user_attrs.get(SCALE))


def scale_of(study: StudyFile, folder: RunFolder) -> ShareScale:
    """The scale of a study that was searched.

    Args:
        study: The study file.
        folder: Its run folder.
    """
    return ShareScale.from_json(open_folder(study, folder).user_attrs.get(SCALE))


def use_scale(trials: Trials, scale: ShareScale) -> None:
    """Makes all recipes that are proposed from now on smaller."""
    trials.spaces = {name: replace(space, scale=scale) for name, space in trials.spaces.items()}


def fit_to_time(
    trials: Trials,
    study: StudyFile,
    timings: Mapping[str, RunTiming],
    *,
    budget: Budget,
    workers: int,
    total: int,
) -> list[str]:
    """Decides the size of a new study's recipes, and keeps to that of one that was begun.

    The decision is kept with the study, so that all of its trials can be compared.

    Args:
        trials: The study's trials.
        study: The study.
        timings: Of its backbones.
        budget: The limit, with what is kept for soups.
        workers: Runs at a time.
        total: Trials wanted.

    Returns:
        Sentences for people.

    Raises:
        NothingFeasibleError: The limit holds no run of a study without trials.
    """
    left = budget.left()
    if left is None or not timings:
        return []
    assert budget.minutes is not None
    if not trials.in_states():
        plan = new_plan(study, timings, budget=budget, workers=workers, trials=total)
        trials.study.set_user_attr(SCALE, plan.scale.as_json())
        use_scale(trials, plan.scale)
        return plan.sentences()
    if len(timings) < len(trials.spaces):
        return []
    plan = plan_time(
        timings,
        minutes=budget.minutes,
        seconds=left,
        workers=workers,
        snapshots=snapshots_of(study),
        scale=stored_scale(trials),
    )
    return plan.sentences()[:1]
