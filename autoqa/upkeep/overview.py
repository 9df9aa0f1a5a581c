"""All that a study has to show, gathered without changing anything; what is missing is said."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
from optuna.trial import FrozenTrial

from autoqa.analysis.answer_traces import AnswerTraces, trace_answers
from autoqa.analysis.effects import Effects, study_effects
from autoqa.analysis.finished_plan import finished_plan
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.leaderboard import Leaderboard, build_leaderboard
from autoqa.analysis.private_scores import candidate_key, ensemble_key
from autoqa.analysis.selection import stored_selection
from autoqa.config.load import load_study
from autoqa.config.study import StudyFile
from autoqa.ensemble.choosing.selection import Seat, Selection
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import AutoqaError
from autoqa.scores.bootstrap import Interval
from autoqa.scores.ladder import Rung, ladder_rungs
from autoqa.scores.standard_errors import Spread
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.store.private_openings import OpeningRow
from autoqa.store.study_tables import Store
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.upkeep.status import StudyStatus, study_status
from autoqa.upkeep.study_place import StudyPlace, stored_study

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class TrialCost:
    """What a trial took.

    Attributes:
        number: Its number.
        backbone: What it trained, where that was known.
        hours: Of devices: time from its start to its end, by the devices that it had.
        failure: Why it failed, as a sentence.
    """

    number: int
    backbone: str | None
    hours: float
    failure: str | None


@dataclass(frozen=True, slots=True)
class RevealedScores:
    """What openings of the sealed part have shown and kept.

    Attributes:
        ensemble: Of the ensemble that is shown; ``None`` where it was not scored.
        candidates: Of candidates, by id.
    """

    ensemble: Interval | None
    candidates: dict[str, Interval]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All that a study has to show; what could not be read is ``None`` and told in ``missing``.

    Attributes:
        status: Counts, disk, who works on it.
        study: The study file as the search froze it.
        fingerprint: Of the validation set.
        board: Candidates and comparisons.
        rungs: The ladder's steps, one for each compared candidate.
        effects: What helped.
        costs: Of each trial.
        selection: The last selection, if it is of the candidates that there are.
        shown: Whose answers are shown: the selection's members, else the best alone.
        answers: What they answered.
        openings: Of the private part.
        revealed: What those have shown of what is shown here.
        missing: What is not here, and why, a sentence each.
        problem: The first error, which decides on the exit code.
    """

    status: StudyStatus
    study: StudyFile | None = None
    fingerprint: str | None = None
    board: Leaderboard | None = None
    rungs: Sequence[Rung] = ()
    effects: Effects | None = None
    costs: Sequence[TrialCost] = ()
    selection: Selection | None = None
    shown: Sequence[Seat] = ()
    answers: AnswerTraces | None = None
    openings: Sequence[OpeningRow] = ()
    revealed: RevealedScores | None = None
    missing: Sequence[str] = ()
    problem: AutoqaError | None = None


@dataclass
class _Gathering:
    """Asks for one thing after another, and remembers what could not be had."""

    missing: list[str] = field(default_factory=list)
    problem: AutoqaError | None = None

    def attempt(self, what: str, work: Callable[[], Found]) -> Found | None:
        try:
            return work()
        except AutoqaError as error:
            self.miss(what, error)
        except (KeyError, TypeError, ValueError) as error:
            self.miss(what, AutoqaError(f"what is stored of it is damaged ({error!r:.200})"))
        return None

    def miss(self, what: str, error: AutoqaError) -> None:
        self.missing.append(f"{what}: {error}")
        self.problem = self.problem or error


def study_overview(place: StudyPlace) -> Overview:
    """Gathers it; reads only, and works while a search runs.

    The sealed part is not opened: private scores are those that earlier openings have kept.
    """
    status = study_status(place)
    gathering = _Gathering(problem=status.problem)
    if status.problem is not None:
        gathering.missing.append(f"The database: {status.problem}")
    if place.folder is None:
        gathering.missing.append("The run folder is not on this machine, and so no predictions.")
    store = gathering.attempt("The database", place.look) if status.problem is None else None
    if store is None:
        found = _from_files(place, status, gathering)
    else:
        with store:
            found = _gather(place, store, status, gathering)
    return replace(found, missing=gathering.missing, problem=gathering.problem)


def _from_files(place: StudyPlace, status: StudyStatus, gathering: _Gathering) -> Overview:
    """What is known where the database is not: candidates as their own files say."""
    folder = place.folder
    if folder is None:
        return Overview(status=status)
    study = gathering.attempt("The study file", lambda: _study(place, None))
    records = [
        record
        for name in folder.candidate_ids()
        if (record := gathering.attempt(name, partial(folder.read_record, name))) is not None
    ]
    board = None if study is None else _uncompared(study, records)
    return Overview(status=status, study=study, board=board)


