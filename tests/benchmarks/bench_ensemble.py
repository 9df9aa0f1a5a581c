"""A bundle of two groups answers questions: time against the practice, and memory.

The bundle has four members: twice multilingual-e5-small and twice all-MiniLM-L6-v2, pretrained
encoders with heads drawn at random. The practice loads each model and sends the windows through it
in the given order, in batches of eight padded to 384 tokens, as ``Trainer.predict`` does; it is
given the windows and has the padding taken off its logits, then the same function joins them.
autoqa's side is ``Ensemble.predict``: tokenizing, cutting, loading, all. Both compute in single
precision, and must give the same answers.

Memory is that of a process of its own, see :mod:`.memory`: the most that was resident, less what
was resident after importing, must stay below the largest member (its weights in single precision)
and 1 GiB. Once with the same bundle; once with small models and contexts of 60,000 characters,
which make several blocks.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import pytest
import torch
from autoqa_backbones.e5 import E5Options
from autoqa_backbones.e5 import prepare as prepare_e5
from transformers import AutoModelForQuestionAnswering

from autoqa.api import TrainingProtocol
from autoqa.bundle.batching import cut_rows
from autoqa.bundle.entries import GroupEntry, MemberEntry
from autoqa.bundle.input_rows import Row
from autoqa.bundle.manifest import Manifest
from autoqa.bundle.predictor import Ensemble, Prediction, load
from autoqa.ensemble.joining.join import join_spans
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.env import cache_folder
from autoqa.export.write import BundlePlan, write_bundle
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.load import rounded_state, save_model
from autoqa.modeling.training_setup import load_for_training
from autoqa.scores.summary import ScoreEntry
from autoqa.types import Span

from .bench_inference import padded_tensors, predict_padded
from .harness import compare
from .studies import LENGTH, STRIDE, minilm, tiny_model
from .texts import paragraphs

QUESTIONS = 40
"""Enough for a stable ratio; the practice takes half a minute for them on two idle cores."""
LONG = 200
SCORE = ScoreEntry(jaccard=0.5, low=0.4, high=0.6, em=0.5, f1=0.5, questions=1)


def make_bundle(target: Path, backbones: dict[str, Path], heads: int) -> Manifest:
    """Writes a bundle with some heads of each backbone, which all have the same seats."""
    members, groups, models = [], [], {}
    for name, folder in backbones.items():
        key = f"{QATokenizer.from_folder(folder).key}-{LENGTH}-{STRIDE}"
        groups.append(GroupEntry(id=key, folder=f"tokenizers/{key}", length=LENGTH, stride=STRIDE))
        for seed in range(heads):
            one = f"{name}-{seed}"
            models[one] = target.parent / one
            model = load_for_training(folder, TrainingProtocol(), seed=seed, device="cpu")
            save_model(model, rounded_state(model), folder, models[one])
            members.append(
                MemberEntry(
                    id=one,
                    backbone=name,
                    group=key,
                    weight=1,
                    folder=f"members/{one}",
                    precision="fp32",
                    licence="see the package",
                    trial=seed,
                    fraction=1,
                    learning_rate=1e-4,
                    seed=seed,
                    recipe={},
                    public=SCORE,
                )
            )
    plan = BundlePlan(
        study="bench",
        members=tuple(members),
        groups=tuple(groups),
        ensemble=EnsemblePlan([entry.member for entry in members], groups[0].id),
        max_answer_tokens=30,
        public=SCORE,
        private=SCORE,
        openings=1,
        models=models,
    )
    return write_bundle(plan, target)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("ensemble") / "bundle"
    cache = cache_folder()
    backbones = {"e5": prepare_e5(E5Options(), cache), "minilm": minilm(cache)}
    make_bundle(target, backbones, heads=2)
    return target


def practice(bundle: Path, ensemble: Ensemble, rows: Sequence[Row]) -> list[Span]:
    """Each model in turn, padded batches in order; then the same vote."""
    manifest, windows = ensemble.manifest, windows_of(ensemble, rows)
    tensors = {group: padded_tensors(own) for group, own in windows.items()}
    logits = {}
    for member in manifest.members:
        model = AutoModelForQuestionAnswering.from_pretrained(
            bundle / member.folder, dtype=torch.float32
        ).eval()
        inside = tensors[member.group]["attention_mask"].numpy() > 0
        start, end = predict_padded(model, tensors[member.group])
        logits[member.id] = start[inside], end[inside]
    return join_spans(manifest.plan, logits, windows, rows)


def windows_of(ensemble: Ensemble, rows: Sequence[Row]) -> dict[str, Windows]:
    return cut_rows(
        rows, ensemble.manifest.groups, ensemble._tokenizers, ensemble.max_answer_tokens
    )


def same(theirs: list[Span], ours: list[Prediction]) -> bool:
    return [(one.text, one.start, one.end) for one in theirs] == [
        (one.answer, one.start, one.end) for one in ours
    ]


def test_infer_ensemble(bundle: Path) -> None:
    examples = paragraphs()
    chosen = examples[:: len(examples) // QUESTIONS][:QUESTIONS]
    rows = [Row(e.id, e.question, e.context) for e in chosen]
    ensemble = load(bundle, device="cpu")
    compare(
        "infer_ensemble",
        lambda: practice(bundle, ensemble, rows),
        lambda: ensemble.predict(rows),
        rounds=2,
        unit="questions/s",
        equal=same,
        amount=len,
    )


def measure(bundle: Path, rows: Sequence[dict[str, str]], folder: Path) -> tuple[float, float]:
    """MiB beyond imports that answering needs at most, and MiB of the largest member."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.memory", str(bundle), str(file)],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert found["answers"] == len(rows)
    files = (bundle / "members").glob("*/model.safetensors")
    largest = 2 * max(path.stat().st_size for path in files) / 2**20  # files: half precision
    used = found["peak"] - found["imports"]
    print(f"\n{len(rows)} rows: {used:.0f} MiB beyond imports, largest member {largest:.0f} MiB")
    return used, largest


def test_memory_of_the_same_bundle(bundle: Path, tmp_path: Path) -> None:
    rows = [{"question": e.question, "context": e.context} for e in paragraphs()[:8]]
    used, largest = measure(bundle, rows, tmp_path)
    assert used <= largest + 1024


def test_memory_with_long_contexts(tmp_path: Path) -> None:
    cache = cache_folder()
    backbone = tiny_model(tmp_path / "tiny", cache)
    make_bundle(tmp_path / "bundle", {"tiny": backbone}, heads=2)
    examples = paragraphs()
    texts = cycle(dict.fromkeys(e.context for e in examples))
    rows = [
        {"question": e.question, "context": "\n".join(islice(texts, 90))[:60_000]}
        for e in examples[:LONG]
    ]
    used, largest = measure(tmp_path / "bundle", rows, tmp_path)
    assert used <= largest + 1024
