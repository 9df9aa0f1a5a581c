"""The same data and the same runs, written down for the practice and as a study."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from autoqa_backbones.minilm import MiniLMOptions, prepare
from transformers import AutoTokenizer, BertConfig, BertForQuestionAnswering

from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.types import Example

from .texts import backbone_folder, paragraphs

LENGTH, STRIDE, BATCH = 384, 128, 8

STUDY = """
name = "{name}"
[sources.train]
type = "file"
path = "{folder}/train.jsonl"
language = "en"
[sources.exam]
type = "file"
path = "{folder}/exam.jsonl"
language = "en"
[backbones.it]
{backbone}
[backbones.it.protocol]
learning_rate = 2e-4
batch_size = {batch}
warmup_ratio = 0.1
weight_decay = 0.0
length = {length}
stride = {stride}
head_multiplier = 1.0
freeze_embeddings = false
dropout = 0.1
precision = "fp32"
[recipe]
learning_rate = 4.0
portions = [{{ source = "train", share = [1.0, 0.5] }}]
[validation]
source = "exam"
public = 0.5
[search]
trials = {trials}
snapshots = [1.0]
"""

POINT = """
[[search.enqueue]]
backbone = "it"
learning_rate = {learning_rate}
train.share = {share}
"""


@dataclass(frozen=True)
class Data:
    """Rows of one comparison, in one JSON file for the practice and as JSON Lines for autoqa.

    Attributes:
        folder: Where they lie.
        train: Rows to train on, each of exactly one window.
        exam: Rows of other articles.
    """

    folder: Path
    train: Sequence[Example]
    exam: Sequence[Example]

    def study(self, name: str, backbone: str, points: Sequence[tuple[float, float]] = ()) -> Path:
        """Writes a study file that trains like the practice.

        Args:
            name: The study's name and, with an ending, the file's.
            backbone: Lines of the backbone's table.
            points: Learning rate and share of the rows of each trial; the first must be the
                protocol's own, which every search begins with.
        """
        text = STUDY.format(
            name=name,
            folder=self.folder,
            backbone=backbone,
            batch=BATCH,
            length=LENGTH,
            stride=STRIDE,
            trials=max(1, len(points)),
        )
        text += "".join(POINT.format(learning_rate=r, share=s) for r, s in points[1:])
        path = self.folder / f"{name}.toml"
        path.write_text(text, encoding="utf-8")
        return path

    def job(self, model: Path, name: str, rate: float, share: float) -> dict[str, Any]:
        """The same as a job for the practice, see :func:`.practice.run`."""
        return {
            "model": str(model),
            "folder": str(self.folder / name),
            "train": str(self.folder / "train.json"),
            "exam": str(self.folder / "exam.json"),
            "rows": round(share * len(self.train)),
            "learning_rate": rate,
            "seed": 0,
            "length": LENGTH,
            "stride": STRIDE,
            "batch_size": BATCH,
        }

    def jobs(self, name: str, jobs: Sequence[dict[str, Any]]) -> Path:
        """Writes jobs of one process."""
        path = self.folder / f"{name}.jobs.json"
        path.write_text(json.dumps(jobs), encoding="utf-8")
        return path


def make_data(folder: Path, train: int, exam: int) -> Data:
    """Takes questions about short paragraphs, every second article for each side."""
    examples = paragraphs()
    windows = cut(encode(QATokenizer.from_folder(backbone_folder()), examples), LENGTH, STRIDE)
    once = np.bincount(windows.example, minlength=len(examples)) == 1
    short = [example for example, single in zip(examples, once, strict=True) if single]
    articles = list(dict.fromkeys(example.document for example in short))
    taught = set(articles[::2])
    sides = {
        "train": _spread([e for e in short if e.document in taught], train),
        "exam": _spread([e for e in short if e.document not in taught], exam),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in sides.items():
        flat = [_flat(row) for row in rows]
        (folder / f"{name}.json").write_text(json.dumps({"data": flat}), encoding="utf-8")
        lines = "".join(json.dumps(row) + "\n" for row in flat)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return Data(folder, sides["train"], sides["exam"])


def minilm(cache: Path) -> Path:
    """all-MiniLM-L6-v2 as a folder for span models, the one that both sides start from."""
    return prepare(MiniLMOptions(), cache)


def tiny_model(folder: Path, cache: Path) -> Path:
    """Two layers of 64 with MiniLM's tokenizer: it loads at once, so what is left is overhead."""
    tokenizer = AutoTokenizer.from_pretrained(minilm(cache))
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _spread(rows: Sequence[Example], count: int) -> list[Example]:
    return [rows[place] for place in np.linspace(0, len(rows) - 1, count).astype(int)]


def _flat(row: Example) -> dict[str, Any]:
    answers = row.answers
    return {
        "id": row.id,
        "title": row.document,
        "context": row.context,
        "question": row.question,
        "answers": {
            "text": [a.text for a in answers],
            "answer_start": [a.start for a in answers],
        },
    }
