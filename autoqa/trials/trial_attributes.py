"""The user attributes of trials: their names, and the one way to read and to write them."""

from dataclasses import dataclass, field, fields
from typing import Any

from optuna.trial import BaseTrial, FrozenTrial, TrialState


@dataclass(kw_only=True)
class TrialAttributes:
    """What a search keeps with a trial; ``None`` is what it has not written.

    The fields are the names in the database: one flat attribute each, because the Optuna dashboard
    lists them so.

    Attributes:
        backbone: Name in the study file.
        origin: Where the parameters come from: ``protocol``, ``enqueued 1`` and so on,
            ``warm start`` with a study's name, or ``sampler``.
        study_version: Fingerprint of all that a run depends on besides its parameters.
        run: ``TrainingRun.key``.
        begins_with: ``TrainingRun.begins_with``; kept with runs that are queued again, too.
        recipe: The recipe in one line.
        card: The recipe card, several lines.
        searcher: Id of the process whose worker runs it.
        worker: Number of the worker that runs it.
        devices: How many it is trained on.
        duplicate_of: Number of the trial that trains the same, so that this one does not.
        retry_of: Number of the failed trial that it repeats.
        continues: Number of the interrupted trial that it goes on with.
        slower: It repeats a trial that diverged, at half its learning rate.
        micro_scale: Factor on the tokens of a forward pass.
        elsewhere: It was trained in another study; its value is that study's, moved to this one's.
        queued_again: It failed and its parameters were queued again, so that it does not count.
        failure: Why it failed or was skipped, as a sentence.
        mistake: It failed for a reason that somebody may mend, and not for its recipe.
        stopped: Why it ended at a snapshot before its end, as a sentence.
        candidates: Ids of its candidates.
        fraction: Point of the run at which its last candidate was taken, 0 < fraction <= 1.
        recipe_hash: ``Recipe.hash``.
        learning_rate: Peak rate of the encoder.
        windows_per_second: Training throughput.
        seconds: From the job's arrival to its end.
        next_seconds: What a run like it takes from now on, when it forks from what it left.
        trained_steps: Optimizer steps that it did.
        reused_steps: Steps that it took over from a checkpoint.
        scores: Further scores of its last candidate, and half the 95 % interval of its value, by
            the name that the dashboard shows; written
            and never read, because the candidates hold them.
    """

    backbone: str | None = None
    origin: str | None = None
    study_version: str | None = None
    run: str | None = None
    begins_with: list[str] | None = None
    recipe: str | None = None
    card: str | None = None
    searcher: str | None = None
    worker: int | None = None
    devices: int | None = None
    duplicate_of: int | None = None
    retry_of: int | None = None
    continues: int | None = None
    slower: bool | None = None
    micro_scale: float | None = None
    elsewhere: bool | None = None
    queued_again: bool | None = None
    failure: str | None = None
    mistake: bool | None = None
    stopped: str | None = None
    candidates: list[str] | None = None
    fraction: float | None = None
    recipe_hash: str | None = None
    learning_rate: float | None = None
    windows_per_second: float | None = None
    seconds: float | None = None
    next_seconds: float | None = None
    trained_steps: int | None = None
    reused_steps: int | None = None
    scores: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, trial: BaseTrial) -> "TrialAttributes":
        """What is kept with a trial; attributes that others wrote are left out."""
        stored = {_RENAMED.get(key, key): value for key, value in trial.user_attrs.items()}
        return cls(**{key: value for key, value in stored.items() if key in _NAMES})

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What two trials have in common that train to the same weights."""
        return self.backbone, self.run, self.study_version

    def as_dict(self) -> dict[str, Any]:
        """What is not ``None``, by its name in the database."""
        named = {name: getattr(self, name) for name in _NAMES}
        return {name: value for name, value in named.items() if value is not None} | self.scores

    def write(self, trial: BaseTrial) -> None:
        """Writes what is not ``None`` to a running trial and leaves its other attributes alone."""
        for name, value in self.as_dict().items():
            trial.set_user_attr(name, value)


def counts(trial: FrozenTrial) -> bool:
    """Whether a trial is one of those that a study wants: a point of its own, tried for good."""
    attributes = TrialAttributes.of(trial)
    ours = attributes.duplicate_of is None and attributes.elsewhere is None
    # Its search died before it was known what it would train.
    nothing = trial.state == TrialState.FAIL and attributes.backbone is None
    return (
        ours
        and not nothing
        and attributes.queued_again is None
        and trial.state != TrialState.PRUNED
    )


FIXED = "fixed_params"
"""Optuna's name, which is not public, for the parameters that a trial was queued with."""


def fixed_parameters(trial: FrozenTrial) -> dict[str, Any]:
    """The parameters that a trial was queued with."""
    return dict(trial.system_attrs.get(FIXED, {}))


_NAMES = tuple(each.name for each in fields(TrialAttributes) if each.name != "scores")

_RENAMED = {
    "next seconds": "next_seconds",
    "trained steps": "trained_steps",
    "reused steps": "reused_steps",
}
"""Names that autoqa 0.1.0 wrote, and what they are called now."""
