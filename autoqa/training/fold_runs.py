"""A run trained once for each fold of the documents, whose models become one candidate.

Each public question is answered by the model that was not trained on its document, as in
cross-validation, so that all documents that are not sealed judge a recipe. The candidate's weights
are the mean of the models' (they begin alike and were trained alike, so their mean is a model at
least as good; Wortsman et al., arXiv:2203.05482); with it the private part is answered.
"""

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from autoqa.errors import OutOfTimeError
from autoqa.features.select import about, take
from autoqa.files import writing_folder
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, save_model
from autoqa.modeling.soup import average_models
from autoqa.store.checksums import is_whole, write_checksums
from autoqa.store.run_folder import RunFolder
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import (
    Emit,
    Message,
    Note,
    Progress,
    RecipeCard,
    SnapshotTaken,
    TrialFinished,
)
from autoqa.training.snapshot import (
    Predictions,
    evaluating,
    unscored_candidate,
    write_results,
)
from autoqa.training.time_left import share_that_fits, smaller
from autoqa.training.trainer import Trainer
from autoqa.training.workbench import ReadyBackbone, Workbench

LOGITS = "logits.npy"
"""Start and end logits of a fold's windows, float32 ``[2, T]``."""


def run_folds(job: TrialJob, bench: Workbench, emit: Emit) -> None:
    """Trains one recipe on all folds but one, for each in turn, and sends its candidates.

    Folds that are complete are kept until the candidates are, so an interrupted run goes on with
    the next one.

    Args:
        job: What to train.
        bench: What this worker has made already; its data has folds.
        emit: Takes the messages to the parent.

    Raises:
        OutOfTimeError: The time was over before the last fold was.
        DataError: A stage selects nothing, or nothing is left to train on without a fold.
        TrainingError: The loss stopped being a number, or the run collapsed.
        MissingAssetError: The backbone's weights are not on this machine.
        ConfigError: A window length does not fit the questions or the model.
    """
    runs = _FoldRuns(_that_fits(job, bench, emit), bench, emit)
    runs.train()
    for point in runs.points:
        runs.combine(point)
    shutil.rmtree(runs.kept, ignore_errors=True)
    runs.finish()


def _points(job: TrialJob, bench: Workbench) -> list[float]:
    if job.only is not None:
        return [job.only]
    return sorted({*bench.bound.study.search.snapshots, 1.0})


def _that_fits(job: TrialJob, bench: Workbench, emit: Emit) -> TrialJob:
    """The job, made smaller where not all of its folds would end before the deadline."""
    if job.deadline is None or not job.windows_per_second:
        return job
    assert bench.data.folds is not None
    count, points = bench.data.folds.count, _points(job, bench)
    first = Trainer(job, bench.without_fold(0), lambda _: None, points, lambda *_: None, every=True)
    share = share_that_fits(job, count * first.windows, len(points))
    if share is None or any(_kept_folder(job, bench).glob("fold-*")):
        return job
    emit(Note(job.trial, f"made {share:.0%} as large, to end before the time limit"))
    return smaller(job, share)


def _kept_folder(job: TrialJob, bench: Workbench) -> Path:
    """Holds complete folds of a run; the same for a trial that goes on with it."""
    name = hashlib.sha256(f"{job.backbone}/{job.run.key}".encode()).hexdigest()[:12]
    return RunFolder(bench.run_folder).folds / name


