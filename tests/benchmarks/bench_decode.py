"""Logits to answers and lists of the n best.

Both get the same logits of the same windows. What both define is compared: the places of the n
best different spans, in order, and the best answer. Three things differ by design, and the
comparison takes them into account:

- The practice pairs the best twenty starts and ends of a window only, and sums in single
  precision; autoqa searches all spans, exactly. Timed is the published grid of twenty. Lists must
  be equal to those of the practice when it pairs all starts and ends and sums in double precision,
  which is slow: every tenth question is looked at. Best answers must be equal to those of the
  published grid, for all questions.
- The practice lists a span once for every window that holds it; autoqa lists it once. Repetitions
  are dropped from the practice's list before it is cut to n.
- Probabilities are shares of the n best there, and of all spans here; they are not compared.

Windows are prepared before, on both sides: offsets in a ``datasets.Dataset`` there, from which the
published procedure reads them, a ``SpanDecoder`` here. ``decode`` finds the lists, as arrays from
which a list's spans and texts are made when it is looked at. ``decode_objects`` makes all of them,
and the decoder, too. ``decode_rows`` is ``decode`` against the same loop when it is spared the data
set and reads lists in memory. ``decode_best`` finds the best answers only.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from datasets import Dataset

from autoqa.arrays import Floats
from autoqa.decoding.decoder import SpanDecoder, best_spans
from autoqa.decoding.span_lists import SpanLists
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.types import Example, Span

from .harness import compare
from .practice_decode import Lists, Padded, features, padded, postprocess
from .texts import articles, backbone_folder, paragraphs

LENGTH, STRIDE, LONGEST_ANSWER = 384, 128, 30


def trained_logits(windows: Windows, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Logits like a fine-tuned model's: a few spans stand out, one of them in most questions.

    Noise of the size that a model gives to unlikely tokens; in every window two to five spans
    above it, with lower shoulders; and in four of ten windows a high "no answer".
    """
    tokens = len(windows.input_ids)
    start, end = (rng.normal(-6, 1.2, tokens).astype(np.float32) for _ in range(2))
    for window in range(len(windows)):
        first, last = windows.bounds[window] + windows.context[window]
        places = np.arange(first, last)
        for _ in range(int(rng.integers(2, 6))):
            low = int(rng.integers(first, last))
            high = min(low + int(rng.geometric(0.3)) - 1, last - 1)
            height = float(rng.normal(7, 3))
            for side, at in ((start, low), (end, high)):
                side[first:last] += (height * np.exp(-np.abs(places - at) / 1.5)).astype(np.float32)
        if rng.random() < 0.4:
            start[windows.bounds[window]] = end[windows.bounds[window]] = 6
    return start, end


def published_dataset(windows: Windows, rows: list[dict[str, Any]]) -> Dataset:
    """The practice's windows with all the columns that they have there."""
    columns: dict[str, list[Any]] = {
        name: [row[name] for row in rows] for name in ("example_id", "offset_mapping")
    }
    ids = np.ones(len(windows.input_ids))
    for name in ("input_ids", "token_type_ids", "attention_mask"):
        columns[name] = padded(windows, ids, LENGTH).astype(np.int64).tolist()
    return Dataset.from_dict(columns)


def exact_lists(
    examples: Sequence[Example], rows: list[dict[str, Any]], starts: Padded, ends: Padded
) -> list[list[tuple[int, int]]]:
    """Places of the twenty best different spans, as the practice finds them without its limits."""
    ids = {example.id for example in examples}
    own = [window for window, row in enumerate(rows) if row["example_id"] in ids]
    _, lists = postprocess(
        examples,
        [rows[window] for window in own],
        starts[own].astype(np.float64),
        ends[own].astype(np.float64),
        n_best=None,
        grid=LENGTH,
        max_answer_length=LONGEST_ANSWER,
    )
    return [list(dict.fromkeys(one["offsets"] for one in found))[:20] for found in lists.values()]


def answers_equal(theirs: tuple[dict[str, str], Lists], ours: list[Span]) -> bool:
    return list(theirs[0].values()) == [span.text for span in ours]


@pytest.mark.parametrize("suffix, examples", [("", paragraphs()), ("_long", articles())])
def test_decode(suffix: str, examples: Sequence[Example]) -> None:
    windows = cut(encode(QATokenizer.from_folder(backbone_folder()), examples), LENGTH, STRIDE)
    windows = replace(windows, max_answer_tokens=LONGEST_ANSWER)
    start, end = trained_logits(windows, np.random.default_rng(0))
    contexts = [example.context for example in examples]
    rows = features(windows, examples, LENGTH)
    starts, ends = (padded(windows, side, LENGTH) for side in (start, end))
    expected = exact_lists(examples[::10], rows, starts, ends)

    def lists_equal(
        theirs: tuple[dict[str, str], Lists], ours: SpanLists | list[list[Span]]
    ) -> bool:
        made = list(ours)
        found = [[(span.start, span.end) for span in spans] for spans in made[::10]]
        return found == expected and answers_equal(theirs, [spans[0] for spans in made])

    practice = partial(
        postprocess, examples, starts=starts, ends=ends, max_answer_length=LONGEST_ANSWER
    )
    decoder = SpanDecoder(windows, contexts)
    lists = partial(decoder.n_best, start, end)
    objects = partial(best_spans, start, end, windows, contexts, 20)
    published = published_dataset(windows, rows)
    for name, theirs, ours, equal in (
        ("decode", published, lists, lists_equal),
        ("decode_objects", published, objects, lists_equal),
        ("decode_rows", rows, lists, lists_equal),
        ("decode_best", published, partial(decoder.best, start, end), answers_equal),
    ):
        compare(
            name + suffix,
            partial(practice, features=theirs),
            ours,
            rounds=5,
            unit="questions/s",
            equal=equal,
            amount=len,
        )
