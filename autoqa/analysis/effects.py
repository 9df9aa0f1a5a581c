"""What helped in a study, by how much, and how much of that can be known.

Every finished run is one trial of several conditions (:mod:`autoqa.analysis.recipe_features`); all
of them were scored on the same public questions, so what makes a question hard cancels. One model
over all runs holds the conditions apart (:mod:`autoqa.scores.linear_effects`).

A sampler tries what looked good more often, so means of runs with and without a condition compare
good company with bad. In the joint model a run's company is allowed for. What was always tried
together cannot be told apart by any model, and is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoqa.analysis.leaderboard import Leaderboard
from autoqa.analysis.recipe_features import Condition, ConditionKind, conditions
from autoqa.arrays import Doubles
from autoqa.scores.linear_effects import FEWEST, EffectEstimate, can_estimate, estimate_effects
from autoqa.store.candidate_record import CandidateRecord

_ENTANGLED = 0.9
"""Correlation of two conditions from which their effects are hard to tell apart."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one condition did.

    Attributes:
        name: The condition.
        kind: What sort of thing it is.
        runs: Runs in which it exists.
        with_it: Runs in which it holds; ``None`` for a number.
        estimate: By how much.
        entangled: Another condition that came and went with it.
    """

    name: str
    kind: ConditionKind
    runs: int
    with_it: int | None
    estimate: EffectEstimate
    entangled: str | None

    @property
    def verdict(self) -> str:
        """``helps``, ``harms`` or ``unclear``."""
        if not self.estimate.clear:
            return "unclear"
        return "helps" if self.estimate.effect > 0 else "harms"


@dataclass(frozen=True, slots=True)
class Effects:
    """All that can be said of what helped.

    Attributes:
        metric: What effects are on.
        runs: Runs that were looked at.
        questions: Public questions.
        documents: Their documents.
        found: The effects, the largest first.
        untried: Conditions that too few runs differ in.
        too_few: Why nothing is said, in a sentence; ``None`` where something is.
    """

    metric: str
    runs: int
    questions: int
    documents: int
    found: tuple[Effect, ...]
    untried: tuple[str, ...]
    too_few: str | None = None


def study_effects(board: Leaderboard) -> Effects:
    """Estimates what helped, from the last point of every run.

    Averages of weights and distilled models are left out: they are no trials.

    Raises:
        DataError: A recipe is of another version.
    """
    return effects_of_runs(board.compared, board.scores, board.documents, board.metric)


def effects_of_runs(
    candidates: Sequence[CandidateRecord], scores: Doubles, documents: Sequence[str], metric: str
) -> Effects:
    """The same from candidates in the order of time.

    Args:
        candidates: All points of runs, and what was made of them.
        scores: Their score on each question, ``[C, Q]``.
        documents: Document of each question.
        metric: What the scores are.

    Raises:
        DataError: A recipe is of another version.
    """
    last: dict[int, int] = {}
    for number, record in enumerate(candidates):
        if not record.derived:
            last[record.trial] = number  # in the order of a run's points
    chosen = list(last.values())
    records = [candidates[number] for number in chosen]
    return effects_of(records, scores[chosen], documents, metric)


def effects_of(
    records: Sequence[CandidateRecord], scores: Doubles, documents: Sequence[str], metric: str
) -> Effects:
    """Estimates what helped.

    Args:
        records: One candidate of each run.
        scores: Their score on each question, ``[T, Q]``.
        documents: Document of each question.
        metric: What the scores are.

    Raises:
        DataError: A recipe is of another version.
    """
    every = [each for each in conditions(records) if each.varied] if records else []
    tried = [each for each in every if each.tried]
    untried = tuple(each.name for each in every if not each.tried)
    flat = [each for each in tried if each.kind == "backbone"]
    rest = [each for each in tried if each.kind != "backbone"]
    found: tuple[Effect, ...] = ()
    sentence = None
    if not can_estimate(len(records), 1 + len(flat)):
        fewest = max(FEWEST, len(flat) + 5)
        runs = "1 run is" if len(records) == 1 else f"{len(records)} runs are"
        sentence = f"{runs} too few to say what helped; it takes {fewest} or more."
    elif not tried:
        sentence = "No two runs differ in anything that could have helped."
    else:
        estimates = estimate_effects(
            _matrix(rest, len(records)),
            _matrix(flat, len(records)),
            scores,
            documents,
            [1 / each.step for each in (*flat, *rest)],
        )
        found = _effects([*flat, *rest], estimates)
    return Effects(
        metric, len(records), len(documents), len(set(documents)), found, untried, sentence
    )


def _matrix(listed: Sequence[Condition], runs: int) -> Doubles:
    return np.array([each.column() for each in listed]).reshape(-1, runs).T


def _effects(
    listed: Sequence[Condition], estimates: Sequence[EffectEstimate]
) -> tuple[Effect, ...]:
    columns = _matrix(listed, len(listed[0].values))
    related = np.abs(np.corrcoef(columns.T)) if len(listed) > 1 else np.zeros((1, 1))
    np.fill_diagonal(related, 0.0)
    nearest = related.argmax(axis=1)
    effects = [
        Effect(
            name=each.name,
            kind=each.kind,
            runs=len(each.known),
            with_it=int(sum(each.known)) if each.switch else None,
            estimate=estimate,
            entangled=listed[near].name if related[number, near] >= _ENTANGLED else None,
        )
        for number, (each, estimate, near) in enumerate(
            zip(listed, estimates, nearest, strict=True)
        )
    ]
    return tuple(sorted(effects, key=lambda effect: -abs(effect.estimate.effect)))
