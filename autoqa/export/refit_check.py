"""What a refit brings, measured by folds before anyone relies on it.

The held-out documents are dealt into folds. For each fold the members are trained again with the
rows of the other folds and answer the fold's questions, so that every question is answered by
models that did not see its document. The same questions were answered by the members themselves
when they were made; the two are compared question by question.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from autoqa.analysis.finished_plan import finished_plan
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import load_part
from autoqa.arrays import Doubles
from autoqa.data.folds import deal
from autoqa.ensemble.choosing.selection import Seat
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.export.refit import RefitOptions
from autoqa.features.select import about
from autoqa.files import write_atomically
from autoqa.scores.bootstrap import paired
from autoqa.searching.refit import Refitter, refitting
from autoqa.store.predictions import read_logits
from autoqa.store.run_folder import Part
from autoqa.types import DEFAULT_METRIC


@dataclass(frozen=True, slots=True)
class FoldEffect:
    """One fold: its size, and mean score of its questions.

    Attributes:
        documents: How many.
        questions: How many.
        rows: Rows of the other folds that the members were trained again with.
        before: Of the members.
        after: Of the refitted ones.
    """

    documents: int
    questions: int
    rows: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class RefitEffect:
    """What a refit of an ensemble brings.

    Attributes:
        members: Ids of the ensemble's members.
        seeds: How often each run was trained in each fold.
        runs: Runs that were trained again in each fold, each with all seeds.
        folds: The folds.
        before: Mean score of the members over all held-out questions, 0 to 1.
        after: That of the members refitted with the rows of the other folds.
        gain: Mean difference.
        low: Lower end of its 95 % interval (paired document bootstrap).
        high: Upper end.
        minutes: What the measurement took; less where parts of it were there.
        opening: Number of the opening of the private part that it read.
        metric: The study's metric.
    """

    members: tuple[str, ...]
    seeds: int
    runs: int
    folds: tuple[FoldEffect, ...]
    before: float
    after: float
    gain: float
    low: float
    high: float
    minutes: float
    opening: int
    metric: str = DEFAULT_METRIC

    @property
    def ratio(self) -> float:
        """``after / before``; above 1 a refit raised the score."""
        return self.after / self.before if self.before else float("nan")

    @classmethod
    def from_file(cls, path: Path) -> "RefitEffect | None":
        """What an earlier measurement wrote; ``None`` where there is none, or a damaged one."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            folds = tuple(FoldEffect(**fold) for fold in content.pop("folds"))
            return cls(**{**content, "members": tuple(content["members"]), "folds": folds})
        except (OSError, ValueError, TypeError, KeyError):
            return None


def refit_check(
    run: StudyRun, seats: Sequence[Seat], tie_group: str, folds: int, options: RefitOptions
) -> tuple[RefitEffect, bool]:
    """Measures what a refit brings; what was measured before is not measured again.

    Args:
        run: The study's run.
        seats: The ensemble.
        tie_group: The group whose answer stands where the vote decides nothing.
        folds: Folds of held-out documents, at least two.
        options: Seeds, and what people see.

    Returns:
        The effect, and whether the private part was opened for it.

    Raises:
        ConfigError: There are no rows to add, fewer documents than folds, or the study file is
            not the one of then.
        DataError: A record or predictions are damaged, or the data are others.
        MissingAssetError: Weights or data are not on this machine.
        TrainingError: A run failed.
        SearchInterruptedError: A signal asked for the end; what was complete is kept.
    """
    begin, names = time.monotonic(), [seat.id for seat in seats]
    plan = finished_plan(run, seats, tie_group)
    with refitting(run.folder, run.store, names, options.display, seeds=options.seeds) as refitter:
        dealt = deal([*refitter.data.public, *refitter.data.private], folds)
        ensemble = [[(m.id, m.weight) for m in plan.members], tie_group, dict(plan.rules)]
        key = refitter.key((), refitter.content, dealt, ensemble, plan.aggregator, plan.words)
        path = run.folder.refits / f"check-{key}.json"
        earlier = RefitEffect.from_file(path)
        if earlier is not None:
            return earlier, False
        left = [held for held in dealt if not refitter.answered(held)]
        options.display.event(refitter.sentence(refitter.seconds(left), folds))
        answers = [refitter.answers(held) for held in dealt]
        rows = [sum(map(len, refitter.added(held))) for held in dealt]
    effect = _compare(run, plan, refitter, dealt, answers, rows)
    effect = replace(effect, minutes=(time.monotonic() - begin) / 60)
    write_atomically(path, json.dumps(asdict(effect), indent=1) + "\n")
    return effect, True


def _compare(
    run: StudyRun,
    plan: EnsemblePlan,
    refitter: Refitter,
    dealt: Sequence[Sequence[str]],
    answers: Sequence[Mapping[str, Path]],
    rows: Sequence[int],
) -> RefitEffect:
    names = ", ".join(member.id for member in plan.members)
    opening = run.store.log_opening(
        f"what a refit of {names} brings, by {len(dealt)} folds", purpose="refit check"
    )
    before: list[Doubles] = []
    after: list[Doubles] = []
    documents: list[str] = []
    parts: tuple[Part, ...] = ("public", "private")
    for part in parts:
        stored = load_part(run, plan.members, part, opening)
        logits = {name: (pair[0].copy(), pair[1].copy()) for name, pair in stored.logits.items()}
        for held, folders in zip(dealt, answers, strict=True):
            for member in plan.members:
                if member.id not in folders:  # draws none of the rows: it stays as it is
                    continue
                windows = stored.windows[member.group]
                tokens = np.repeat(about(windows, stored.examples, held), windows.lengths)
                for side, fresh in zip(
                    logits[member.id], read_logits(folders[member.id], part, opening), strict=True
                ):
                    side[tokens] = fresh
        before.append(stored.question_scores(plan))
        after.append(replace(stored, logits=logits).question_scores(plan))
        documents += [example.document for example in stored.examples]
    old, new = np.concatenate(before), np.concatenate(after)
    gain = paired(new, old, documents)
    return RefitEffect(
        members=tuple(member.id for member in plan.members),
        seeds=refitter.seeds,
        runs=len(refitter.plan.runs),
        folds=tuple(
            FoldEffect(
                documents=len(held),
                questions=int(chosen.sum()),
                rows=count,
                before=float(old[chosen].mean()),
                after=float(new[chosen].mean()),
            )
            for held, count in zip(dealt, rows, strict=True)
            for chosen in [np.isin(documents, held)]
        ),
        before=float(old.mean()),
        after=float(new.mean()),
        gain=gain.gain,
        low=gain.low,
        high=gain.high,
        minutes=0.0,
        opening=opening.number,
        metric=run.study.validation.metric,
    )
