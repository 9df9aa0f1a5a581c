"""Rows of trials on disk: written beside their candidates, and given back to a database without.

A worker writes ``trial.json`` into each candidate's folder before the folder has its name: the row
as it was when the run began. When a trial is over, ``finished.json`` beside its last candidate has
all of it. Optuna gives numbers out in order, so a trial comes back under its number where every
number before it is taken: by its own row, or by one that says that it was lost.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import optuna
from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from autoqa.errors import DataError
from autoqa.files import write_atomically
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.checksums import DamagedError, checked_json, read_checked
from autoqa.store.run_folder import TRIAL, RunFolder
from autoqa.trials.patient_storage import PatientStorage, lost_trial
from autoqa.trials.trial_attributes import FIXED, TrialAttributes, fixed_parameters

_FINISHED = "finished.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """What the database holds of a trial, as values that JSON can hold.

    Attributes:
        number: Optuna's number.
        params: Parameters by name.
        distributions: What each was drawn from, as Optuna writes it.
        attributes: Its user attributes.
        fixed: The parameters that it was queued with.
        value: Its value, where it finished.
        steps: Values at points of its run, in per cent.
    """

    number: int
    params: dict[str, Any] = field(default_factory=dict)
    distributions: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    value: float | None = None
    steps: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, trial: FrozenTrial) -> Self:
        """The row of a trial."""
        return cls(
            number=trial.number,
            params=dict(trial.params),
            distributions={
                name: distribution_to_json(each) for name, each in trial.distributions.items()
            },
            attributes=dict(trial.user_attrs),
            fixed=fixed_parameters(trial),
            value=trial.value if trial.state == TrialState.COMPLETE else None,
            steps={str(step): value for step, value in trial.intermediate_values.items()},
        )

    def as_trial(self) -> FrozenTrial:
        """A trial to add to a study: finished where it has a value, else running."""
        return create_trial(
            state=TrialState.RUNNING if self.value is None else TrialState.COMPLETE,
            value=self.value,
            params=self.params,
            distributions={
                name: json_to_distribution(each) for name, each in self.distributions.items()
            },
            user_attrs=self.attributes,
            system_attrs={FIXED: self.fixed} if self.fixed else {},
            intermediate_values={int(step): value for step, value in self.steps.items()},
        )


def row_of(trial: optuna.Trial | FrozenTrial) -> str:
    """What a job carries of a trial, to be written beside its candidates."""
    frozen = trial if isinstance(trial, FrozenTrial) else _frozen(trial)
    return checked_json(asdict(TrialRow.of(frozen)))


def keep_finished(folder: RunFolder, trial: optuna.Trial, last: CandidateRecord) -> None:
    """Writes the row of a trial that is over beside its last candidate."""
    path = folder.candidate(last.id) / _FINISHED
    write_atomically(path, checked_json(asdict(TrialRow.of(_frozen(trial)))))


def give_back(study: optuna.Study, folder: RunFolder, complete: float) -> list[int]:
    """Adds the trials of candidates on disk that the study has lost; call under the lock.

    A trial whose last candidate says that it was over is finished again; what else has a row on
    disk is added as running, for :func:`autoqa.trials.optuna_study.recover` to settle. Of
    trials that left no candidate only their numbers come back.

    Args:
        study: Optuna's study.
        folder: The run folder.
        complete: Point of a run after which nothing of it is missing.

    Returns:
        Numbers of the trials that came back.
    """
    records = _records(folder)
    trials = study.get_trials(deepcopy=False)
    for trial in trials:
        if trial.state == TrialState.RUNNING and trial.number in records:
            # Its own process may finish it meanwhile: then it lacks nothing.
            with suppress(UpdateFinishedTrialError):
                _complete(study, trial, _row(folder, records[trial.number], complete))
    back = []
    for number in range(len(trials), max(records, default=-1) + 1):
        row = _row(folder, records.get(number, []), complete)
        study.add_trial(_placeholder() if row is None else row.as_trial())
        if row is not None:
            back.append(number)
    return back


def lost_rows(study: optuna.Study, folder: RunFolder, complete: int) -> bool:
    """Whether the database has fewer trials than were there before.

    A file whose log is damaged loses what was written last, without a word, also under processes
    that work with it.

    Args:
        study: Optuna's study.
        folder: The run folder, which has candidates of the highest numbers.
        complete: How many trials were seen to have a value.
    """
    storage = study._storage
    assert isinstance(storage, PatientStorage)
    count, valued = storage.counts(study._study_id)
    return valued < complete or count <= folder.last_trial()


def check_own(busy: Collection[int], own: Iterable[FrozenTrial | optuna.Trial]) -> None:
    """Refuses to go on with trials that the database does not give to this process any more.

    Args:
        busy: Numbers of the trials that run here.
        own: Those that run here by the database.

    Raises:
        MachineFaultError: Some of them are lost.
    """
    gone = sorted(set(busy) - {trial.number for trial in own})
    if gone:
        raise lost_trial(f"trial {', '.join(map(str, gone))}")


def _records(folder: RunFolder) -> dict[int, list[CandidateRecord]]:
    """Points of runs on disk that can be read, by trial and in order of time."""
    found: dict[int, list[CandidateRecord]] = {}
    for name in folder.candidate_ids():
        try:
            record = folder.read_record(name)
        except DataError:  # told of where candidates are looked through
            continue
        if not record.derived:
            found.setdefault(record.trial, []).append(record)
    return {number: sorted(each, key=lambda r: r.fraction) for number, each in found.items()}


def _row(folder: RunFolder, records: list[CandidateRecord], complete: float) -> TrialRow | None:
    """What the disk knows of a trial, by its candidates."""
    for record in reversed(records):
        for name in (_FINISHED, TRIAL):
            try:
                values: Mapping[str, Any] = read_checked(folder.candidate(record.id) / name)
            except DamagedError:  # absent in candidates of earlier versions, or of no use
                continue
            return TrialRow(**values)
    if not records or records[-1].fraction < complete:
        return None
    last = records[-1]
    try:
        known = TrialAttributes(backbone=last.backbone, run=last.training_run.key)
    except DataError:  # its recipe is of another version
        return None
    return TrialRow(number=last.trial, attributes=known.as_dict())


def _complete(study: optuna.Study, trial: FrozenTrial, row: TrialRow | None) -> None:
    """Gives a running trial what its row on disk has more than that in the database."""
    here = TrialAttributes.of(trial).run
    if row is None or here not in (None, row.attributes.get("run")):
        return
    running = optuna.Trial(study, trial._trial_id)
    for name, value in row.attributes.items():
        running.set_user_attr(name, value)
    for name in row.params.keys() - trial.params.keys():
        distribution = json_to_distribution(row.distributions[name])
        internal = distribution.to_internal_repr(row.params[name])
        study._storage.set_trial_param(trial._trial_id, name, internal, distribution)
    if row.value is not None:
        study.tell(running, row.value)


def _placeholder() -> FrozenTrial:
    """Takes a number; as a pruned trial it does not count."""
    lost = TrialAttributes(failure="its row was lost with the database")
    return create_trial(state=TrialState.PRUNED, user_attrs=lost.as_dict())


def _frozen(trial: optuna.Trial) -> FrozenTrial:
    return trial.study._storage.get_trial(trial._trial_id)
