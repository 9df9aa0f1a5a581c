"""``type = "natural-questions"``: short answers in the paragraph that holds them."""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any

from pydantic import Field

from autoqa.api import RawRow, parquet_objects, row_from
from autoqa_sources.published.facts import Published
from autoqa_sources.published.source import PublishedOptions, source_of

# Not the pages' HTML and not the places in it, which are nine tenths of the files.
_COLUMNS = (
    "id",
    "document.title",
    "document.tokens.token",
    "document.tokens.is_html",
    "question.text",
    "annotations",
)
_FILES = {"train": 287, "validation": 7}
_PAGES = 16
"""Rows in memory: each is a whole page."""


class NaturalQuestionsOptions(PublishedOptions):
    """How much of Natural Questions.

    Attributes:
        shards: How many of the split's files (287 of about 150 MB, or 7), from the first; left
            out, all.
    """

    shards: int | None = Field(default=None, ge=1, le=_FILES["train"])


def _rows(path: Path, options: NaturalQuestionsOptions) -> Iterator[RawRow]:  # noqa: ARG001
    for number, found in enumerate(parquet_objects(path, _COLUMNS, batch=_PAGES), start=1):
        row = _as_squad(found)
        if row is not None:
            yield row_from(row, f"{path}: row {number}")


def _as_squad(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The paragraph that the first annotator with a short answer chose, and all answers in it.

    Tokens are joined by spaces and those of HTML left out, as the authors do. ``None`` where nobody
    gave a short answer: then the page has none, or it is yes or no, or a whole paragraph.
    """
    annotations = found["annotations"]
    answered = [
        (long["start_token"], long["end_token"], short)
        for long, short in zip(
            annotations["long_answer"], annotations["short_answers"], strict=True
        )
        if long["start_token"] >= 0 and short["start_token"]
    ]
    if not answered:
        return None
    begin, end, _ = answered[0]
    tokens = found["document"]["tokens"]
    shown = [
        "" if html else token
        for token, html in zip(
            tokens["token"][begin:end], tokens["is_html"][begin:end], strict=True
        )
    ]
    # Where each token begins, and one more; a token that is left out takes no room.
    places = list(accumulate((len(t) + 1 if t else 0 for t in shown), initial=0))
    context = " ".join(token for token in shown if token)
    spans: dict[tuple[int, int], None] = {}
    for _, _, short in answered:
        for first, last in zip(short["start_token"], short["end_token"], strict=True):
            if begin <= first < last <= end:
                start, stop = places[first - begin], places[last - begin] - 1
                if start < stop:
                    spans[start, stop] = None
    return {
        "id": found["id"],
        "question": found["question"]["text"],
        "context": context,
        "answers": {
            "text": [context[start:stop] for start, stop in spans],
            "answer_start": [start for start, _ in spans],
        },
        "document": found["document"]["title"],
    }


def _narrowed(options: NaturalQuestionsOptions, patterns: tuple[str, ...]) -> tuple[str, ...]:
    total = _FILES[options.split]
    if options.shards is None:
        return patterns
    return tuple(
        f"default/{options.split}-{number:05d}-of-{total:05d}.parquet"
        for number in range(min(options.shards, total))
    )


natural_questions = source_of(
    Published(
        name="natural-questions",
        summary="Natural Questions: what people asked Google, answered in Wikipedia's paragraphs",
        repository="google-research-datasets/natural_questions",
        revision="e8103d566bef4154c2c12b17c6095ec5275840cc",
        files={split: (f"default/{split}-*.parquet",) for split in _FILES},
        languages=("en",),
        licence="CC-BY-SA-3.0",
        citation="Kwiatkowski et al. 2019: Natural Questions: A Benchmark for Question Answering "
        "Research. TACL.",
    ),
    NaturalQuestionsOptions,
    _rows,
    _narrowed,
)