class _FoldRuns:
    def __init__(self, job: TrialJob, bench: Workbench, emit: Emit) -> None:
        assert bench.data.folds is not None
        self.job, self.bench, self.emit = job, bench, emit
        self.begin = time.perf_counter()
        self.folds = bench.data.folds
        self.ready: ReadyBackbone = bench.backbone(job.backbone)
        self.points = _points(job, bench)
        self.kept = _kept_folder(job, bench)
        self.paces: list[float] = []
        self.trained = self.reused = 0

    def train(self) -> None:
        """Trains what is not kept yet."""
        for number in range(self.folds.count):
            folders = [self._folder(number, point) for point in self.points]
            for folder in folders:
                if folder.is_dir() and not is_whole(folder):
                    self.emit(
                        Note(self.job.trial, f"{folder} is damaged; the fold is trained again")
                    )
            if not all(map(is_whole, folders)):
                self._train(number)

    def _folder(self, fold: int, point: float) -> Path:
        return self.kept / f"fold-{fold}-{round(100 * point)}"

    def _train(self, fold: int) -> None:
        windows = take(self.ready.public, self._rows(fold))

        def keep(trainer: Trainer, stage: int, point: float) -> None:
            target = self._folder(fold, point)
            self.kept.mkdir(parents=True, exist_ok=True)
            model = trainer.engine.model
            with trainer.engine.average.swapped(), evaluating(model) as state:
                logits = trainer.engine.peers.predict(
                    model,
                    windows,
                    precision=self.ready.bound.protocol.precision,
                    progress=partial(trainer.evaluated, stage),
                )
                with writing_folder(target, target.with_name(f".{target.name}")) as folder:
                    save_model(model, state, self.ready.folder, folder / "model")
                    np.save(folder / LOGITS, np.stack(logits))
                    write_checksums(folder)
            self.paces.append(trainer.pace.windows_per_second)

        bench = self.bench.without_fold(fold)
        try:
            Trainer(self.job, bench, self._emit_of(fold), self.points, keep, every=True).run()
        except OutOfTimeError as error:
            raise OutOfTimeError(f"fold {fold + 1} of {self.folds.count}: {error}") from error

    def _rows(self, fold: int) -> np.ndarray:
        """Public windows that belong to a fold."""
        documents = [name for name, number in self.folds.fold_of.items() if number == fold]
        found: np.ndarray = np.flatnonzero(
            about(self.ready.public, self.bench.public, set(documents))
        )
        return found

    def _emit_of(self, fold: int) -> Emit:
        """One run's messages as parts of the whole: its card once, its end not at all."""
        begin = time.perf_counter()

        def emit(message: Message) -> None:
            match message:
                case Progress(left=left):
                    whole = time.perf_counter() - begin + left
                    message = replace(message, left=left + whole * (self.folds.count - 1 - fold))
                case TrialFinished(trained_steps=trained, reused_steps=reused):
                    self.trained, self.reused = self.trained + trained, self.reused + reused
                    return
                case RecipeCard() if fold:
                    message = Note(self.job.trial, f"fold {fold + 1} of {self.folds.count} begins")
            self.emit(message)

        return emit

    def combine(self, point: float) -> None:
        """Makes a candidate of what all folds have at a point of the run."""
        parts = [self._folder(number, point) for number in range(self.folds.count)]
        paces = [pace for pace in self.paces if np.isfinite(pace)]
        unscored = unscored_candidate(
            self.job,
            self.ready,
            fraction=point,
            seconds=time.perf_counter() - self.begin,
            windows_per_second=float(np.mean(paces)) if paces else float("nan"),
        )
        with RunFolder(self.job.run_folder).writing_candidate(unscored.id, self.job.row) as folder:
            average_models([part / "model" for part in parts], folder / "model")
            predictions = self._predictions(parts, folder / "model")
            record = write_results(folder, unscored, predictions, self.ready, self.bench.public)
        self.emit(SnapshotTaken(self.job.trial, record))

    def _predictions(self, parts: Sequence[Path], model: Path) -> Predictions:
        """Public logits of the models without a question's document, private ones of the mean."""
        public = tuple(np.zeros(len(self.ready.public.input_ids), np.float32) for _ in range(2))
        for number, part in enumerate(parts):
            rows, bounds = self._rows(number), self.ready.public.bounds
            where = np.concatenate([np.arange(bounds[row], bounds[row + 1]) for row in rows])
            for side, logits in zip(public, np.load(part / LOGITS), strict=True):
                side[where] = logits
        precision = self.ready.bound.protocol.precision
        begin = time.perf_counter()
        private = predict(
            load_for_inference(model),
            self.ready.private,
            precision=precision,
            progress=lambda done, total: self.emit(
                Progress(self.job.trial, "evaluating", step=done, steps=total)
            ),
        )
        seconds = time.perf_counter() - begin
        # The mean is not asked about the public part, whose documents it was trained on.
        share = len(self.ready.public.input_ids) / max(1, len(self.ready.private.input_ids))
        start, end = public
        return Predictions((start, end), private, seconds * share)

    def finish(self) -> None:
        """Says that the run is over."""
        self.emit(
            TrialFinished(
                self.job.trial,
                time.perf_counter() - self.begin,
                trained_steps=self.trained,
                reused_steps=self.reused,
            )
        )
