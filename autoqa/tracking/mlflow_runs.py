"""Trials as runs of an MLflow experiment."""

import os
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.utils.time import get_current_time_millis

from autoqa.tracking.base import TrackerPlace, TrialEnd

_STATES = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}

_LONGEST_PARAM = 6000
"""Characters of a parameter that MLflow takes."""


class MlflowRuns:
    """One run for each trial.

    Args:
        place: Where to write.
    """

    def __init__(self, place: TrackerPlace) -> None:
        uri = place.options["uri"] or os.environ.get("MLFLOW_TRACKING_URI")
        artifacts = None
        if uri is None:
            place.folder.mkdir(parents=True, exist_ok=True)
            uri = f"sqlite:///{(place.folder / 'mlflow.db').resolve()}"
            artifacts = (place.folder / "mlflow-artifacts").resolve().as_uri()
        self._client = MlflowClient(tracking_uri=uri)
        name = place.options["experiment"] or place.study
        known = self._client.get_experiment_by_name(name)
        self._experiment = (
            self._client.create_experiment(name, artifact_location=artifacts)
            if known is None
            else known.experiment_id
        )
        self._runs: dict[int, str] = {}

    def began(self, trial: int, name: str, params: dict[str, Any], tags: dict[str, str]) -> None:
        """Begins a run."""
        run = self._client.create_run(self._experiment, tags=tags, run_name=name)
        self._runs[trial] = run.info.run_id
        given = [Param(key, str(value)[:_LONGEST_PARAM]) for key, value in params.items()]
        for first in range(0, len(given), 100):  # as many as one call takes
            self._client.log_batch(run.info.run_id, params=given[first : first + 100])

    def metrics(self, trial: int, step: int, values: dict[str, float]) -> None:
        """Logs values at a step."""
        now = get_current_time_millis()
        logged = [Metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._runs[trial], metrics=logged)

    def text(self, trial: int, filename: str, content: str) -> None:
        """Adds an artifact."""
        self._client.log_text(self._runs[trial], content, filename)

    def ended(self, trial: int, end: TrialEnd) -> None:
        """Ends the run."""
        self._client.set_terminated(self._runs.pop(trial), _STATES[end])

    def close(self) -> None:
        """Ends what still runs."""
        for trial in list(self._runs):
            self.ended(trial, "interrupted")
