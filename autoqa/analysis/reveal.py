"""The shake-up: scores and ranks on the private part of candidates ranked on the public one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from autoqa.analysis.finished_plan import finished_plan
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.leaderboard import Leaderboard, build_leaderboard
from autoqa.analysis.none_scores import split_of
from autoqa.analysis.private_scores import candidate_key, ensemble_key, keep_score
from autoqa.analysis.selection import choose, stored_selection
from autoqa.analysis.stored_predictions import candidate_scores, load_part
from autoqa.errors import ConfigError
from autoqa.scores.bootstrap import Comparison, Interval, interval, paired
from autoqa.scores.correlation import Agreement, agreement, ranks
from autoqa.scores.metrics import score_by
from autoqa.scores.summary import ScoreEntry, score_answers
from autoqa.store.private_openings import OpeningRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedCandidate:
    """One candidate's scores and ranks on both parts.

    Attributes:
        id: The candidate.
        public: Its public score.
        private: Its private score with its 95 % interval.
        public_rank: 1 is the highest; equal ones share their mean rank.
        private_rank: Likewise.
    """

    id: str
    public: float
    private: Interval
    public_rank: float
    private_rank: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPart:
    """What an opening of the private part showed.

    Attributes:
        opening: Its number.
        earlier: Openings before it.
        candidates: All candidates, the highest private score first.
        agreement: Public against private scores; ``None`` for a single candidate.
        members: The ensemble's candidates.
        public: The ensemble's public score.
        private: Its private score.
        best: The ladder's best candidate.
        gain: The ensemble's gain on that candidate on the private part; ``None`` where it is all
            that the ensemble consists of.
    """

    opening: int
    earlier: Sequence[OpeningRow]
    candidates: Sequence[RankedCandidate]
    agreement: Agreement | None
    members: tuple[str, ...]
    public: ScoreEntry
    private: ScoreEntry
    best: str
    gain: Comparison | None


def open_private_part(run: StudyRun, reason: str) -> OpenedPart:
    """Opens the private part of the last selection and of all candidates; it is written down.

    The selection is made anew if candidates have come since. Its private score is kept, so that
    an export of it does not open again.

    Raises:
        ConfigError: No reason was given.
        NothingFeasibleError: There is no candidate.
        DataError: Predictions are missing or damaged.
    """
    if not reason.strip():
        raise ConfigError("--reason is empty: say why the private part is opened")
    selection = stored_selection(run) or choose(run)
    plan = finished_plan(run, selection.members, selection.tie_group)
    board = build_leaderboard(run)
    if board.best is None:
        raise ConfigError(f"{run.study.name}: no predictions in {run.folder.candidates}")
    public = load_part(run, plan.members, "public").score(plan)
    key = ensemble_key(run, plan)
    # Missing predictions are reported before anything is opened.
    keys = [candidate_key(run, record.id) for record in board.compared]
    earlier = run.store.openings()
    opening = run.store.log_opening(reason, purpose="reveal")
    part = load_part(run, plan.members, "private", opening)
    answers = [span.text for span in part.spans(plan)]
    private = score_answers(answers, part.examples, part.metric)
    keep_score(run, key, opening, private, split_of(part, plan))
    scores = candidate_scores(run, board.compared, part.examples, "private", opening)
    documents = [example.document for example in part.examples]
    intervals = [interval(each, documents) for each in scores]
    for own_key, each in zip(keys, intervals, strict=True):
        run.store.keep_private_score(own_key, opening, asdict(each))
    place = [record.id for record in board.compared].index(board.best.id)
    ids = tuple(member.id for member in plan.members)
    joined = score_by(part.metric, answers, part.examples)
    return OpenedPart(
        opening=opening.number,
        earlier=earlier,
        candidates=_ranked(board, intervals),
        agreement=_agreement(board, intervals),
        members=ids,
        public=public,
        private=private,
        best=board.best.id,
        gain=None if ids == (board.best.id,) else paired(joined, scores[place], documents),
    )


def _ranked(board: Leaderboard, private: Sequence[Interval]) -> tuple[RankedCandidate, ...]:
    means = board.scores.mean(axis=1)
    places = zip(ranks(means).tolist(), ranks([each.mean for each in private]), strict=True)
    rows = [
        RankedCandidate(
            id=record.id,
            public=float(mean),
            private=private_score,
            public_rank=public_rank,
            private_rank=float(private_rank),
        )
        for record, mean, private_score, (public_rank, private_rank) in zip(
            board.compared, means, private, places, strict=True
        )
    ]
    return tuple(sorted(rows, key=lambda row: (row.private_rank, row.public_rank, row.id)))


def _agreement(board: Leaderboard, private: Sequence[Interval]) -> Agreement | None:
    if len(private) < 2:
        return None
    return agreement(board.scores.mean(axis=1).tolist(), [each.mean for each in private])
