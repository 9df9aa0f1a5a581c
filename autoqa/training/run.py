"""A trial: one run of one recipe, which leaves candidates behind."""

import time

from autoqa.training.messages import Emit, SnapshotTaken, TrialJob
from autoqa.training.snapshot import take_snapshot
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import Workbench


def run_trial(job: TrialJob, bench: Workbench, emit: Emit) -> None:
    """Trains one recipe and sends its candidates.

    A run that was interrupted goes on from its last checkpoint, and a run that begins like an
    earlier one forks from that one's stages where the schedule allows it; both end with the very
    weights that an undisturbed run ends with.

    Args:
        job: What to train.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        TrainingError: The loss stopped being a number, or the run collapsed.
        OutOfTimeError: The time was over while another run trained a stage that this one needs.
        DataError: A stage selects nothing.
        MissingAssetError: The backbone's weights are not on this machine.
        ConfigError: A window length does not fit the questions or the model.
    """
    points = (*bench.bound.study.search.snapshots, 1.0) if job.only is None else (job.only,)
    Trainer(job, bench, emit, points, _snapshot, every=job.only is not None).run()


def _snapshot(trainer: Trainer, stage: int, point: float) -> None:
    with trainer.engine.average.swapped():
        record = take_snapshot(
            trainer.engine.model,
            trainer.job,
            trainer.ready,
            trainer.bench.public,
            fraction=point,
            seconds=time.perf_counter() - trainer.begin,
            windows_per_second=trainer.pace.windows_per_second,
            progress=lambda done, total: trainer.emit(
                trainer.progress("evaluating", stage, done, total)
            ),
        )
    trainer.emit(SnapshotTaken(trainer.job.trial, record))
