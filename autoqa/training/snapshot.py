"""A point of a run becomes a candidate: weights, predictions of both parts, public scores."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from autoqa.arrays import Floats
from autoqa.decoding.decoder import SpanDecoder
from autoqa.ensemble.joining.own_none import own_answers, own_cut
from autoqa.modeling.forward import predict
from autoqa.modeling.load import holding, rounded_state, save_model
from autoqa.modeling.model import SpanModel
from autoqa.parallel.peers import Predict
from autoqa.scores.bootstrap import interval
from autoqa.scores.metrics import score
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import write_logits
from autoqa.store.run_folder import RECORD, RunFolder
from autoqa.training.jobs import TrialJob
from autoqa.training.workbench import ReadyBackbone
from autoqa.types import Example, ProgressCallback, Span

LogitType = type[np.float16] | type[np.float32]

_LARGEST = float(np.finfo(np.float16).max) / 2
"""The private part is stored as the public one decides, and may hold somewhat larger logits."""


def take_snapshot(
    model: SpanModel,
    job: TrialJob,
    ready: ReadyBackbone,
    examples: tuple[Example, ...],
    *,
    fraction: float,
    seconds: float,
    windows_per_second: float,
    progress: ProgressCallback,
    ask: Predict = predict,
) -> CandidateRecord:
    """Saves, predicts and scores the model as it stands; training can go on afterwards.

    The weights are stored in half precision, so they are rounded before they are evaluated:
    stored predictions are those of the stored model. Full precision is restored at the end.
    """
    unscored = unscored_candidate(
        job,
        ready,
        fraction=fraction,
        seconds=seconds,
        windows_per_second=windows_per_second,
    )
    with evaluating(model) as state:
        predictions = predict_parts(model, ready, progress, ask)
    with RunFolder(job.run_folder).writing_candidate(unscored.id, job.row) as folder:
        save_model(model, state, ready.folder, folder / "model")
        return write_results(folder, unscored, predictions, ready, examples)


@contextmanager
def evaluating(model: SpanModel) -> Iterator[dict[str, torch.Tensor]]:
    """A model in training as it will be stored; its weights in full precision come back after.

    Yields:
        The rounded weights.
    """
    state = rounded_state(model)
    with holding(model, state):
        yield state


def unscored_candidate(
    job: TrialJob,
    ready: ReadyBackbone,
    *,
    fraction: float,
    seconds: float,
    windows_per_second: float,
) -> CandidateRecord:
    """The record of a point of a run, without scores and seconds of inference."""
    name = job.candidate_id(fraction)
    return CandidateRecord(
        id=name,
        trial=job.trial,
        fraction=fraction,
        backbone=job.backbone,
        group=ready.group_of(name),
        recipe_hash=job.recipe_hash,
        recipe=job.run.recipe.to_dict(),
        learning_rate=job.run.learning_rate,
        seed=job.run.seed,
        scores={},
        by_language={},
        windows_per_second=windows_per_second,
        seconds=seconds,
        inference_seconds=float("nan"),
        licence=ready.bound.spec.licence(ready.bound.options),
        teachers=job.taught_by,
        begins_with=job.run.begins_with,
        metric=ready.metric,
    )


@dataclass(frozen=True, slots=True)
class Predictions:
    """A model's start and end logits for both parts, float32 ``[T]`` each.

    Attributes:
        public: Of the public part's windows.
        private: Of the private part's.
        seconds: Time that the public part took.
    """

    public: tuple[Floats, Floats]
    private: tuple[Floats, Floats]
    seconds: float


def predict_parts(
    model: SpanModel, ready: ReadyBackbone, progress: ProgressCallback, ask: Predict = predict
) -> Predictions:
    """Asks a model in evaluation mode about all validation windows of its backbone.

    Args:
        model: In evaluation mode.
        ready: Its backbone.
        progress: Called with windows done and windows in all.
        ask: What does; a run on several devices has them all predict.
    """
    precision = ready.bound.protocol.precision
    begin = time.perf_counter()
    public = ask(model, ready.public, precision=precision, progress=progress)
    seconds = time.perf_counter() - begin
    private = ask(model, ready.private, precision=precision, progress=progress)
    return Predictions(public, private, seconds)


def write_results(
    folder: Path,
    unscored: CandidateRecord,
    predictions: Predictions,
    ready: ReadyBackbone,
    examples: tuple[Example, ...],
) -> CandidateRecord:
    """Scores the public part; writes the predictions of both and the record beside the weights.

    Args:
        folder: What :meth:`autoqa.store.run_folder.RunFolder.writing_candidate` gives.
        unscored: The candidate without scores and seconds of inference.
        predictions: Of the weights that are stored.
        ready: The candidate's backbone.
        examples: The public part.

    Returns:
        The record with scores and seconds.
    """
    decoder = SpanDecoder(ready.public, [e.context for e in examples])
    spans = decoder.best(*predictions.public)
    precise = smallest_type(decoder, *predictions.public, spans)
    cut = own_cut(decoder, predictions.public, examples, unscored.metric, spans=spans)
    answers = own_answers(decoder, predictions.public, cut, spans=spans)
    scores = score([span.text for span in answers], examples)
    spread = interval(scores.by_metric[unscored.metric], [example.document for example in examples])
    record = replace(
        unscored,
        scores=scores.mean(),
        half_width=spread.half_width,
        by_language=scores.by_language(examples, unscored.metric),
        inference_seconds=predictions.seconds,
    )
    write_logits(folder, "public", *predictions.public, precise)
    write_logits(folder, "private", *predictions.private, precise)
    (folder / RECORD).write_text(record.as_text(), encoding="utf-8")
    return record


def smallest_type(
    decoder: SpanDecoder,
    start: Floats,
    end: Floats,
    answers: Sequence[Span],
) -> LogitType:
    """Half precision where it changes no answer, else single precision.

    Half precision takes half the room, but two spans that score nearly the same may change places,
    and logits beyond 65,504 find no place in it.

    Args:
        decoder: Decodes the windows that the logits belong to.
        start: Start logits ``[T]``.
        end: End logits ``[T]``.
        answers: What ``decoder.best`` makes of them.
    """
    if max(np.abs(side).max(initial=0.0) for side in (start, end)) > _LARGEST:
        return np.float32
    again = decoder.best(start.astype(np.float16), end.astype(np.float16))
    same = all((a.start, a.end) == (b.start, b.end) for a, b in zip(answers, again, strict=True))
    return np.float16 if same else np.float32
