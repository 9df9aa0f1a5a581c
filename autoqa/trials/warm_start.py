"""Another study's finished trials as what is known before this one's first.

Its best recipes are tried early. They, and every other recipe that both studies have trained, show
how scores here differ from scores there; with that difference added, its other trials become
finished ones of this study, which the sampler learns from. Validation sets differ, so values from
elsewhere mean nothing before such recipes are known (transfer by a common task, as in Bardenet et
al., Collaborative hyperparameter tuning, ICML 2013; here one offset for all).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from autoqa.config.study import StudyFile
from autoqa.errors import ConfigError
from autoqa.proposals.first_points import Point, fault, protocol_parameters
from autoqa.proposals.space import Space
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.types import Example

TRIED = 2
"""Recipes of the other study that each backbone tries itself."""


@dataclass(frozen=True, slots=True)
class PastTrial:
    """A finished trial of another study, in the parameters of this one's space.

    Attributes:
        parameters: Full names and values, those that matter for its recipe.
        score: Its public score there.
        trained: Its recipe and learning rate, as in ``TrainingRun.key`` without the seed.
    """

    parameters: dict[str, Any]
    score: float
    trained: str


@dataclass(frozen=True, slots=True)
class PastStudy:
    """A study that was searched before.

    Attributes:
        study: Its study file.
        trials: All trials of its Optuna study.
        public: Questions that its scores are about.
    """

    study: StudyFile
    trials: Sequence[FrozenTrial]
    public: Sequence[Example]


@dataclass(frozen=True)
class Prior:
    """What another study says about this one's spaces.

    Attributes:
        study: Its name.
        past: Each backbone's trials, best first.
        left_out: Finished trials that this study's spaces do not hold.
    """

    study: str
    past: Mapping[str, Sequence[PastTrial]] = field(default_factory=dict)
    left_out: int = 0

    @property
    def origin(self) -> str:
        """What trials that come from it are marked with."""
        return f"warm start {self.study}"

    def sentence(self) -> str:
        """How much of it can be used."""
        held = sum(map(len, self.past.values()))
        tried = sum(min(TRIED, len(trials)) for trials in self.past.values())
        return (
            f"warm start: the spaces hold {held} of {held + self.left_out} finished trials of "
            f"{self.study}; its best {tried} are tried early"
        )

    def points(self, backbone: str) -> list[Point]:
        """What a backbone tries early."""
        trials = enumerate(self.past.get(backbone, ())[:TRIED], 1)
        return [Point(f"{self.origin} {number}", dict(past.parameters)) for number, past in trials]

    def offset(self, backbone: str, finished: Iterable[FrozenTrial]) -> float | None:
        """How much higher this study scores the recipes that both have trained.

        Args:
            backbone: Whose.
            finished: This study's finished trials.

        Returns:
            A mean difference of scores; ``None`` before the first such recipe.
        """
        known = {past.trained: past.score for past in self.past.get(backbone, ())}
        gains = [
            value - known[trained]
            for value, trained in _own(backbone, finished)
            if trained in known
        ]
        return fmean(gains) if gains else None

    def add_to(self, study: optuna.Study, space: Space, note: Callable[[str], None]) -> None:
        """Adds what was not trained here as finished trials, once, and when the offset is known.

        Args:
            study: This study, for whose next trial the sampler shall know them.
            space: Of the backbone.
            note: Is told, in a sentence, what was added.
        """
        trials = study.get_trials(deepcopy=False)
        if any(_adopted(trial, space.backbone, self.origin) for trial in trials):
            return
        finished = [trial for trial in trials if trial.state == TrialState.COMPLETE]
        offset = self.offset(space.backbone, finished)
        if offset is None:
            return
        here = {trained for _, trained in _own(space.backbone, finished)}
        distributions = space.distributions()
        mark = TrialAttributes(backbone=space.backbone, origin=self.origin, elsewhere=True)
        added = [past for past in self.past[space.backbone] if past.trained not in here]
        for past in added:
            study.add_trial(
                optuna.create_trial(
                    params=past.parameters,
                    distributions={name: distributions[name] for name in past.parameters},
                    value=past.score + offset,
                    user_attrs=mark.as_dict(),
                )
            )
        if added:
            note(
                f"{self.origin}: the sampler learns from {len(added)} trials of {space.backbone}, "
                f"with {offset:+.3f} on their scores"
            )


def _check_metric(past: StudyFile, study: StudyFile) -> None:
    """Refuses scores of another metric: one offset does not make the one of the other."""
    if past.validation.metric != study.validation.metric:
        raise ConfigError(
            f"warm start {past.name!r}: its scores are {past.validation.metric}, and those of "
            f"{study.name!r} {study.validation.metric}: begin with a study of the same "
            "[validation] metric"
        )


def read_prior(
    past: PastStudy, study: StudyFile, spaces: Mapping[str, Space], private: Sequence[Example]
) -> Prior:
    """Another study's finished trials in this study's spaces.

    A parameter that the other study did not have is as in this backbone's protocol; a trial with a
    value that this study does not allow is left out.

    Args:
        past: The other study.
        study: This one.
        spaces: Its spaces.
        private: Its sealed questions.

    Raises:
        ConfigError: It is the study itself, or has another metric; no backbone has the same name
            and plugin in both; none of its trials fits; or it chose recipes by questions that are
            sealed here.
    """
    name = past.study.name
    if name == study.name:
        raise ConfigError(f"warm start {name!r}: a study goes on from its own trials by itself")
    _check_metric(past.study, study)
    sealed = {(example.question, example.context) for example in private}
    seen = sum((example.question, example.context) in sealed for example in past.public)
    if seen:
        raise ConfigError(
            f"warm start {name!r}: {seen} of the questions that guided that search are sealed in "
            f"{study.name!r}, whose private score would mean less: give both studies the same "
            "[validation]"
        )
    shared = [
        each
        for each in spaces
        if each in past.study.backbones
        and past.study.backbones[each].type == study.backbones[each].type
    ]
    if not shared:
        here, there = (
            ", ".join(f"{key} ({table.type})" for key, table in each.backbones.items())
            for each in (study, past.study)
        )
        raise ConfigError(
            f"warm start {name!r}: it has {there}, this study has {here}: no backbone has the "
            "same name and type in both"
        )
    found = {each: _translated(spaces[each], past.trials) for each in shared}
    prior = Prior(
        name,
        {each: trials for each, (trials, _) in found.items()},
        sum(left_out for _, left_out in found.values()),
    )
    if not any(prior.past.values()):
        raise ConfigError(
            f"warm start {name!r}: it has {prior.left_out} finished trials of "
            f"{', '.join(shared)}, and this study's spaces hold none of them"
        )
    return prior


def _translated(space: Space, trials: Iterable[FrozenTrial]) -> tuple[list[PastTrial], int]:
    """A backbone's finished trials, best first, and how many the space does not hold."""
    kept: dict[str, PastTrial] = {}
    left_out, usual = 0, protocol_parameters(space)
    distributions = space.distributions()
    for trial in trials:
        attributes = TrialAttributes.of(trial)
        # What goes on from others' weights says little of its recipe alone.
        skipped = (
            attributes.duplicate_of is not None or attributes.elsewhere or attributes.begins_with
        )
        if trial.state != TrialState.COMPLETE or attributes.backbone != space.backbone or skipped:
            continue
        asked = _Asked({**usual, **trial.params})
        recipe, rate = space.decode(asked)
        parameters = {key: asked[key] for key in tuple(asked.names)}
        if not recipe.stages or any(fault(distributions, *item) for item in parameters.items()):
            left_out += 1
            continue
        trained = f"{recipe.hash}/{rate:.6g}"
        assert trial.value is not None
        if trained not in kept or trial.value > kept[trained].score:
            kept[trained] = PastTrial(parameters, trial.value, trained)
    return sorted(kept.values(), key=lambda past: -past.score), left_out


class _Asked(dict[str, Any]):
    """Values that remember which of them were asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.names: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.names.append(name)
        return super().__getitem__(name)


def _own(backbone: str, finished: Iterable[FrozenTrial]) -> Iterable[tuple[float, str]]:
    """Score and run of a backbone's trials that were trained here."""
    for trial in finished:
        attributes = TrialAttributes.of(trial)
        own = attributes.backbone == backbone and not attributes.begins_with
        if own and attributes.run and trial.value is not None:
            yield trial.value, attributes.run.rpartition("/")[0]


def _adopted(trial: FrozenTrial, backbone: str, origin: str) -> bool:
    attributes = TrialAttributes.of(trial)
    return bool(attributes.elsewhere) and (attributes.backbone, attributes.origin) == (
        backbone,
        origin,
    )
