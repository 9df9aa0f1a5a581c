"""Rounds of a search: runs of a later round go on from the mean of the round before.

After Don-Yehiya et al., ColD Fusion (ACL 2023, arXiv:2212.01378), where many fine-tune one shared
model, their mean becomes the next one, and so on; here on the recipes of one search. What a round
learned is not learned again, and the mean of several runs is better than any of them to begin with.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from autoqa.recipes import RATE_OF_FURTHER_RUN, Method, Recipe, TrainingRun
from autoqa.searching.retention import with_weights
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.candidate_rounds import depths
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials

MIN_ENDS = 2
"""Runs whose mean a round begins with, where so many were trained: as soon as there are as many,
nobody waits for others of the round before."""


@dataclass(frozen=True)
class Rounds:
    """The rounds of one search.

    Attributes:
        count: How many, as the study file says.
        trials: The study's trials.
        store: Its database.
        folder: Its run folder.
    """

    count: int
    trials: Trials
    store: Store
    folder: RunFolder

    def number(self, done: float) -> int:
        """The round of a run, counted from 0.

        Args:
            done: Share of the search that will be over in the middle of the run.
        """
        return min(self.count - 1, int(done * self.count))

    def waits(self, backbone: str, done: float) -> bool:
        """Whether a run of a backbone should not start before others of the round before end."""
        number = self.number(done)
        if number == 0:
            return False
        records = self.store.candidates()
        known, ends = depths(records), self._ends(backbone, records)
        return sum(known[each.id] == number - 1 for each in ends) < MIN_ENDS and any(
            self._depth(each, known) == number - 1 for each in self._running(backbone)
        )

    def go_on(
        self, backbone: str, run: TrainingRun, before: Sequence[str] | None, done: float
    ) -> TrainingRun:
        """A run as it is trained in its round: from the pretrained weights, or from a mean.

        Args:
            backbone: Name in the study file.
            run: From the pretrained weights.
            before: What it began with, where it is tried again.
            done: As for :meth:`number`.
        """
        if before is not None:
            records = [each for each in self.store.candidates() if each.id in before]
            return going_on(run, records, RATE_OF_FURTHER_RUN)
        number = self.number(done)
        if number == 0:
            return run
        records = self.store.candidates()
        known = depths(records)
        ends = mergeable(
            [each for each in self._ends(backbone, records) if known[each.id] < number],
            run.recipe.method.head,
        )
        deepest = max((known[each.id] for each in ends), default=0)
        latest = [each for each in ends if known[each.id] == deepest]
        return going_on(run, better_half(latest), RATE_OF_FURTHER_RUN)

    def _ends(self, backbone: str, records: Sequence[CandidateRecord]) -> list[CandidateRecord]:
        """The last candidate of each run that is over and whose weights are there."""
        running = {trial.number for trial in self.trials.tally.running}
        last: dict[int, CandidateRecord] = {}
        for each in records:
            over = each.trial not in running and each.backbone == backbone and not each.derived
            if over and (each.trial not in last or each.fraction > last[each.trial].fraction):
                last[each.trial] = each
        return with_weights(self.folder, self.store, last.values())

    def _running(self, backbone: str) -> Iterable[TrialAttributes]:
        running = map(TrialAttributes.of, self.trials.tally.running)
        return (each for each in running if each.backbone == backbone)

    def _depth(self, trial: TrialAttributes, known: Mapping[str, int]) -> int:
        return max((known.get(name, 0) + 1 for name in trial.begins_with or ()), default=0)


def sentences(count: int) -> list[str]:
    """What the rounds of a search are, for people; nothing where there is one."""
    if count == 1:
        return []
    return [
        f"{count} rounds: once 1/{count} of the search is over, runs go on from the mean weights "
        "of the better half of their backbone's runs of the round before"
    ]


def mergeable(records: Collection[CandidateRecord], head: str) -> list[CandidateRecord]:
    """Candidates of one backbone whose mean a run with a head of that kind can begin with.

    Those with such a head, whose layers all come from pretraining.
    """
    plain = Method()
    methods = ((each, Recipe.from_dict(each.recipe).method) for each in records)
    return [
        each
        for each, method in methods
        if (method.head, method.reinit_layers) == (head, plain.reinit_layers)
    ]


def better_half(ends: Sequence[CandidateRecord]) -> list[CandidateRecord]:
    """Those of the higher public scores, two at least."""
    count = max(MIN_ENDS, (len(ends) + 1) // 2)
    return sorted(ends, key=by_score)[:count]


def going_on(run: TrainingRun, start: Collection[CandidateRecord], rate: float) -> TrainingRun:
    """A run that begins with the mean of candidates; the run itself where there are none.

    Args:
        run: As it would begin with the pretrained weights.
        start: Candidates that are :func:`mergeable`.
        rate: Factor on its learning rate.
    """
    if not start:
        return run
    # What these stages are for is done already.
    plain = Method()
    method = replace(
        run.recipe.method, reinit_layers=plain.reinit_layers, mlm_epochs=plain.mlm_epochs
    )
    return replace(
        run,
        recipe=replace(run.recipe, method=method),
        learning_rate=rate * run.learning_rate,
        begins_with=tuple(sorted(each.id for each in start)),
    )
