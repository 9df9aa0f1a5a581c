"""What a run begins with where it is not the pretrained weights: the mean of earlier runs'."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autoqa.modeling.soup import average_models
from autoqa.store.run_folder import RunFolder
from autoqa.store.weight_quota import whole_model
from autoqa.training.jobs import TrialJob
from autoqa.training.workbench import Workbench


@contextmanager
def beginning(job: TrialJob, bench: Workbench) -> Iterator[Path | None]:
    """A folder with the weights that a run begins with, there as long as the run lasts.

    Args:
        job: The run.
        bench: Knows the study's folder, where the weights to average are.

    Yields:
        The folder in Hugging Face layout; ``None`` where the backbone's own are meant.

    Raises:
        DamagedError: Weights were dropped or are damaged; the sentence names the way back.
        DataError: They are gone, or are of models of different shapes.
    """
    if not job.run.begins_with:
        yield None
        return
    models = [whole_model(RunFolder(bench.run_folder), name) for name in job.run.begins_with]
    # Beside the job's own candidates: a mean of large models may be too large for /tmp.
    job.run_folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".beginning-", dir=job.run_folder) as scratch:
        folder = Path(scratch) / "model"
        average_models(models, folder)
        yield folder
