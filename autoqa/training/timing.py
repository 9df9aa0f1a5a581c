"""How long a run takes: some of its steps and a few evaluation windows, timed and extrapolated."""

import time

import numpy as np

from autoqa.features.select import take
from autoqa.planning.run_timing import RunTiming, TimedPortion
from autoqa.training.jobs import TimingJob, TrialJob
from autoqa.training.messages import BackboneTimed, Emit, Progress, TrialFinished
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import Workbench

WARM_STEPS = 2
"""Steps that are not timed: in the first ones memory is taken and kernels are chosen."""

TIMED_SECONDS = 3.0
"""Seconds of training that are timed at least, unless the run ends before."""

TIMED_STEPS = 4
"""Steps that are timed at least: batches differ in length."""

TIMED_WINDOWS = 64
"""Evaluation windows that are timed, spread evenly over the public part."""


def time_run(job: TimingJob, bench: Workbench, emit: Emit) -> None:
    """Begins a run, times it, and throws it away.

    What a worker does once for all of its runs (reading data, tokenizing) is done first and not
    counted.

    Args:
        job: Which run.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        DataError: A stage selects nothing.
        MissingAssetError: The backbone's weights are not on this machine.
        ConfigError: A window length does not fit the questions or the model.
    """
    begin = time.perf_counter()
    emit(Progress(job.trial, "timing"))
    bench.backbone(job.backbone)
    for stage in job.run.recipe.stages:
        for portion in stage.portions:
            bench.encoded(job.backbone, portion.source)
    whole = TrialJob(job.trial, job.backbone, job.run, job.run_folder)
    run = Trainer(whole, bench, emit, (1.0,), lambda *_: None, every=False)
    setup = time.perf_counter() - run.begin
    trainings = 1 if bench.data.folds is None else bench.data.folds.count
    portions = tuple(
        TimedPortion(portion.source, portion.share, size.windows, size.tokens)
        for stage, prepared in zip(job.run.recipe.stages, run.stages, strict=True)
        for portion, size in zip(stage.portions, prepared.portions, strict=True)
    )
    timing = RunTiming(
        portions=portions,
        batch_size=run.ready.bound.protocol.batch_size,
        setup=setup * trainings,
        tokens_per_second=_training_speed(run) / trainings,
        evaluation=_evaluation_seconds(run),
    )
    emit(BackboneTimed(job.trial, timing))
    emit(TrialFinished(job.trial, time.perf_counter() - begin))


def _training_speed(run: Trainer) -> float:
    """Tokens per second of optimizer steps."""
    tokens = timed = 0
    seconds = 0.0
    batches = (
        windows
        for stage in run.stages
        for windows in stage.batches(run.ready.bound.protocol.batch_size)
    )
    for number, windows in enumerate(batches):
        begin = time.perf_counter()
        run.engine.train(windows)
        spent = time.perf_counter() - begin
        if number < WARM_STEPS < run.steps:
            continue
        tokens, timed, seconds = tokens + len(windows.input_ids), timed + 1, seconds + spent
        if seconds >= TIMED_SECONDS and timed >= TIMED_STEPS:
            break
    return tokens / seconds


def _evaluation_seconds(run: Trainer) -> float:
    """Seconds to predict all windows of both parts."""
    public, private = run.ready.public, run.ready.private
    if not len(public):
        return 0.0
    count = min(TIMED_WINDOWS, len(public))
    sample = take(public, np.linspace(0, len(public) - 1, count).astype(int))
    run.engine.model.eval()
    precision = run.ready.bound.protocol.precision
    predict = run.engine.peers.predict
    predict(run.engine.model, sample, precision=precision)  # the first pass chooses kernels
    begin = time.perf_counter()
    predict(run.engine.model, sample, precision=precision)
    seconds = time.perf_counter() - begin
    tokens = len(public.input_ids) + len(private.input_ids)
    return seconds * tokens / len(sample.input_ids)
