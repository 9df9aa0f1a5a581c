"""The mean of several candidates' weights becomes a candidate, predicted and scored as others."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from autoqa.arrays import Floats
from autoqa.decoding.decoder import SpanDecoder
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.own_none import own_answers, own_cut
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.modeling.model import SpanModel
from autoqa.modeling.soup import average_models
from autoqa.scores.metrics import score_by
from autoqa.store.artifacts import Artifacts
from autoqa.store.candidate_record import CandidateRecord, group_alone, soup_hash, soup_id
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.store.weight_quota import whole_model
from autoqa.training.jobs import SoupJob
from autoqa.training.messages import Emit, Progress, SnapshotTaken, SoupTried, TrialFinished
from autoqa.training.snapshot import predict_parts, write_results
from autoqa.training.workbench import ReadyBackbone, Workbench
from autoqa.types import ProgressCallback


def make_soup(job: SoupJob, bench: Workbench, emit: Emit) -> None:
    """Averages weights and sends the candidate that they make, or only its public score.

    What is predicted with are the weights as they are stored, read back from the file.

    Args:
        job: Whose weights.
        bench: What this worker has made already.
        emit: Takes the messages to the parent.

    Raises:
        DataError: An ingredient's weights cannot be read, are damaged, or are of another
            architecture.
        MissingAssetError: The backbone is not on this machine.
    """
    begin = time.perf_counter()
    report = _reporter(job, emit)
    emit(Progress(job.trial, "averaging"))
    ready = bench.backbone(job.backbone)
    folder = RunFolder(job.run_folder)
    files = Artifacts.of(folder, bench.bound.study.search.files)
    if files is not None:
        files.bring_weights(record.id for record in job.ingredients)
    if job.kept:
        unscored = unscored_soup(job.ingredients)
        with folder.writing_candidate(unscored.id) as partial:
            model = _average(job, folder, partial / "model")
            predictions = predict_parts(model, ready, report)
            if bench.data.folds is not None:
                predictions = replace(predictions, public=_mean_public(job, folder))
            record = write_results(partial, unscored, predictions, ready, bench.public)
        emit(SnapshotTaken(job.trial, record))
    else:
        if bench.data.folds is not None:
            logits = _mean_public(job, folder)
        else:
            logits = _asked(job, folder, ready, report)
        decoder = SpanDecoder(ready.public, [example.context for example in bench.public])
        spans = decoder.best(*logits)
        cut = own_cut(decoder, logits, bench.public, ready.metric, spans=spans)
        answers = [span.text for span in own_answers(decoder, logits, cut, spans=spans)]
        reached = score_by(ready.metric, answers, bench.public)
        emit(SoupTried(job.trial, job.id, float(reached.mean())))
    emit(TrialFinished(job.trial, time.perf_counter() - begin))


def _average(job: SoupJob, folder: RunFolder, target: Path) -> SpanModel:
    """Writes a model folder with the mean of the ingredients' weights, and loads it."""
    average_models([whole_model(folder, record.id) for record in job.ingredients], target)
    return load_for_inference(target)


def _asked(
    job: SoupJob, folder: RunFolder, ready: ReadyBackbone, report: ProgressCallback
) -> tuple[Floats, Floats]:
    """Public logits of a soup that is not kept."""
    with TemporaryDirectory(dir=folder.candidates, prefix=".tried-") as scratch:
        model = _average(job, folder, Path(scratch) / "model")
        precision = ready.bound.protocol.precision
        return predict(model, ready.public, precision=precision, progress=report)


def _mean_public(job: SoupJob, folder: RunFolder) -> tuple[Floats, Floats]:
    """Mean of the ingredients' public logits, which stands for the soup's in a study with folds.

    The soup itself was trained on those documents. Each ingredient's logits were not, and near
    weights' mean answers nearly as their mean of logits (Wortsman et al., section 4). Of models
    that generate, it is the mean of probabilities: what one of them did not come across is not
    ruled out by that.
    """
    logits = [load_logits(folder, record.id, "public") for record in job.ingredients]
    if not job.ingredients[0].generates:
        return blend(logits)
    start, end = (
        (np.logaddexp.reduce(side, dtype=np.float64) - np.log(len(side))).astype(np.float32)
        for side in map(np.stack, zip(*logits, strict=True))
    )
    return start, end


def _reporter(job: SoupJob, emit: Emit) -> ProgressCallback:
    return lambda done, total: emit(Progress(job.trial, "evaluating", step=done, steps=total))


def unscored_soup(ingredients: Sequence[CandidateRecord]) -> CandidateRecord:
    """The record of a soup without scores, which has what its ingredients have in common.

    Args:
        ingredients: In the order of :func:`autoqa.store.candidate_record.in_time`.
    """
    names = tuple(record.id for record in ingredients)
    seconds: dict[int, float] = {}
    for record in ingredients:
        seconds[record.trial] = max(record.seconds, seconds.get(record.trial, 0.0))
    stages = {
        json.dumps(stage, sort_keys=True): stage
        for record in ingredients
        for stage in record.recipe["stages"]
    }
    latest = ingredients[-1]
    name = soup_id(latest.backbone, names)
    return replace(
        latest,
        id=name,
        group=group_alone(latest.windows, name) if latest.generates else latest.group,
        fraction=1.0,
        recipe_hash=soup_hash(names),
        recipe={**latest.recipe, "stages": list(stages.values())},
        scores={},
        by_language={},
        half_width=None,
        inference_seconds=float("nan"),
        seconds=sum(seconds.values()),
        ingredients=names,
    )
