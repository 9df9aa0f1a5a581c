"""A sampler that is shown the trials which matter to it, so that a long study costs no more."""

import heapq
import math
from collections.abc import Container, Sequence
from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

SHOWN = 250
"""Trials that are over and that the sampler is shown. TPE takes a tenth of what it sees, and never
more than :data:`BEST`, for good: from here on that number does not grow."""

BEST = 25
"""The best trials, which are shown whenever they ended. What TPE takes for good is with them the
same as if it saw all; what it takes for bad are the latest instead of all, of which it lets
older ones count less and less anyhow."""


class ShownTrials(BaseSampler):
    """Has another sampler choose by the best and the latest trials, and by all that run.

    They are read once for each trial that is proposed.

    Args:
        sampler: Chooses.
        storage: Of the study.
        shown: Finished trials that it sees, more than :data:`BEST`.
    """

    def __init__(self, sampler: BaseSampler, storage: BaseStorage, shown: int = SHOWN) -> None:
        self._sampler = sampler
        self._storage = storage
        self._shown = shown
        self._seen: tuple[int, optuna.Study] | None = None

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The parameters that are chosen together."""
        return self._sampler.infer_relative_search_space(self._view(study, trial), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Their values."""
        return self._sampler.sample_relative(self._view(study, trial), trial, search_space)

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """The value of a parameter that is chosen by itself."""
        view = self._view(study, trial)
        return self._sampler.sample_independent(view, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Tells the sampler that a trial begins."""
        self._sampler.before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Tells the sampler that a trial is over."""
        self._sampler.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Has the sampler draw other numbers."""
        self._sampler.reseed_rng()

    def _view(self, study: optuna.Study, trial: FrozenTrial) -> optuna.Study:
        """The study with no more trials than are shown."""
        if self._seen is None or self._seen[0] != trial.number:
            trials = chosen(study.get_trials(deepcopy=False), self._shown)
            view = cast(BaseStorage, _View(self._storage, trials))
            self._seen = (
                trial.number,
                optuna.load_study(study_name=study.study_name, storage=view, sampler=self._sampler),
            )
        return self._seen[1]


def chosen(trials: Sequence[FrozenTrial], shown: int) -> list[FrozenTrial]:
    """Those that a sampler is shown, by number: what is not over, the best and the latest.

    Args:
        trials: All of a study, by number.
        shown: Finished ones among them; failed ones, which no sampler looks at, are left out.
    """
    over = [each for each in trials if each.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    if len(over) <= shown:
        return list(trials)
    complete = [each for each in over if each.state == TrialState.COMPLETE]
    best = {each.number for each in heapq.nlargest(BEST, complete, key=_value)}
    others = [each.number for each in over if each.number not in best]
    kept = best.union(others[len(best) - shown :])
    return [each for each in trials if each.number in kept or not each.state.is_finished()]


def _value(trial: FrozenTrial) -> float:
    return -math.inf if trial.value is None else trial.value


class _View:
    """A storage whose study has the given trials; all else is the storage's own."""

    def __init__(self, storage: BaseStorage, trials: list[FrozenTrial]) -> None:
        self._storage = storage
        self._trials = trials

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def get_all_trials(
        self, _study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        assert not deepcopy, "a sampler that changes trials is not foreseen"
        return [each for each in self._trials if states is None or each.state in states]
