"""One fine-tuning run the way it is usually done, out of the libraries' own calls.

Rows go through ``datasets.map`` with the fast tokenizer (overflowing tokens, padded to the window
length), transformers' Trainer fine-tunes and predicts, and the n-best procedure that SQuAD scripts
share turns logits into answers. Nothing of autoqa is used here.

``python -m tests.benchmarks.practice JOBS`` runs the jobs of a JSON file one after another in one
process.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, disable_progress_bars, load_dataset
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)
from transformers.utils import logging

from .first_step import end_at_first_step

Columns = dict[str, list[Any]]

N_BEST, LONGEST_ANSWER = 20, 30


def windows_of(
    tokenizer: PreTrainedTokenizerBase, rows: Columns, length: int, stride: int
) -> tuple[Any, list[int]]:
    """Padded windows of (question, context) pairs, and the row that each was cut from."""
    made = tokenizer(
        [question.lstrip() for question in rows["question"]],
        rows["context"],
        truncation="only_second",
        max_length=length,
        stride=stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        padding="max_length",
    )
    return made, made.pop("overflow_to_sample_mapping")


def with_labels(tokenizer: PreTrainedTokenizerBase, rows: Columns, length: int, stride: int) -> Any:
    """Training features: first and last answer token, or (0, 0) where the window lacks it."""
    made, origin = windows_of(tokenizer, rows, length, stride)
    made["start_positions"], made["end_positions"] = [], []
    for window, offsets in enumerate(made.pop("offset_mapping")):
        sides = made.sequence_ids(window)
        answer = rows["answers"][origin[window]]
        begin = answer["answer_start"][0]
        end = begin + len(answer["text"][0])
        first = sides.index(1)
        last = len(sides) - 1 - sides[::-1].index(1)
        if begin < offsets[first][0] or end > offsets[last][1]:
            first = last = 0
        else:
            while first < last and offsets[first + 1][0] <= begin:
                first += 1
            while last > first and offsets[last - 1][1] >= end:
                last -= 1
        made["start_positions"].append(first)
        made["end_positions"].append(last)
    return made


def with_origin(tokenizer: PreTrainedTokenizerBase, rows: Columns, length: int, stride: int) -> Any:
    """Evaluation features: the question's id, and offsets of context tokens only."""
    made, origin = windows_of(tokenizer, rows, length, stride)
    made["example_id"] = [rows["id"][row] for row in origin]
    made["offset_mapping"] = [
        [pair if side == 1 else None for pair, side in zip(offsets, sides, strict=True)]
        for window, offsets in enumerate(made["offset_mapping"])
        for sides in [made.sequence_ids(window)]
    ]
    return made


def n_best_answers(
    rows: Dataset, features: Dataset, logits: tuple[np.ndarray, np.ndarray]
) -> dict[str, str]:
    """The best answer per question id among spans of the likeliest starts and ends."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(features["example_id"]):
        places.setdefault(name, []).append(place)
    answers: dict[str, str] = {}
    for row in rows:
        found: list[dict[str, Any]] = []
        for place in places[row["id"]]:
            start, end = logits[0][place], logits[1][place]
            offsets = features[place]["offset_mapping"]
            for first in np.argsort(start)[-1 : -N_BEST - 1 : -1].tolist():
                for last in np.argsort(end)[-1 : -N_BEST - 1 : -1].tolist():
                    if not first <= last < first + LONGEST_ANSWER:
                        continue
                    if offsets[first] is None or offsets[last] is None:
                        continue
                    span = (offsets[first][0], offsets[last][1])
                    found.append({"span": span, "score": float(start[first] + end[last])})
        found = sorted(found, key=lambda each: each["score"], reverse=True)[:N_BEST]
        scores = np.array([each["score"] for each in found])
        shares = np.exp(scores - scores.max()) if len(found) else scores
        for each, share in zip(found, shares / shares.sum(), strict=True):
            each["text"] = row["context"][slice(*each.pop("span"))]
            each["probability"] = float(share)
        answers[row["id"]] = found[0]["text"] if found else ""
    return answers


def run(job: dict[str, Any]) -> None:
    """Trains, predicts, and writes ``result.json`` below the job's folder.

    Args:
        job: ``model`` and ``folder`` (paths), ``train`` and ``exam`` (files of rows), ``rows``
            (how many of the training file), ``learning_rate``, ``seed``, ``length``, ``stride``,
            ``batch_size``; with ``stop`` the process ends where training would begin.
    """
    if job.get("stop"):
        end_at_first_step()
    set_seed(job["seed"])
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    model = AutoModelForQuestionAnswering.from_pretrained(job["model"])
    data = load_dataset("json", data_files={k: job[k] for k in ("train", "exam")}, field="data")
    cut = {"length": job["length"], "stride": job["stride"]}

    def mapped(rows: Dataset, prepare: Any) -> Dataset:
        return rows.map(
            lambda batch: prepare(tokenizer, batch, **cut),
            batched=True,
            remove_columns=rows.column_names,
        )

    train = mapped(data["train"].select(range(job["rows"])), with_labels)
    exam = mapped(data["exam"], with_origin)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=job["folder"],
            num_train_epochs=1,
            per_device_train_batch_size=job["batch_size"],
            per_device_eval_batch_size=job["batch_size"],
            learning_rate=job["learning_rate"],
            warmup_steps=0.1,
            seed=job["seed"],
            use_cpu=True,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=train,
        processing_class=tokenizer,
        data_collator=default_data_collator,
    )
    trainer.train()
    trainer.save_model()
    logits = trainer.predict(exam).predictions
    answers = n_best_answers(data["exam"], exam, logits)
    result = {"windows": len(train), "answers": answers}
    Path(job["folder"], "result.json").write_text(json.dumps(result), encoding="utf-8")


def main() -> None:
    disable_progress_bars()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    for job in json.loads(Path(sys.argv[1]).read_text("utf-8")):
        run(job)


if __name__ == "__main__":
    main()
