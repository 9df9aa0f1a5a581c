"""Runs trained again with validation rows among their training rows.

Nothing is predicted or scored on the way: the rows that could judge the models were trained on.
Where some of them were held back, :func:`answer` asks the models about those.
"""

import time

import numpy as np

from autoqa.arrays import Floats
from autoqa.features.select import about, take
from autoqa.features.windows import Windows
from autoqa.files import writing_folder
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from autoqa.store.checksums import write_checksums
from autoqa.store.predictions import write_logits
from autoqa.store.refit_record import RefitRecord
from autoqa.store.run_folder import Part
from autoqa.training.beginning import beginning
from autoqa.training.jobs import AnswerJob, RefitJob
from autoqa.training.messages import Emit, Progress, TrialFinished
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import Workbench
from autoqa.types import Example


def refit(job: RefitJob, bench: Workbench, emit: Emit) -> None:
    """Trains a run again with more rows, and writes its models, rounded as those of trials are.

    Args:
        job: What to train.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        TrainingError: The loss stopped being a number, or the run collapsed.
        DataError: A stage selects nothing.
        MissingAssetError: The backbone's weights are not on this machine.
        DamagedError: Weights that it begins with were dropped or are damaged.
        ConfigError: A window length does not fit the questions or the model.
    """

    def keep(trainer: Trainer, _stage: int, _point: float) -> None:
        with trainer.engine.average.swapped():
            state = rounded_state(trainer.engine.model)
        for candidate, point in job.points:
            if trainer.step_of(point) != trainer.engine.step:
                continue
            record = RefitRecord(candidate, job.backbone, job.like.run.key, point)
            with writing_folder(job.target / candidate, job.target / f".{candidate}") as partial:
                folder = partial / "model"
                save_model(trainer.engine.model, state, trainer.ready.folder, folder)
                record.write(partial)

    points, rows = [point for _, point in job.points], bench.with_validation_rows(job.held)
    with beginning(job.like, bench) as weights:
        Trainer(job.like, rows, emit, points, keep, every=True, weights=weights).run()


def answer(job: AnswerJob, bench: Workbench, emit: Emit) -> None:
    """Writes a model's logits for the windows of some documents.

    They are in the order of the backbone's evaluation windows. Those of the private part are
    sealed as candidates' are.

    Args:
        job: Which model and documents.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        MissingAssetError: The backbone or the model is not on this machine.
    """
    begin = time.perf_counter()
    ready = bench.backbone(job.backbone)
    model = load_for_inference(job.model)

    def predicted(windows: Windows, examples: tuple[Example, ...]) -> tuple[Floats, Floats]:
        return predict(
            model,
            take(windows, np.flatnonzero(about(windows, examples, job.documents))),
            precision=ready.bound.protocol.precision,
            progress=lambda done, total: emit(
                Progress(job.trial, "evaluating", step=done, steps=total)
            ),
        )

    parts: dict[Part, tuple[Floats, Floats]] = {
        "public": predicted(ready.public, bench.data.public),
        "private": predicted(ready.private, bench.data.private),
    }
    with writing_folder(job.target, job.target.with_name(f".{job.target.name}")) as partial:
        for part, logits in parts.items():
            write_logits(partial, part, *logits)
        write_checksums(partial)
    emit(TrialFinished(job.trial, time.perf_counter() - begin))
