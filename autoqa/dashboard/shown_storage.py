"""Optuna's storage as the dashboard sees it: one study, with more than its database holds.

Notes, plots and files are laid over what is read and never written, so that neither a running
search nor the database notices. What people write in the dashboard goes into the database, and
stands in the place of what is laid over.
"""

import copy
from collections.abc import Callable, Container, Mapping
from typing import Any, TypeVar

from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from autoqa.errors import AutoqaError
from autoqa.trials.patient_storage import PatientStorage
from autoqa.trials.trial_attributes import TrialAttributes

T = TypeVar("T")

_NOTE = "note_ver"


class ShownStorage(PatientStorage):
    """One study of a database.

    Attributes:
        study: The study's name; others of the database are not shown.
        overlay: System attributes of the study that are laid over its own.
        beside: The same of trials, by their id in the database. The dashboard goes through those of
            the study once for each trial, so what need not be there is here.
    """

    study: str = ""
    overlay: Mapping[str, Any] = {}
    beside: Mapping[int, Mapping[str, Any]] = {}

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """The study's attributes, with those laid over that nobody has written."""
        return self._laid_over(super().get_study_system_attrs(study_id))

    def get_all_studies(self) -> list[FrozenStudy]:
        """The one study."""
        shown = []
        for each in super().get_all_studies():
            if each.study_name == self.study:
                study = copy.copy(each)
                study.system_attrs = self._laid_over(each.system_attrs)
                shown.append(study)
        return shown

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """All trials, with their attributes in one spelling."""
        return [self._shown(each) for each in super().get_all_trials(study_id, deepcopy, states)]

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """The trial with the highest value."""
        return self._shown(super().get_best_trial(study_id))

    def get_trial_system_attrs(self, trial_id: int) -> dict[str, Any]:
        """A trial's attributes, with those laid over that nobody has written."""
        return {**self.beside.get(trial_id, {}), **super().get_trial_system_attrs(trial_id)}

    def _shown(self, trial: FrozenTrial) -> FrozenTrial:
        shown = _spelt(trial)
        shown.system_attrs = {**self.beside.get(trial._trial_id, {}), **trial.system_attrs}
        return shown

    def _insist(self, work: Callable[[], T]) -> T:
        try:
            return super()._insist(work)
        except AutoqaError as error:  # the dashboard has a page show its server's own errors only
            from bottle import HTTPError

            raise HTTPError(503, str(error)) from error

    def _laid_over(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        # A note is a version and its parts: either all of them are a person's, or none.
        own = tuple(key.removesuffix(_NOTE) for key in stored if key.endswith(_NOTE))
        kept = {
            key: value
            for key, value in self.overlay.items()
            if not any(key.startswith((f"{note}{_NOTE}", f"{note}note_str:")) for note in own)
        }
        return {**kept, **stored}


def note_attributes(trial_id: int | None, body: str, version: int) -> dict[str, Any]:
    """A note as system attributes of the study.

    Args:
        trial_id: Optuna's id of the trial; ``None`` for the study's note.
        body: Markdown.
        version: Above 0, higher than that of an earlier text.
    """
    prefix = "dashboard:" if trial_id is None else f"dashboard:{trial_id}:"
    return {f"{prefix}{_NOTE}": version, f"{prefix}note_str:0": body}


def plot_attributes(name: str, figure: str) -> dict[str, Any]:
    """A plot as system attributes of the study.

    Args:
        name: Letters, digits and hyphens.
        figure: Plotly's JSON.
    """
    return {f"dashboard:plot_data:{name}:0": figure}


def _spelt(trial: FrozenTrial) -> FrozenTrial:
    """A trial whose attributes are flat, named by words with underscores, and short.

    The card is left out, which its note has.
    """
    attributes = {key.replace(" ", "_"): value for key, value in trial.user_attrs.items()}
    own = TrialAttributes.of(trial).as_dict()
    flat = {
        key: ", ".join(map(str, value)) if isinstance(value, list) else value
        for key, value in (attributes | own).items()
        if key != "card"
    }
    shown = copy.copy(trial)
    shown.user_attrs = flat
    return shown
