"""The leaderboard of a study: candidates, the ladder's best, and its score after many reads."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import candidate_scores
from autoqa.arrays import Doubles
from autoqa.errors import ConfigError, did_you_mean
from autoqa.scores.bootstrap import Comparison, interval, paired, paired_with_each
from autoqa.scores.ladder import best_so_far
from autoqa.scores.metrics import QuestionScores
from autoqa.scores.registry import objective
from autoqa.scores.standard_errors import Spread
from autoqa.scores.stated_score import Statement, stated_score
from autoqa.store.candidate_record import CandidateRecord, by_score, in_time
from autoqa.store.public_reads import COMPARISONS
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
        metric: By which they are ranked and compared.
        ranked: All candidates, the highest public score first.
        examples: The public questions.
        compared: Those candidates whose predictions are on this machine, in the order of trials.
        scores: Their score on each question, ``[len(compared), Q]``.
        reads: Reads of the public part by kind.
        best: ``None`` where no predictions are here.
    """

    metric: str
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


def build_leaderboard(run: StudyRun, metric: str | None = None) -> Leaderboard:
    """Reads the candidates' rows and, for comparisons, their stored public predictions.

    Args:
        run: The study's run.
        metric: By which to rank and compare; left out, the study's.

    Raises:
        ConfigError: There is no such metric, or one of which less is better.
        PluginError: It is a plugin's that is not installed any more, or cannot be used.
        DataError: Predictions, windows or questions are missing, damaged or do not fit.
    """
    name = _metric(run, metric)
    records = run.store.candidates()
    examples = run.folder.load_examples("public")
    here = set(run.whole_candidates())
    compared = sorted((record for record in records if record.id in here), key=in_time)
    scores = candidate_scores(run, compared, examples, "public", metric=name)
    own = {record.id: row for record, row in zip(compared, scores, strict=True)}
    reads = run.store.public_reads()
    documents = [example.document for example in examples]
    return Leaderboard(
        metric=name,
        ranked=sorted(
            (_by(name, each, own.get(each.id), examples) for each in records), key=_known_first
        ),
        examples=examples,
        compared=compared,
        scores=scores,
        reads=reads,
        best=_best(compared, scores, documents, sum(reads.values())) if compared else None,
    )


def _metric(run: StudyRun, named: str | None) -> str:
    if named is None or named == run.study.validation.metric:
        return run.metric().name
    return objective(named).name


def _by(
    metric: str, record: CandidateRecord, own: Doubles | None, examples: Sequence[Example]
) -> CandidateRecord:
    """A candidate as a study with another metric would have it, from its question scores.

    Without those its mean may be known from then, and is not a number else.
    """
    if metric == record.metric:
        return record
    if own is None:
        scores = {metric: float("nan"), **record.scores}
        return replace(record, metric=metric, scores=scores, by_language={}, half_width=None)
    return replace(
        record,
        metric=metric,
        scores={**record.scores, metric: float(own.mean())},
        by_language=QuestionScores({metric: own}).by_language(examples, metric),
        half_width=interval(own, [example.document for example in examples]).half_width,
    )


def _known_first(record: CandidateRecord) -> tuple[bool, tuple[float, str]]:
    return math.isnan(record.score), by_score(record)


def _best(
    compared: Sequence[CandidateRecord], scores: Doubles, documents: Sequence[str], reads: int
) -> LadderBest:
    spread = Spread(scores, documents)
    place = best_so_far(spread)
    others = [number for number in range(len(compared)) if number != place]
    gains = paired_with_each(scores[others], scores[place], documents)
    rivals = {compared[number].id: gain for number, gain in zip(others, gains, strict=True)}
    return LadderBest(compared[place].id, stated_score(spread, place, reads), rivals)


def compare(
    run: StudyRun, first: str, second: str, metric: str | None = None
) -> tuple[Comparison, Sequence[Example]]:
    """How much better one candidate is than another on the public part; counts as a read, once.

    Args:
        run: The study's run.
        first: A candidate's id.
        second: Another one's.
        metric: By which to compare; left out, the study's.

    Returns:
        The comparison, and the questions it is about.

    Raises:
        ConfigError: There is no such candidate, or no predictions of it on this machine.
        DataError: Predictions are damaged.
    """
    by = _metric(run, metric)
    if first == second:
        raise ConfigError(f"compare {first} {second}: give two different candidates")
    records = {record.id: record for record in run.store.candidates()}
    if run.store.files is not None:
        run.store.files.bring(records[name] for name in (first, second) if name in records)
    here = set(run.folder.candidate_ids())
    for name in (first, second):
        if name not in records:
            hint = did_you_mean(name, records) or f"; `autoqa leaderboard {run.study.name}` lists"
            raise ConfigError(
                f"compare {name!r}: the study {run.study.name!r} has no such candidate{hint}"
            )
        if name not in here:
            raise ConfigError(
                f"compare {name!r}: its predictions are not in {run.folder.candidates}: compare "
                "on the machine that trained it, or copy its folder"
            )
    examples = run.folder.load_examples("public")
    scores = candidate_scores(run, (records[first], records[second]), examples, "public", metric=by)
    gain = paired(scores[0], scores[1], [example.document for example in examples])
    pair = " ".join(sorted((first, second)))  # the other way round is the same number
    run.store.log_read(COMPARISONS, pair if by == run.metric().name else f"{pair} by {by}")
    return gain, examples
