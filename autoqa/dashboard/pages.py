"""All that is laid over a study for Optuna's dashboard, made anew while a search goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from autoqa.analysis.effects import effects_of_runs
from autoqa.analysis.finished_run import StudyRun
from autoqa.arrays import Doubles
from autoqa.dashboard import notes, plots
from autoqa.dashboard.files import StudyFiles
from autoqa.dashboard.shown_storage import ShownStorage, note_attributes, plot_attributes
from autoqa.ensemble.evaluation.candidate_scorer import CandidateScorer
from autoqa.errors import DataError
from autoqa.scores.standard_errors import Spread
from autoqa.store.candidate_record import CandidateRecord, in_time
from autoqa.trials.patient_storage import PatientStorage
from autoqa.types import Example


@dataclass
class StudyPages:
    """Notes, plots and files of one study.

    Attributes:
        run: The study's run.
        storage: Takes what is laid over.
        files: Files that are listed.
        searched: Whether any trial had a parameter at the last refresh.
    """

    run: StudyRun
    storage: ShownStorage
    files: StudyFiles
    searched: bool = False
    _scores: dict[str, Doubles | None] = field(default_factory=dict)
    _scorer: CandidateScorer | None = None
    _seen: tuple[Any, ...] = ()

    def refresh(self, *, ladder: bool = True) -> None:
        """Lays over what trials and candidates have become.

        Args:
            ladder: Whether to read predictions of candidates that were not read yet, which takes a
                moment for each.
        """
        number = self.storage.get_study_id_from_name(self.run.study.name)
        # As they are in the database: notes go by names that are left out of the tables.
        trials = PatientStorage.get_all_trials(self.storage, number, deepcopy=False)
        records = sorted(self.run.store.candidates(), key=in_time)
        seen = (ladder, len(records), *((t.state, len(t.user_attrs)) for t in trials))
        if seen != self._seen:
            of_run = _by_trial(records)
            here = set(self.run.folder.candidate_ids())
            self.storage.beside = {
                trial._trial_id: self.files.of_trial(trial, of_run.get(trial.number, ()), here)
                for trial in trials
            }
            self.storage.overlay = self._overlay(trials, records, ladder=ladder)
            self.searched = any(trial.params for trial in trials)
            self._seen = seen

    def _overlay(
        self, trials: Sequence[FrozenTrial], records: Sequence[CandidateRecord], *, ladder: bool
    ) -> dict[str, Any]:
        of_run = _by_trial(records)
        metric = self.run.study.validation.metric
        note = notes.study_note(self.run.study, trials, self._part())
        overlay = note_attributes(None, note, 1 + len(records) + _over(trials))
        for trial in trials:
            snapshots = of_run.get(trial.number, ())
            version = 1 + len(snapshots) + len(trial.user_attrs) + 100 * trial.state.is_finished()
            overlay |= note_attributes(trial._trial_id, notes.trial_note(trial, snapshots), version)
        overlay |= self.files.of_study(records)
        if records:
            shown, scores = self._compared(records) if ladder else (records, None)
            documents = [example.document for example in self._public()]
            spread = None if scores is None else Spread(scores, documents)
            overlay |= plot_attributes(
                "history-with-ladder", plots.history(shown or records, spread, metric)
            )
            if scores is not None:
                overlay |= _effects(shown, np.array(scores), documents, metric)
        if any(trial.state == TrialState.COMPLETE for trial in trials):
            overlay |= plot_attributes("scores-over-time", plots.over_time(trials, metric))
        if any(trial.intermediate_values for trial in trials):
            overlay |= plot_attributes("learning-curves", plots.learning_curves(trials, metric))
        return overlay

    def _compared(
        self, records: Sequence[CandidateRecord]
    ) -> tuple[Sequence[CandidateRecord], list[Doubles] | None]:
        """Candidates whose predictions are here, and their question scores; all where none are."""
        examples = self._public()
        rows: Mapping[str, Doubles] = {
            record.id: row
            for record in records
            if examples and (row := self._of(record, examples)) is not None
        }
        if not rows:
            return records, None
        return [record for record in records if record.id in rows], list(rows.values())

    def _of(self, record: CandidateRecord, examples: Sequence[Example]) -> Doubles | None:
        if record.id not in self._scores:
            try:
                self._scorer = self._scorer or CandidateScorer(self.run.folder, examples)
                self._scores[record.id] = self._scorer.of(record)
            except DataError:  # damaged, or on another machine: `autoqa leaderboard` names it
                self._scores[record.id] = None
        return self._scores[record.id]

    def _public(self) -> list[Example]:
        if not self.run.folder.examples_path("public").is_file():
            return []
        return self.run.folder.load_examples("public")

    def _part(self) -> dict[str, int]:
        examples = self._public()
        if not examples:
            return {}
        documents = len({example.document for example in examples})
        return {"public questions": len(examples), "documents": documents}


def _effects(
    records: Sequence[CandidateRecord], scores: Doubles, documents: Sequence[str], metric: str
) -> dict[str, Any]:
    """The plot of what helped, where anything can be said of it."""
    try:
        found = effects_of_runs(records, scores, documents, metric)
    except DataError:  # a recipe of another version: `autoqa report` says which
        return {}
    return plot_attributes("what-helped", plots.effects(found)) if found.found else {}


def _by_trial(records: Sequence[CandidateRecord]) -> dict[int, list[CandidateRecord]]:
    """Candidates of each trial's run, in their order."""
    of_run: dict[int, list[CandidateRecord]] = {}
    for record in records:
        if not record.derived:
            of_run.setdefault(record.trial, []).append(record)
    return of_run


def _over(trials: Sequence[FrozenTrial]) -> int:
    return sum(trial.state.is_finished() for trial in trials)
