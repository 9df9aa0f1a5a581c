"""A point of a run becomes a candidate: weights, predictions of both parts, public scores."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from autoqa.features.windows import Windows
from autoqa.leaderboard.bootstrap import interval
from autoqa.modeling.forward import predict
from autoqa.modeling.load import rounded_state, save_model
from autoqa.modeling.packing import SpanModel
from autoqa.store.records import CandidateRecord
from autoqa.text.decode import best_spans
from autoqa.text.metrics import score
from autoqa.training.job import TrialJob
from autoqa.training.workbench import ReadyBackbone
from autoqa.types import Example

Logits = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]


def answers(logits: Logits, windows: Windows, examples: tuple[Example, ...]) -> list[str]:
    """The best span's text per example; empty where there is none."""
    spans = best_spans(*logits, windows, [e.context for e in examples], n_best=1)
    return [found[0].text if found else "" for found in spans]


def take_snapshot(
    model: SpanModel,
    job: TrialJob,
    ready: ReadyBackbone,
    examples: tuple[Example, ...],
    *,
    fraction: float,
    seconds: float,
    windows_per_second: float,
    progress: Callable[[int, int], None],
) -> CandidateRecord:
    """Saves, predicts and scores the model as it stands; training can go on afterwards.

    The weights are stored in half precision, so they are rounded before they are evaluated:
    stored predictions are those of the stored model. Full precision is restored at the end.
    """
    state = rounded_state(model)
    full = {name: tensor.detach().clone() for name, tensor in model.inner.state_dict().items()}
    model.inner.load_state_dict(state)
    model.eval()
    try:
        begin = time.perf_counter()
        precision = ready.bound.protocol.precision
        public = predict(model, ready.public, precision=precision, progress=progress)
        inference_seconds = time.perf_counter() - begin
        private = predict(model, ready.private, precision=precision, progress=progress)
    finally:
        model.inner.load_state_dict(full)
        model.train()
    scores = score(answers(public, ready.public, examples), examples)
    mean = scores.mean()
    spread = interval(scores.jaccard, [e.document for e in examples])
    record = CandidateRecord(
        id=f"t{job.trial:04d}-{round(fraction * 100):03d}",
        trial=job.trial,
        fraction=fraction,
        backbone=job.backbone,
        group=ready.group,
        recipe_hash=job.recipe.hash,
        recipe=asdict(job.recipe),
        learning_rate=job.learning_rate,
        seed=job.seed,
        jaccard=mean["jaccard"],
        em=mean["em"],
        f1=mean["f1"],
        jaccard_half_width=(spread.high - spread.low) / 2,
        jaccard_by_language={
            language: values["jaccard"] for language, values in scores.by_language(examples).items()
        },
        windows_per_second=windows_per_second,
        seconds=seconds,
        inference_seconds=inference_seconds,
        licence=ready.bound.spec.licence(ready.bound.options),
    )
    folder = job.run_folder / "candidates" / record.id
    partial = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    _write(partial, model, state, ready.folder, public, private, record)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return record


def _write(
    folder: Path,
    model: SpanModel,
    state: dict[str, "object"],
    tokenizer_folder: Path,
    public: Logits,
    private: Logits,
    record: CandidateRecord,
) -> None:
    (folder / "sealed").mkdir(parents=True)
    save_file({"start": public[0], "end": public[1]}, folder / "public.safetensors")
    save_file({"start": private[0], "end": private[1]}, folder / "sealed" / "private.safetensors")
    save_model(model, state, tokenizer_folder, folder / "model")
    text = json.dumps(asdict(record), indent=2, ensure_ascii=False)
    (folder / "candidate.json").write_text(text + "\n", encoding="utf-8")
