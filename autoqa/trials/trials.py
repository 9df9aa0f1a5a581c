"""The Optuna study: which trial comes next, and what is written down when one ends.

What counts against ``[search].trials``: a finished run, and a point that failed for good in this
search, not in an earlier one, for what it failed of may be mended. A failed run that is tried
again, an interrupted one, a recipe trained before and one that selects nothing do not count.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from autoqa import recipes
from autoqa.proposals.first_points import Point
from autoqa.proposals.space import Space
from autoqa.recipes import TrainingRun
from autoqa.store.candidate_record import CandidateRecord
from autoqa.trials.proposal import GoOn, Proposal, from_pretrained
from autoqa.trials.tally import TrialTally, forgiven
from autoqa.trials.trial_attributes import TrialAttributes, fixed_parameters
from autoqa.trials.warm_start import Prior

Again = Literal["no", "same", "slower", "smaller", "continue"]
"""Whether a failed trial's parameters are queued: as they are, at half the rate, in forward passes
of half the size, or because the trial itself was not at fault."""

MAX_REPEATS = 25
"""Proposals in a row without anything new after which a backbone's space counts as used up."""

MAX_FAILURES = 3
"""Failures of a backbone without one success after which it is left out of this search."""


@dataclass
class Trials:
    """The trials of one study: proposes the next one and writes down how each ends.

    Attributes:
        study: Optuna's study.
        spaces: One per backbone, in the study file's order.
        first: Points that each backbone tries before the sampler.
        seed: The study's seed, which every run trains with.
        version: Fingerprint of all that a run depends on besides its parameters.
        left_out: Backbones that get no further trial in this search, and why.
        note: Is told, in a sentence, of trials that need no worker.
        prior: What another study says, if anything.
        searcher: Id of the process that proposes, see :mod:`autoqa.store.searchers`.
        history: Numbers of the trials that had failed before this search and do not count.
        tally: What is known of the trials since :meth:`look`.
    """

    study: optuna.Study
    spaces: Mapping[str, Space]
    first: Mapping[str, Sequence[Point]]
    seed: int
    version: str
    left_out: dict[str, str] = field(default_factory=dict)
    note: Callable[[str], None] = print
    prior: Prior | None = None
    searcher: str | None = None
    history: frozenset[int] = field(init=False)
    tally: TrialTally = field(init=False)
    _fruitless: dict[str, int] = field(default_factory=dict)
    _outcomes: dict[str, list[bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.begin_after(forgiven(self.in_states(), self.version))

    def begin_after(self, history: Iterable[int]) -> None:
        """Has a search begin.

        Args:
            history: What :attr:`history` is to be.
        """
        self.history = frozenset(history)
        self.tally = TrialTally(self.history)

    def in_states(self, *states: TrialState) -> list[FrozenTrial]:
        """Trials in the given states, or all."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def look(self) -> TrialTally:
        """Takes in what has begun or ended since the last time, here or elsewhere."""
        self.tally.take(self.in_states())
        return self.tally

    def settled(self) -> int:
        """Trials that count and are over."""
        return self.look().settled

    def propose(
        self, total: int, fits: Callable[[str], bool], go_on: GoOn = from_pretrained
    ) -> Proposal | None:
        """The next trial to run.

        Args:
            total: Trials that may count in all.
            fits: Whether a run of a backbone may start now: it fits into the time that is left.
            go_on: Says what a new run begins with; one that is tried again begins as before.

        Returns:
            ``None`` if nothing may start now.
        """
        while True:
            waiting = self.look().waiting
            if self.tally.planned() >= total:
                return None
            backbone = self._owner(waiting[0]) if waiting else self._in_turn(fits)
            if waiting and backbone is None:
                self._drop()
                continue
            if backbone is None or not fits(backbone):
                return None
            if not waiting and not self._queue_first(backbone) and self.prior is not None:
                self.prior.add_to(self.study, self.spaces[backbone], self.note)
            proposal = self._ask(backbone, go_on)
            if proposal is not None:
                return proposal

    def _drop(self) -> None:
        """Closes a queued trial whose backbone the study no longer has."""
        trial = self.study.ask()
        name = TrialAttributes.of(trial).backbone
        reason = f"backbone {name!r} is not in the study any more"
        self._close(trial, TrialState.PRUNED, failure=reason)
        self.note(f"trial {trial.number}: {reason}")

    def _owner(self, waiting: FrozenTrial) -> str | None:
        name = TrialAttributes.of(waiting).backbone
        if name is not None:
            return name if name in self.spaces else None
        # Queued by hand, from the dashboard for example: the parameters carry the name.
        parameters = fixed_parameters(waiting)
        return next((name for name, space in self.spaces.items() if space.owns(parameters)), None)

    def _in_turn(self, fits: Callable[[str], bool]) -> str | None:
        names = [name for name in self.spaces if name not in self.left_out]
        return next((name for name in sorted(names, key=self.tally.tried) if fits(name)), None)

    def _queue_first(self, backbone: str) -> bool:
        """Queues the backbone's next fixed point not tried in this version; whether one is left."""
        tried = self.tally.origins(backbone, self.version)
        early = () if self.prior is None else self.prior.points(backbone)
        for point in (*self.first[backbone], *early):
            if point.origin not in tried:
                attributes = TrialAttributes(
                    backbone=backbone, origin=point.origin, study_version=self.version
                )
                self.study.enqueue_trial(point.parameters, user_attrs=attributes.as_dict())
                return True
        return False

    def _ask(self, backbone: str, go_on: GoOn) -> Proposal | None:
        trial = self.study.ask()
        queued = TrialAttributes.of(trial)
        recipe, learning_rate = self.spaces[backbone].suggest(trial, slower=bool(queued.slower))
        run = TrainingRun(recipe, learning_rate, self.seed)
        again = queued.retry_of is not None or queued.continues is not None
        run = go_on(backbone, run, (queued.begins_with or ()) if again else None)
        attributes = TrialAttributes(
            backbone=backbone,
            origin=queued.origin or "sampler",
            study_version=queued.study_version or self.version,
            recipe=recipes.line(run.recipe, run.learning_rate),
            run=run.key,
            begins_with=list(run.begins_with) or None,
            searcher=self.searcher,
        )
        attributes.write(trial)
        new = bool(recipe.stages) and not self._close_if_repeated(trial, attributes)
        if not recipe.stages:
            self._close(trial, TrialState.PRUNED, failure="the recipe selects nothing")
            self.note(f"trial {trial.number} selects nothing and is skipped")
        self._fruitless[backbone] = 0 if new else self._fruitless.get(backbone, 0) + 1
        if self._fruitless[backbone] >= MAX_REPEATS:
            self.left_out[backbone] = (
                f"{MAX_REPEATS} proposals in a row held no recipe that was not trained before"
            )
        return Proposal(trial, backbone, run, queued.micro_scale or 1.0) if new else None

    def _close_if_repeated(self, trial: optuna.Trial, attributes: TrialAttributes) -> bool:
        """Closes a trial whose run another one trains or has trained, with that one's value."""
        other = self.look().twin(trial.number, attributes)
        if other is None:
            return False
        TrialAttributes(duplicate_of=other.number).write(trial)
        self.note(f"trial {trial.number} repeats trial {other.number} and is not trained")
        if other.state == TrialState.COMPLETE:
            self._close(trial, TrialState.COMPLETE, other.value)
        else:
            # Its value is not known yet, and a trial cannot be left open without a worker.
            reason = f"trial {other.number} is training the same recipe"
            self._close(trial, TrialState.FAIL, failure=reason)
        return True

    def finish(
        self, trial: optuna.Trial, candidates: Sequence[CandidateRecord], seconds: float
    ) -> float:
        """Tells a run's value: the public score of its last snapshot, which all runs have."""
        last = max(candidates, key=lambda record: record.fraction)
        trained = last.training_run
        half_width = (
            {} if last.half_width is None else {f"{last.metric}_half_width": last.half_width}
        )
        TrialAttributes(
            # It may have been made smaller to end in time, and is another run then.
            run=trained.key,
            recipe=recipes.line(trained.recipe, trained.learning_rate),
            recipe_hash=last.recipe_hash,
            learning_rate=last.learning_rate,
            windows_per_second=last.windows_per_second,
            seconds=seconds,
            fraction=last.fraction,
            candidates=[record.id for record in candidates],
            scores={
                **half_width,
                **last.further_scores,
                **{f"{last.metric}_{name}": score for name, score in last.by_language.items()},
            },
        ).write(trial)
        self._outcomes.setdefault(str(TrialAttributes.of(trial).backbone), []).append(True)
        self._close(trial, TrialState.COMPLETE, last.score)
        return last.score

    def fail(self, trial: optuna.Trial, reason: str, again: Again = "no") -> bool:
        """Writes a failure down and queues the parameters again where that makes sense.

        Args:
            trial: A running trial.
            reason: One sentence for people.
            again: Whether to queue it again; once only where the trial itself was at fault.

        Returns:
            Whether it was queued again.
        """
        attributes = TrialAttributes.of(trial)
        if again in ("same", "slower") and attributes.retry_of is not None:
            again = "no"
        if again != "no" and attributes.backbone is not None:
            TrialAttributes(queued_again=True).write(trial)
            self._queue_again(trial, attributes, again)
        else:
            again = "no"
            if attributes.backbone is not None:
                self._count_failure(attributes.backbone, reason)
        self._close(trial, TrialState.FAIL, failure=reason)
        return again != "no"

    def _queue_again(self, trial: optuna.Trial, failed: TrialAttributes, again: Again) -> None:
        parameters = {**fixed_parameters(self.in_states()[trial.number]), **trial.params}
        carried = TrialAttributes(
            backbone=failed.backbone,
            origin=failed.origin,
            study_version=failed.study_version,
            retry_of=failed.retry_of if again == "continue" else trial.number,
            continues=trial.number if again == "continue" else None,
            slower=failed.slower,
            micro_scale=failed.micro_scale,
            begins_with=failed.begins_with,
        )
        if again == "smaller":
            carried.micro_scale = (failed.micro_scale or 1.0) / 2
        if again == "slower":
            carried.slower = True
            parameters = self.spaces[str(failed.backbone)].slower(parameters)
        self.study.enqueue_trial(parameters, user_attrs=carried.as_dict())

    def _count_failure(self, backbone: str, reason: str) -> None:
        outcomes = self._outcomes.setdefault(backbone, [])
        outcomes.append(False)
        if len(outcomes) >= MAX_FAILURES and not any(outcomes):
            self.left_out[backbone] = (
                f"its first {MAX_FAILURES} trials failed, the last one because: {reason}"
            )

    def _close(
        self,
        trial: optuna.Trial,
        state: TrialState,
        value: float | None = None,
        *,
        failure: str | None = None,
    ) -> None:
        if failure is not None:
            TrialAttributes(failure=failure).write(trial)
        self.study.tell(trial, value, state=state)
