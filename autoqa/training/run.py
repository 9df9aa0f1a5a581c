"""A trial: one run of one recipe, which leaves candidates behind."""

import time
from functools import partial

from autoqa.training.batches import Teach
from autoqa.training.beginning import beginning
from autoqa.training.fold_runs import run_folds
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Emit, Note, SnapshotTaken
from autoqa.training.snapshot import take_snapshot
from autoqa.training.time_left import share_that_fits, smaller
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import Workbench


def run_trial(
    job: TrialJob,
    bench: Workbench,
    emit: Emit,
    teach: Teach = list,
) -> None:
    """Trains one recipe and sends its candidates.

    A run that was interrupted goes on from its last checkpoint, and a run that begins like an
    earlier one forks from that one's stages where the schedule allows it; both end with the very
    weights that an undisturbed run ends with. In a study with folds it is trained once for each of
    them (:mod:`autoqa.training.fold_runs`).

    Args:
        job: What to train.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.
        teach: Given the stages, gives those to train on: with soft targets, say.

    Raises:
        TrainingError: The loss stopped being a number, or the run collapsed.
        OutOfTimeError: The time was over before most of the run was done.
        DataError: A stage selects nothing.
        MissingAssetError: The backbone's weights are not on this machine.
        DamagedError: Weights that it begins with were dropped or are damaged.
        ConfigError: A window length does not fit the questions or the model.
    """
    if bench.data.folds is not None:
        run_folds(job, bench, emit)
        return
    points = (*bench.bound.study.search.snapshots, 1.0) if job.only is None else (job.only,)
    every = job.only is not None
    with beginning(job, bench) as weights:
        made = partial(Trainer, every=every, teach=teach, weights=weights)
        trainer = made(job, bench, emit, points, _snapshot)
        share = share_that_fits(job, trainer.windows, len(trainer.due))
        if share is not None and not trainer.resume():  # one that goes on would have to begin anew
            emit(Note(job.trial, f"made {share:.0%} as large, to end before the time limit"))
            begin = trainer.begin
            trainer = made(smaller(job, share), bench, emit, points, _snapshot)
            trainer.begin = begin
        trainer.run()


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
            progress=partial(trainer.evaluated, stage),
            ask=trainer.engine.peers.predict,
        )
    trainer.emit(SnapshotTaken(trainer.job.trial, record))