def _uncompared(study: StudyFile, records: Sequence[CandidateRecord]) -> Leaderboard:
    """Candidates by the scores that their records hold, without question scores."""
    return Leaderboard(
        metric=study.validation.metric,
        ranked=sorted(records, key=by_score),
        examples=(),
        compared=(),
        scores=np.zeros((0, 0)),
        reads={},
        best=None,
    )


def _study(place: StudyPlace, store: Store | None) -> StudyFile:
    if store is not None and (place.problem is not None or place.folder is None):
        return stored_study(store)
    assert place.folder is not None
    return load_study(place.folder.study_file, frozen=True)


def _gather(
    place: StudyPlace, store: Store, status: StudyStatus, gathering: _Gathering
) -> Overview:
    attempt = gathering.attempt
    found = Overview(
        status=status,
        study=attempt("The study file", lambda: _study(place, store)),
        costs=attempt("Trials", lambda: trial_costs(status.rows)) or (),
        fingerprint=attempt("The validation set", store.validation_fingerprint),
        openings=attempt("Openings of the sealed part", store.openings) or (),
    )
    study = found.study
    if study is None:
        return found
    if not status.candidates:
        gathering.missing.append(
            "There is no candidate yet: `autoqa search` trains some, "
            f"`autoqa status {place.name}` says how far it is."
        )
        return found
    if place.folder is not None:
        found = _with_candidates(found, StudyRun(study, place.folder, store), gathering)
    if found.board is None:
        board = attempt("Candidates", lambda: _uncompared(study, store.candidates()))
        found = replace(found, board=board)
    return found


def _with_candidates(found: Overview, run: StudyRun, gathering: _Gathering) -> Overview:
    attempt = gathering.attempt
    board = attempt("Candidates", lambda: build_leaderboard(run))
    gathering.missing += sorted(run.told)
    if board is None:
        return found
    if board.best is None:
        gathering.missing.append(f"No candidate has whole predictions in {run.folder.candidates}.")
        return replace(found, board=board)
    selection = attempt("The selection", lambda: stored_selection(run))
    if selection is None:
        gathering.missing.append(
            "No ensemble has been chosen among these candidates, so the best is shown alone: "
            f"`autoqa select {run.study.name}` chooses one."
        )
    seats, tie_group = _shown(board, selection)
    plan = attempt("How the ensemble answers", lambda: finished_plan(run, seats, tie_group))
    found = replace(
        found,
        board=board,
        rungs=ladder_rungs(Spread(board.scores, board.documents)),
        effects=attempt("What helped", lambda: study_effects(board)),
        selection=selection,
        shown=seats,
    )
    if plan is None:
        return found
    revealed = (
        attempt("Private scores", lambda: _revealed(run, board, plan)) if found.openings else None
    )
    answers = attempt("Answers", lambda: trace_answers(run, plan))
    return replace(found, answers=answers, revealed=revealed)


def _shown(board: Leaderboard, selection: Selection | None) -> tuple[Sequence[Seat], str]:
    if selection is not None:
        return selection.members, selection.tie_group
    assert board.best is not None
    best = next(each for each in board.compared if each.id == board.best.id)
    return (Seat(best.id, best.group, 1.0, "Best by the ladder."),), best.group


def trial_costs(trials: Iterable[FrozenTrial]) -> list[TrialCost]:
    """What each trial of a study took."""
    costs = []
    for trial in trials:
        attributes = TrialAttributes.of(trial)
        begin, end = trial.datetime_start, trial.datetime_complete
        idle = begin is None or end is None or attributes.elsewhere
        if idle or attributes.duplicate_of is not None:
            hours = 0.0
        else:
            assert begin is not None
            assert end is not None
            hours = (attributes.devices or 1) * (end - begin).total_seconds() / 3600
        costs.append(TrialCost(trial.number, attributes.backbone, hours, attributes.failure))
    return costs


def _revealed(run: StudyRun, board: Leaderboard, plan: EnsemblePlan) -> RevealedScores:
    kept = run.store.private_score(ensemble_key(run, plan))
    return RevealedScores(
        None if kept is None else Interval(kept[1][board.metric], kept[1]["low"], kept[1]["high"]),
        {each.id: own for each in board.compared if (own := _own(run, each)) is not None},
    )


def _own(run: StudyRun, record: CandidateRecord) -> Interval | None:
    kept = run.store.private_score(candidate_key(run, record.id))
    return None if kept is None else Interval(**kept[1])
