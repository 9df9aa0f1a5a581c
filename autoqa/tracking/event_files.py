"""Trials as event files that TensorBoard reads; neither torch nor TensorFlow is imported."""

import time
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from autoqa.tracking.base import TrackerPlace, TrialEnd


class EventFiles:
    """One folder for each trial.

    Args:
        place: Where to write.
    """

    def __init__(self, place: TrackerPlace) -> None:
        own = place.options["folder"]
        self._folder = place.folder / "tensorboard" if own is None else Path(own) / place.study
        self._writers: dict[int, EventFileWriter] = {}

    def began(self, trial: int, name: str, params: dict[str, Any], tags: dict[str, str]) -> None:
        """Opens the trial's file."""
        folder = self._folder / f"trial-{trial:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        self._writers[trial] = EventFileWriter(str(folder), flush_secs=10)
        self._add(trial, hparams_pb({**params, **tags}, trial_id=name))
        self.text(trial, "name.txt", name)

    def metrics(self, trial: int, step: int, values: dict[str, float]) -> None:
        """Writes scalars at a step."""
        scalars = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._add(trial, Summary(value=scalars), step)

    def text(self, trial: int, filename: str, content: str) -> None:
        """Writes a text, as it is."""
        about = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
        tensor = TensorProto(
            dtype=DT_STRING,
            string_val=[f"```\n{content}\n```".encode()],
            tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)]),
        )
        value = Summary.Value(tag=filename, metadata=about, tensor=tensor)
        self._add(trial, Summary(value=[value]))

    def ended(self, trial: int, end: TrialEnd) -> None:
        """Closes the trial's file."""
        self.text(trial, "end.txt", end)
        self._writers.pop(trial).close()

    def close(self) -> None:
        """Closes what is open."""
        for trial in list(self._writers):
            self.ended(trial, "interrupted")

    def _add(self, trial: int, summary: Summary, step: int = 0) -> None:
        event = Event(wall_time=time.time(), step=step, summary=summary)
        self._writers[trial].add_event(event)
