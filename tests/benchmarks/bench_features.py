"""Examples to training windows with labels.

The practice is the question-answering example of transformers: the fast tokenizer with
overflowing tokens, a Python loop for the labels, all inside ``datasets.map``. It is spared its
padding, which would only make it slower, and its index walk stops at the end of the context.
About five questions share each context in both benchmarks; where every context had one question
only, the ratios would be smaller.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, disable_progress_bars
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Example

from .harness import compare
from .texts import articles, backbone_folder, paragraphs

LENGTH, STRIDE = 384, 128


def prepare_as_run_qa(tokenizer: PreTrainedTokenizerBase, rows: dict[str, list[Any]]) -> Any:
    made = tokenizer(
        [question.lstrip() for question in rows["question"]],
        rows["context"],
        truncation="only_second",
        max_length=LENGTH,
        stride=STRIDE,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    samples = made.pop("overflow_to_sample_mapping")
    made["start_positions"], made["end_positions"] = [], []
    for window, offsets in enumerate(made.pop("offset_mapping")):
        ids = made["input_ids"][window]
        sides = made.sequence_ids(window)
        answer = rows["answers"][samples[window]]
        start = answer["answer_start"][0]
        end = start + len(answer["text"][0])
        first = sides.index(1)
        last = len(ids) - 1
        while sides[last] != 1:
            last -= 1
        if not (offsets[first][0] <= start and offsets[last][1] >= end):
            made["start_positions"].append(0)
            made["end_positions"].append(0)
            continue
        while first < len(offsets) and offsets[first][0] <= start and sides[first] == 1:
            first += 1
        while offsets[last][1] >= end:
            last -= 1
        made["start_positions"].append(first - 1)
        made["end_positions"].append(last + 1)
    return made


def same(theirs: Dataset, ours: Windows) -> bool:
    labels = np.stack([theirs["start_positions"][:], theirs["end_positions"][:]], axis=1)
    ids = np.concatenate([np.asarray(row) for row in theirs["input_ids"][:]])
    types = np.concatenate([np.asarray(row) for row in theirs["token_type_ids"][:]])
    return (
        np.array_equal(ids, ours.input_ids)
        and np.array_equal(types, ours.type_ids)
        and np.array_equal(labels, ours.label)
    )


@pytest.mark.parametrize("name, examples", [("short", paragraphs()), ("long", articles())])
def test_features(name: str, examples: Sequence[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    disable_progress_bars()
    folder = backbone_folder()
    theirs = AutoTokenizer.from_pretrained(folder)
    ours = QATokenizer.from_folder(folder)
    data = Dataset.from_list(
        [
            {
                "id": example.id,
                "question": example.question,
                "context": example.context,
                "answers": {
                    "text": [a.text for a in example.answers],
                    "answer_start": [a.start for a in example.answers],
                },
            }
            for example in examples
        ]
    )
    compare(
        f"features_{name}",
        lambda: data.map(
            lambda rows: prepare_as_run_qa(theirs, rows),
            batched=True,
            remove_columns=data.column_names,
            load_from_cache_file=False,
            new_fingerprint="bench",
        ),
        lambda: cut(encode(ours, examples), LENGTH, STRIDE),
        rounds=5,
        unit="windows/s",
        equal=same,
        amount=len,
    )
