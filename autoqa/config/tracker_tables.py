"""``[search.trackers]`` of a study file: where else a search is written down."""

from typing import Any, Literal

from pydantic_core import PydanticKnownError

from autoqa.config.table import StudyTable


class MlflowTable(StudyTable):
    """``[search.trackers.mlflow]``.

    Attributes:
        uri: Of the tracking server or store; left out, what ``MLFLOW_TRACKING_URI`` says, else a
            SQLite file in the run folder.
        experiment: Name of the experiment; left out, the study's.
    """

    uri: str | None = None
    experiment: str | None = None


class WandbTable(StudyTable):
    """``[search.trackers.wandb]``.

    Attributes:
        project: Name of the project; left out, the study's.
        entity: User or team; left out, the account's own.
        mode: ``"offline"`` writes files that ``wandb sync`` uploads; left out, what ``WANDB_MODE``
            says.
    """

    project: str | None = None
    entity: str | None = None
    mode: Literal["online", "offline"] | None = None


class TensorboardTable(StudyTable):
    """``[search.trackers.tensorboard]``.

    Attributes:
        folder: For event files; left out, one in the run folder.
    """

    folder: str | None = None


class TrackersTable(StudyTable):
    """``[search.trackers]``: a table for each tracker, or a list of their names.

    Attributes:
        mlflow: MLflow.
        wandb: Weights & Biases.
        tensorboard: Files that TensorBoard reads.
    """

    mlflow: MlflowTable | None = None
    wandb: WandbTable | None = None
    tensorboard: TensorboardTable | None = None

    def named(self) -> dict[str, dict[str, Any]]:
        """Options by the name of each tracker that is asked for."""
        tables = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: table.model_dump() for name, table in tables.items() if table is not None}


def trackers_by_name(given: Any) -> Any:
    """A list of names as the table that it stands for; all else as it is."""
    if not isinstance(given, list | tuple):
        return given
    names = list(TrackersTable.model_fields)
    if any(name not in names for name in given):
        *others, last = map(repr, names)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(others)} or {last}"})
    return {name: {} for name in given}
