"""Pairs of runs, one with a thing and one without it, until enough is known or time is over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import numpy as np

from autoqa import recipes
from autoqa.ablation.arms import Arm, Base, find_arms
from autoqa.ablation.base import find_base
from autoqa.ablation.kept_runs import KeptRun, KeptRuns
from autoqa.ablation.result import Ablation, ArmResult, Verdict
from autoqa.analysis.finished_run import StudyRun
from autoqa.data import StudyData
from autoqa.data.portions import expected_rows
from autoqa.errors import ConfigError
from autoqa.recipes import Recipe, TrainingRun
from autoqa.registry import BoundStudy
from autoqa.scores.sequential import FEWEST_SEEDS, SeededEffect, sequential_effect
from autoqa.searching.setup import build_spaces, fingerprint, reopen, source_languages
from autoqa.searching.time_limit import scale_of
from autoqa.store.candidate_record import CandidateRecord
from autoqa.workers.resources import WorkerPlan, plan_workers

READS = "ablation runs"
"""What runs are called among the reads of the public part."""


@dataclass(frozen=True)
class AblationOptions:
    """What is to be found out, and what it may cost.

    Attributes:
        base: See :func:`autoqa.ablation.base.find_base`.
        over: Factors; none is all.
        only: Name or subject of the arms that are wanted.
        seeds: Most seeds of each arm.
        minutes: After which no run begins that would not end in time; left out, no limit.
        runs: Most runs that are trained now; left out, no limit.
        workers: In place of ``[search].workers``.

    Raises:
        ConfigError: A number is out of range.
    """

    base: str | None = None
    over: tuple[str, ...] = ()
    only: str | None = None
    seeds: int = 8
    minutes: float | None = None
    runs: int | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.seeds < FEWEST_SEEDS:
            raise ConfigError(f"seeds = {self.seeds}: an effect takes {FEWEST_SEEDS} or more")
        if self.minutes is not None and not self.minutes > 0:
            raise ConfigError(f"minutes = {self.minutes:g}: give more than 0, or leave it out")
        for name in ("runs", "workers"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ConfigError(f"{name} = {number}: give 1 or more, or leave it out")


@dataclass(frozen=True)
class Experiment:
    """Everything that an ablation is about, and what is known so far.

    Attributes:
        bound: The study with its plugins.
        data: Its data.
        base: What arms are compared with.
        arms: The arms.
        notes: Sentences on what cannot be ablated.
        kept: Runs that are there.
        records: The study's candidates, by which unknown times are estimated.
        failures: Why arms failed, by recipe hash.
    """

    bound: BoundStudy
    data: StudyData
    base: Base
    arms: Sequence[Arm]
    notes: Sequence[str]
    kept: KeptRuns
    records: Sequence[CandidateRecord]
    failures: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, run: StudyRun, options: AblationOptions) -> "Experiment":
        """Opens a finished study for experiments.

        Raises:
            ConfigError: Base, factor or arm do not exist, there is nothing to ablate, or the study
                file is not the one that the study was searched with.
            MissingAssetError: Weights or data are not on this machine.
            DataError: The data are not those of then.
            NothingFeasibleError: No candidate's predictions are on this machine.
        """
        bound, data = reopen(run.folder, run.store)
        scale = scale_of(bound.study, run.folder)
        spaces = {
            name: replace(space, scale=scale)
            for name, space in build_spaces(bound, source_languages(data)).items()
        }
        base = find_base(run, spaces, options.base)
        arms, notes = find_arms(base, spaces[base.backbone], options.over, options.only)
        kept = KeptRuns(
            run.folder,
            fingerprint(bound.study),
            data.public,
            lambda name: run.store.log_read(READS, name),
        )
        return cls(bound, data, base, arms, notes, kept, run.store.candidates())

    def seeded(self, recipe: Recipe, number: int) -> TrainingRun:
        """A recipe's run with the seed of that number, counting from 1.

        The search's own seed is not among them: with it the base was chosen, so its luck would
        count for the base.
        """
        run = self.base.run
        return replace(run, recipe=recipe, seed=run.seed + number)

    def known(self, recipe: Recipe, number: int) -> KeptRun | None:
        """What is kept of that run."""
        run = self.seeded(recipe, number)
        return self.kept.get(self.base.backbone, run, self.base.fraction)

    def pairs(self, arm: Arm) -> Iterator[tuple[KeptRun, KeptRun]]:
        """Runs of base and arm by seed, up to the first seed of which one is not there."""
        number = 1
        while (own := self.known(self.base.run.recipe, number)) is not None and (
            other := self.known(arm.recipe, number)
        ) is not None:
            yield own, other
            number += 1

    def gains(self, arm: Arm) -> list[np.ndarray]:
        """Gain on each question of having the arm's thing, an array ``[Q]`` for each seed."""
        sign = -1 if arm.change == "left out" else 1
        return [sign * (other.scores - own.scores) for own, other in self.pairs(arm)]

    def effect(self, arm: Arm) -> SeededEffect | None:
        """What the looks so far say."""
        documents = [example.document for example in self.data.public]
        gains = self.gains(arm)
        return sequential_effect(np.array(gains), documents) if gains else None

    def open_arms(self) -> list[Arm]:
        """Arms that more seeds can say more of."""
        return [
            arm
            for arm in self.arms
            if arm.recipe.hash not in self.failures
            and not ((effect := self.effect(arm)) and effect.is_clear)
        ]

    def missing(self, arms: Sequence[Arm], seeds: int) -> dict[str, TrainingRun]:
        """Runs of the base and of some arms that are not there, seed by seed, by name.

        Args:
            arms: The arms.
            seeds: How many.
        """
        found: dict[str, TrainingRun] = {}
        for number in range(1, seeds + 1):
            named = [(self.base.label, self.base.run.recipe), *((a.name, a.recipe) for a in arms)]
            for name, recipe in named if arms else ():
                run = self.seeded(recipe, number)
                if self.known(recipe, number) is None and run not in found.values():
                    found[f"{name}, seed {number}"] = run
        return found

    def kept_count(self, seeds: int) -> int:
        """Runs of base and arms that are there, of so many seeds."""
        wanted = {
            each.hash: each for each in (self.base.run.recipe, *(a.recipe for a in self.arms))
        }
        return sum(
            self.known(recipe, number) is not None
            for recipe in wanted.values()
            for number in range(1, seeds + 1)
        )

    def workers(self, wanted: int | None) -> WorkerPlan:
        """The workers to train with.

        Args:
            wanted: How many; left out, as the study file says.
        """
        search = self.bound.study.search
        return plan_workers(wanted or search.workers, search.devices_per_run)

    def seconds(self, recipe: Recipe) -> float | None:
        """About what a run of a recipe takes: as others took, by the rows that there are more of.

        ``None`` where no run of the backbone was ever timed.
        """
        for like in (recipe, self.base.run.recipe):
            taken = self._taken(like)
            if taken:
                return median(taken) * self._rows(recipe) / self._rows(like)
        known = [
            record.seconds * self.base.fraction / record.fraction * self._rows(recipe) / rows
            for record in self.records
            if record.backbone == self.base.backbone and not record.derived
            # Some may be of a study file that had other sources.
            if {
                each.source
                for stage in record.training_run.recipe.stages
                for each in stage.portions
            }
            <= self.data.train.keys()
            for rows in [self._rows(record.training_run.recipe)]
        ]
        return median(known) if known else None

    def _taken(self, recipe: Recipe, most: int = 5) -> list[float]:
        kept = (self.known(recipe, number) for number in range(1, most + 1))
        return [run.seconds for run in kept if run is not None]

    def _rows(self, recipe: Recipe) -> float:
        return max(1.0, expected_rows(recipe, self.data.train))

    def result(self, ended: str) -> Ablation:
        """All that is known now.

        Args:
            ended: Why no more runs are trained.
        """
        own: list[float] = []
        while (run := self.known(self.base.run.recipe, len(own) + 1)) is not None:
            own.append(float(run.scores.mean()))
        rate = self.base.run.learning_rate
        return Ablation(
            study=self.bound.study.name,
            version=self.kept.version,
            metric=self.bound.study.validation.metric,
            base=self.base.label,
            run=self.base.run.key,
            backbone=self.base.backbone,
            recipe=recipes.line(self.base.run.recipe, rate),
            score=float(np.mean(own)) if own else None,
            base_seeds=len(own),
            questions=len(self.data.public),
            documents=len({example.document for example in self.data.public}),
            arms=tuple(map(self._arm_result, self.arms)),
            notes=tuple(self.notes),
            ended=ended,
        )

    def _arm_result(self, arm: Arm) -> ArmResult:
        gains, pairs = self.gains(arm), list(self.pairs(arm))
        effect, failure = self.effect(arm), self.failures.get(arm.recipe.hash, "")
        cost = None
        if pairs:
            cost = median(other.seconds / own.seconds for own, other in pairs)
            cost = 1 / cost if arm.change == "left out" else cost
        mean = float(np.mean(gains)) if gains else None
        return ArmResult(
            name=arm.name,
            factor=arm.factor,
            subject=arm.subject,
            change=arm.change,
            recipe=recipes.line(arm.recipe, self.base.run.learning_rate),
            trained=len(pairs),
            seeds=len(pairs) if effect is None else effect.seeds,
            effect=mean if effect is None else effect.mean,
            low=None if effect is None else effect.low,
            high=None if effect is None else effect.high,
            cost=cost,
            verdict=_verdict(effect, failure),
            failure=failure,
        )


def _verdict(effect: SeededEffect | None, failure: str) -> Verdict:
    if effect is None:
        return "failed" if failure else "too few seeds"
    if effect.excludes_zero:
        return "helps" if effect.low > 0 else "hurts"
    return "no clear effect"
