"""The leaderboard of a study: candidates, the ladder's best, and its score after many reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import candidate_scores
from autoqa.arrays import Doubles
from autoqa.errors import ConfigError, did_you_mean
from autoqa.scores.bootstrap import Comparison, paired
from autoqa.scores.ladder import best_so_far
from autoqa.scores.standard_errors import Spread
from autoqa.scores.stated_score import Statement, stated_score
from autoqa.store.candidate_record import CandidateRecord, by_score, in_time
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class LadderBest:
    """The ladder's best.

    Attributes:
        id: Which candidate.
        statement: Its score with an interval that accounts for the number of reads.
        rivals: Each candidate's gain on it; for itself nothing.
    """

    id: str
    statement: Statement
    rivals: Mapping[str, Comparison] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaderboard:
    """A study's candidates, ranked and compared on the public part.

    Attributes:
        ranked: All candidates, the highest public Jaccard first.
        examples: The public questions.
        compared: Those candidates whose predictions are on this machine, in the order of trials.
        scores: Their Jaccard on each question, ``[len(compared), Q]``.
        reads: Reads of the public part by kind.
        best: ``None`` where no predictions are here.
    """

    ranked: Sequence[CandidateRecord]
    examples: Sequence[Example]
    compared: Sequence[CandidateRecord]
    scores: Doubles
    reads: Mapping[str, int]
    best: LadderBest | None

    @property
    def documents(self) -> list[str]:
        """Document of each question."""
        return [example.document for example in self.examples]


def build_leaderboard(run: StudyRun) -> Leaderboard:
    """Reads the candidates' rows and, for comparisons, their stored public predictions.

    Raises:
        DataError: Predictions, windows or questions are missing, damaged or do not fit.
    """
    records = run.store.candidates()
    examples = run.folder.load_examples("public")
    here = set(run.whole_candidates())
    compared = sorted((record for record in records if record.id in here), key=in_time)
    scores = candidate_scores(run, compared, examples, "public")
    reads = run.store.public_reads()
    documents = [example.document for example in examples]
    return Leaderboard(
        ranked=sorted(records, key=by_score),
        examples=examples,
        compared=compared,
        scores=scores,
        reads=reads,
        best=_best(compared, scores, documents, sum(reads.values())) if compared else None,
    )


def _best(
    compared: Sequence[CandidateRecord], scores: Doubles, documents: Sequence[str], reads: int
) -> LadderBest:
    spread = Spread(scores, documents)
    place = best_so_far(spread)
    rivals = {
        record.id: paired(scores[number], scores[place], documents)
        for number, record in enumerate(compared)
        if number != place
    }
    return LadderBest(compared[place].id, stated_score(spread, place, reads), rivals)


def compare(run: StudyRun, first: str, second: str) -> tuple[Comparison, Sequence[Example]]:
    """How much better one candidate is than another on the public part; counts as a read.

    Returns:
        The comparison, and the questions it is about.

    Raises:
        ConfigError: There is no such candidate, or no predictions of it on this machine.
        DataError: Predictions are damaged.
    """
    if first == second:
        raise ConfigError(f"--compare {first} {second}: give two different candidates")
    records = {record.id: record for record in run.store.candidates()}
    if run.store.files is not None:
        run.store.files.bring(records[name] for name in (first, second) if name in records)
    here = set(run.folder.candidate_ids())
    for name in (first, second):
        if name not in records:
            hint = did_you_mean(name, records) or f"; `autoqa leaderboard {run.study.name}` lists"
            raise ConfigError(
                f"--compare {name!r}: the study {run.study.name!r} has no such candidate{hint}"
            )
        if name not in here:
            raise ConfigError(
                f"--compare {name!r}: its predictions are not in {run.folder.candidates}: compare "
                "on the machine that trained it, or copy its folder"
            )
    examples = run.folder.load_examples("public")
    scores = candidate_scores(run, (records[first], records[second]), examples, "public")
    gain = paired(scores[0], scores[1], [example.document for example in examples])
    run.store.log_read("comparisons", f"{first} {second}")
    return gain, examples
