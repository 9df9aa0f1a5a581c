"""Trials as runs of a Weights & Biases project."""

from typing import Any

import wandb

from autoqa.tracking.base import TrackerPlace, TrialEnd

_EXIT_CODES = {"finished": 0, "failed": 1, "interrupted": 130}

_INIT_SECONDS = 60.0
"""How long a server may be away when a run begins."""


class WandbRuns:
    """One run for each trial, several at a time; all of a study are one group.

    Args:
        place: Where to write.
    """

    def __init__(self, place: TrackerPlace) -> None:
        self._place = place
        self._runs: dict[int, wandb.Run] = {}
        place.folder.mkdir(parents=True, exist_ok=True)

    def began(self, trial: int, name: str, params: dict[str, Any], tags: dict[str, str]) -> None:
        """Begins a run."""
        self._runs[trial] = wandb.init(
            project=self._place.options["project"] or self._place.study,
            entity=self._place.options["entity"],
            group=self._place.study,
            name=name,
            config={**params, **tags},
            mode=self._place.options["mode"],
            dir=self._place.folder,
            reinit="create_new",
            settings=wandb.Settings(
                silent=True,
                init_timeout=_INIT_SECONDS,
                console="off",
                disable_git=True,
                disable_code=True,
                x_disable_stats=True,
            ),
        )

    def metrics(self, trial: int, step: int, values: dict[str, float]) -> None:
        """Logs values at a step."""
        self._runs[trial].log(values, step=step)

    def text(self, trial: int, filename: str, content: str) -> None:
        """Adds an artifact."""
        kind = filename.rpartition(".")[0]
        artifact = wandb.Artifact(f"{self._place.study}-trial-{trial}-{kind}", type="autoqa")
        with artifact.new_file(filename, encoding="utf-8") as file:
            file.write(content)
        self._runs[trial].log_artifact(artifact)

    def ended(self, trial: int, end: TrialEnd) -> None:
        """Ends the run."""
        self._runs.pop(trial).finish(exit_code=_EXIT_CODES[end])

    def close(self) -> None:
        """Ends what still runs."""
        for trial in list(self._runs):
            self.ended(trial, "interrupted")
