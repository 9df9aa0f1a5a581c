"""Counts, reasons and the highest score after a search."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from optuna.trial import TrialState

from autoqa.errors import NothingFeasibleError
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.supervision.display import duration, score
from autoqa.training.refit_plan import RefitOffer
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials


@dataclass(frozen=True)
class SearchResult:
    """Counts over all searches of the study, and the candidate with the highest score.

    Which candidate is best is for the leaderboard to say: of many scores, the highest is in part
    luck.

    Attributes:
        study: Its name.
        finished: Trials that trained to their end.
        failed: Trials that failed for good.
        duplicates: Trials that repeated another and were not trained.
        highest: The candidate with the highest public score.
        ended: Why the search ended, as a sentence.
        reasons: Each distinct reason of a failure, with its count.
        refit: What a refit of all runs would take, where it would add rows.
        left_out: Backbones that got no further trial in this search, and why.
    """

    study: str
    finished: int
    failed: int
    duplicates: int
    highest: CandidateRecord | None
    ended: str
    reasons: dict[str, int]
    refit: RefitOffer | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The result as ``--json`` prints it."""
        highest = self.highest
        refit = {} if self.refit is None else {"refit": asdict(self.refit)}
        left_out = {"left_out": self.left_out} if self.left_out else {}
        return {
            "study": self.study,
            "finished": self.finished,
            "failed": self.failed,
            "duplicates": self.duplicates,
            "ended": self.ended,
            "reasons": self.reasons,
            "highest": None
            if highest is None
            else {
                "id": highest.id,
                "backbone": highest.backbone,
                highest.metric: highest.score,
                f"{highest.metric}_half_width": highest.half_width,
            },
            **left_out,
            **refit,
        }

    def lines(self) -> list[str]:
        """The result in lines for people, and the commands that come next."""
        text = [
            f"{self.ended}.",
            f"{self.finished} trials finished, {self.failed} failed, "
            f"{self.duplicates} repeated another and were not trained.",
        ]
        text += [f"  failed {count}×: {reason}" for reason, count in self.reasons.items()]
        text += [f"  {name} was left out: {reason}" for name, reason in self.left_out.items()]
        if self.highest is not None:
            text.append(
                f"Highest public score: {score(self.highest)}, {self.highest.id} "
                f"({self.highest.backbone}); the leaderboard says which candidate is best."
            )
        return [
            *text,
            "Next:",
            f"  autoqa leaderboard {self.study}",
            f"  autoqa export {self.study} --to bundle",
            *self._refit_lines(),
        ]

    def _refit_lines(self) -> list[str]:
        if self.refit is None:
            return []
        runs = "the run" if self.refit.runs == 1 else f"all {self.refit.runs} runs"
        return [
            f"Or train the members again with the {self.refit.rows} rows of {self.refit.source} "
            f"held out for validation, about {duration(self.refit.seconds)} for {runs}; "
            "--refit-check measures what that brings:",
            f"  autoqa export {self.study} --to bundle --refit",
        ]


def conclude(
    trials: Trials, candidates: list[CandidateRecord], ended: str, refit: RefitOffer | None = None
) -> SearchResult:
    """Counts what the study holds, and says what else can be done with it.

    Raises:
        NothingFeasibleError: No trial ever finished; says each distinct reason.
    """
    finished = failed = duplicates = 0
    reasons: Counter[str] = Counter()
    for trial in trials.in_states(TrialState.COMPLETE, TrialState.FAIL):
        attributes = TrialAttributes.of(trial)
        if attributes.elsewhere:
            continue
        if attributes.duplicate_of is not None:
            duplicates += 1
        elif trial.state == TrialState.COMPLETE:
            finished += 1
        elif attributes.queued_again is None:
            failed += 1
            reasons[attributes.failure or "unknown"] += 1
    if not finished:
        causes = [f"  {count}×: {reason}" for reason, count in reasons.items()]
        if trials.in_states(TrialState.WAITING):
            causes.append("The same command goes on where it stopped.")
        raise NothingFeasibleError(
            "\n".join(
                [f"no trial of study {trials.study.study_name!r} finished ({ended})", *causes]
            )
        )
    return SearchResult(
        study=trials.study.study_name,
        finished=finished,
        failed=failed,
        duplicates=duplicates,
        highest=min(candidates, key=by_score, default=None),
        ended=ended,
        reasons=dict(reasons),
        refit=refit,
        left_out=dict(trials.left_out),
    )
