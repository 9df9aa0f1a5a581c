"""The Optuna study: which trial comes next, and what is written down when one ends.

What counts against ``[search].trials``: a finished run, and a point that failed for good. A failed
run that is tried again, an interrupted one, a recipe that was trained before and one that selects
nothing do not count.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import optuna
from optuna.trial import FrozenTrial, TrialState

from autoqa import recipes
from autoqa.recipes import Recipe
from autoqa.search.first_points import Point
from autoqa.search.space import Space
from autoqa.store.candidate_record import CandidateRecord

Again = Literal["no", "same", "slower", "smaller", "continue"]
"""Whether a failed trial's parameters are queued: as they are, at half the rate, in forward passes
of half the size, or because the trial itself was not at fault."""

BARREN = 25
"""Proposals in a row without anything new after which a backbone's space counts as used up."""

STRIKES = 3
"""Failures of a backbone without one success after which it is left out of this search."""


@dataclass(frozen=True)
class Proposal:
    """A trial to run."""

    trial: optuna.Trial
    backbone: str
    recipe: Recipe
    learning_rate: float

    @property
    def micro_scale(self) -> float:
        """Factor on the tokens of a forward pass."""
        return float(self.trial.user_attrs.get("micro_scale", 1.0))


@dataclass
class Ledger:
    """One study's trials.

    Attributes:
        study: Optuna's study.
        spaces: One per backbone, in the study file's order.
        first: Points that each backbone tries before the sampler.
        seed: The study's seed, which every run trains with.
        version: Fingerprint of all that a run depends on besides its parameters.
        left_out: Backbones that get no further trial in this search, and why.
        note: Is told, in a sentence, of trials that need no worker.
    """

    study: optuna.Study
    spaces: Mapping[str, Space]
    first: Mapping[str, Sequence[Point]]
    seed: int
    version: str
    left_out: dict[str, str] = field(default_factory=dict)
    note: Callable[[str], None] = print
    _barren: dict[str, int] = field(default_factory=dict)
    _outcomes: dict[str, list[bool]] = field(default_factory=dict)

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Trials in the given states, or all."""
        return self.study.get_trials(deepcopy=False, states=states or None)

    def settled(self) -> int:
        """Trials that count and are over."""
        return sum(_counts(trial) for trial in self.trials(TrialState.COMPLETE, TrialState.FAIL))

    def planned(self) -> int:
        """Trials that count, running and queued ones included."""
        return sum(_counts(trial) for trial in self.trials())

    def propose(self, total: int, fits: Callable[[str], bool]) -> Proposal | None:
        """The next trial to run.

        Args:
            total: Trials that may count in all.
            fits: Whether a run of a backbone fits into the time that is left.

        Returns:
            ``None`` if nothing may start now.
        """
        while True:
            waiting = self.trials(TrialState.WAITING)
            if self.planned() - len(waiting) >= total:
                return None
            backbone = self._owner(waiting[0]) if waiting else self._in_turn(fits)
            if waiting and backbone is None:
                self._drop()
                continue
            if backbone is None or not fits(backbone):
                return None
            if not waiting:
                self._queue_first(backbone)
            proposal = self._ask(backbone)
            if proposal is not None:
                return proposal

    def _drop(self) -> None:
        """Closes a queued trial whose backbone the study no longer has."""
        trial = self.study.ask()
        reason = f"backbone {trial.user_attrs.get('backbone')!r} is not in the study any more"
        self._close(trial, TrialState.PRUNED, failure=reason)
        self.note(f"trial {trial.number}: {reason}")

    def _owner(self, waiting: FrozenTrial) -> str | None:
        named = waiting.user_attrs.get("backbone")
        if named is not None:
            return str(named) if named in self.spaces else None
        # Queued by hand, from the dashboard for example: the parameters carry the name.
        fixed = waiting.system_attrs.get("fixed_params", {})
        return next((n for n in self.spaces if any(key.startswith(f"{n}.") for key in fixed)), None)

    def _in_turn(self, fits: Callable[[str], bool]) -> str | None:
        counts = {name: 0 for name in self.spaces if name not in self.left_out}
        for trial in self.trials():
            name = trial.user_attrs.get("backbone")
            if name in counts and _counts(trial):
                counts[name] += 1
        return next((name for name in sorted(counts, key=lambda n: counts[n]) if fits(name)), None)

    def _queue_first(self, backbone: str) -> None:
        """Queues the backbone's next fixed point that this version of the study has not tried."""
        tried = {
            trial.user_attrs.get("origin")
            for trial in self.trials()
            if trial.user_attrs.get("backbone") == backbone
            and trial.user_attrs.get("study_version") == self.version
        }
        for point in self.first[backbone]:
            if point.origin not in tried:
                attributes = {
                    "backbone": backbone,
                    "origin": point.origin,
                    "study_version": self.version,
                }
                self.study.enqueue_trial(point.parameters, user_attrs=attributes)
                return

    def _ask(self, backbone: str) -> Proposal | None:
        trial = self.study.ask()
        known = trial.user_attrs
        for key, value in (
            ("backbone", backbone),
            ("origin", "sampler"),
            ("study_version", self.version),
        ):
            if key not in known:
                trial.set_user_attr(key, value)
        recipe, rate = self.spaces[backbone].suggest(trial)
        trial.set_user_attr("recipe", recipes.line(recipe, rate))
        trial.set_user_attr("run", f"{recipe.hash}/{rate:.6g}/{self.seed}")
        proposal = Proposal(trial, backbone, recipe, rate)
        new = bool(recipe.stages) and not self._repeats(proposal)
        if not recipe.stages:
            self._close(trial, TrialState.PRUNED, failure="the recipe selects nothing")
            self.note(f"trial {trial.number} selects nothing and is skipped")
        self._barren[backbone] = 0 if new else self._barren.get(backbone, 0) + 1
        if self._barren[backbone] >= BARREN:
            self.left_out[backbone] = (
                f"{BARREN} proposals in a row held no recipe that was not trained before"
            )
        return proposal if new else None

    def _repeats(self, proposal: Proposal) -> bool:
        """Tells a trial whose run is known already what it is known to be worth."""
        trial = proposal.trial
        mark = {**trial.user_attrs}
        same = ("backbone", "run", "study_version")
        for other in self.trials(TrialState.COMPLETE, TrialState.RUNNING):
            if other.number == trial.number or "duplicate_of" in other.user_attrs:
                continue
            if any(other.user_attrs.get(key) != mark.get(key) for key in same):
                continue
            trial.set_user_attr("duplicate_of", other.number)
            self.note(f"trial {trial.number} repeats trial {other.number} and is not trained")
            if other.state == TrialState.COMPLETE:
                self._close(trial, TrialState.COMPLETE, other.value)
            else:
                # Its value is not known yet, and a trial cannot be left open without a worker.
                reason = f"trial {other.number} is training the same recipe"
                self._close(trial, TrialState.FAIL, failure=reason)
            return True
        return False

    def finish(
        self, trial: optuna.Trial, candidates: Sequence[CandidateRecord], seconds: float
    ) -> float:
        """Tells a run's value: the public Jaccard of its last snapshot, which all runs have."""
        last = max(candidates, key=lambda record: record.fraction)
        values: dict[str, Any] = {
            "recipe_hash": last.recipe_hash,
            "learning_rate": last.learning_rate,
            **last.further_scores,
            "windows_per_second": last.windows_per_second,
            "seconds": seconds,
            "fraction": last.fraction,
            "candidates": [record.id for record in candidates],
        }
        values |= {f"jaccard {name}": score for name, score in last.jaccard_by_language.items()}
        if last.jaccard_half_width is not None:
            values["jaccard half width"] = last.jaccard_half_width
        for key, value in values.items():
            trial.set_user_attr(key, value)
        self._outcomes.setdefault(str(trial.user_attrs["backbone"]), []).append(True)
        self._close(trial, TrialState.COMPLETE, last.jaccard)
        return last.jaccard

    def fail(self, trial: optuna.Trial, reason: str, again: Again = "no") -> bool:
        """Writes a failure down and queues the parameters again where that makes sense.

        Args:
            trial: A running trial.
            reason: One sentence for people.
            again: Whether to queue it again; a trial is repeated once only.

        Returns:
            Whether it was queued again.
        """
        attributes = {**trial.user_attrs}
        if again != "continue" and "retry_of" in attributes:
            again = "no"
        if again != "no" and "backbone" in attributes:
            trial.set_user_attr("queued_again", True)
            self._queue_again(trial, attributes, again)
        else:
            again = "no"
            if "backbone" in attributes:
                self._strike(str(attributes["backbone"]), reason)
        self._close(trial, TrialState.FAIL, failure=reason)
        return again != "no"

    def _queue_again(
        self, trial: optuna.Trial, attributes: Mapping[str, Any], again: Again
    ) -> None:
        kept = ("backbone", "origin", "study_version", "retry_of", "slower", "micro_scale")
        carried = {key: attributes[key] for key in kept if key in attributes}
        fixed = self.trials()[trial.number].system_attrs.get("fixed_params", {})
        parameters = {**fixed, **trial.params}
        if again == "continue":
            carried["continues"] = trial.number
        else:
            carried["retry_of"] = trial.number
        if again == "smaller":
            carried["micro_scale"] = attributes.get("micro_scale", 1.0) / 2
        if again == "slower":
            carried["slower"] = True
            name = f"{attributes['backbone']}.learning_rate"
            space = self.spaces[str(attributes["backbone"])]
            parameters[name] = parameters.get(name, space.protocol.learning_rate) / 2
        self.study.enqueue_trial(parameters, user_attrs=carried)

    def _strike(self, backbone: str, reason: str) -> None:
        outcomes = self._outcomes.setdefault(backbone, [])
        outcomes.append(False)
        if len(outcomes) >= STRIKES and not any(outcomes):
            self.left_out[backbone] = (
                f"its first {STRIKES} trials failed, the last one because: {reason}"
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
            trial.set_user_attr("failure", failure)
        self.study.tell(trial, value, state=state)


def _counts(trial: FrozenTrial) -> bool:
    attributes = trial.user_attrs
    return (
        trial.state != TrialState.PRUNED
        and "duplicate_of" not in attributes
        and "queued_again" not in attributes
    )
