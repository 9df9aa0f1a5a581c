"""Processes that search one study together: one proposes at a time, and the dead are succeeded."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from optuna.trial import FrozenTrial, TrialState

from autoqa.store.run_folder import RunFolder
from autoqa.supervision.display import Display
from autoqa.supervision.membership import Membership
from autoqa.trials.lost_rows import check_own, give_back, lost_rows
from autoqa.trials.optuna_study import adopt, check_spaces, recover
from autoqa.trials.patient_storage import PatientStorage, lost_trial
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.trials.trials import Trials

LOOK_SECONDS = 3.0
"""Seconds between two looks at what others do, while there is nothing to do here."""


@dataclass
class Peers:
    """The processes that search a study, as one of them sees them.

    Attributes:
        membership: That one's lease.
        trials: The study's trials.
        folder: Its run folder.
        complete: Point of a run after which nothing of it is missing.
        display: What people see.
    """

    membership: Membership
    trials: Trials
    folder: RunFolder
    complete: float
    display: Display

    @contextmanager
    def turn(self, busy: Collection[int] = ()) -> Iterator[None]:
        """While the block runs nobody else proposes, and no trial is run by a dead process.

        Args:
            busy: Numbers of the trials that run here.

        Raises:
            MachineFaultError: The database has lost the rows of some of these.
        """
        self.membership.check()
        study, trials = self.trials.study, self.trials
        with self.membership.store.exclusively():
            alive, back = self._alive(), None
            if lost_rows(study, self.folder, len(trials.tally.complete)):
                back = self._give_back()
            running = trials.in_states(TrialState.RUNNING)
            check_own(busy, [each for each in running if self._is_own(each)])
            if back is not None or any(
                TrialAttributes.of(each).searcher not in alive for each in running
            ):
                self._settle(alive, back or ())
            yield

    def refuse_trial_of_others(self, error: Exception) -> NoReturn:
        """Ends what this process does after others ended a trial that ran here.

        Raises:
            AutoqaError: It was silent for too long, and taken for dead.
            MachineFaultError: The trial's row was lost, and its number is another's by now.
        """
        self.membership.look()
        self.membership.check()
        raise lost_trial("a trial") from error

    def _give_back(self) -> list[int]:
        """Trials that came back from disk to a database that lost their rows."""
        storage = self.trials.study._storage
        assert isinstance(storage, PatientStorage)
        storage.forget()
        back = give_back(self.trials.study, self.folder, self.complete)
        self.trials.begin_after(self.trials.history)
        return back

    def settle(self) -> None:
        """Writes down what dead processes left complete on disk, and takes over their trials.

        A database that lost rows gets those that are on disk.
        """
        study, folder, store = self.trials.study, self.folder, self.membership.store
        if store.files is not None:  # uploads take time, and others need not wait for them
            for record in adopt(folder, store.candidates()):
                store.files.publish(record.id)
        with store.exclusively():
            back = give_back(study, folder, self.complete)
            if back:
                check_spaces(study, self.trials.spaces)
            self._settle(self._alive(), back)

    def _alive(self) -> set[str]:
        store = self.membership.store
        judge = self.membership.judges_silence
        for dead in store.remove_dead_searchers(judge_silence=judge):
            self.display.event(
                f"the {dead.purpose} of {dead.process} is over without a word, "
                f"{dead.silent:.0f} s after it was last heard of"
            )
        return {each.id for each in store.searchers()}

    def _settle(self, alive: Collection[str], back: Sequence[int] = ()) -> None:
        store = self.membership.store
        adopted = adopt(self.folder, store.candidates())
        for record in adopted:
            store.add_candidate(record)
            if not back:
                what = "was complete on disk and is written down now"
                self.display.event(f"candidate {record.id} {what}")
        if back:
            self.display.event(
                f"the database had no row of {len(back)} trials ({', '.join(map(str, back))}) and "
                f"{len(adopted)} candidates, which were adopted from {self.folder.candidates}"
            )
        for sentence in recover(self.trials, store.candidates(), self.complete, alive):
            self.display.event(sentence)

    def elsewhere(self) -> list[int]:
        """Numbers of the trials that other processes run."""
        running = self.trials.in_states(TrialState.RUNNING)
        return [trial.number for trial in running if not self._is_own(trial)]

    def _is_own(self, trial: FrozenTrial) -> bool:
        return TrialAttributes.of(trial).searcher == self.membership.id
