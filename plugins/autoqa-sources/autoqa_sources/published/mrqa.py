"""``type = "mrqa"``: the data sets of the MRQA 2019 shared task in one form."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from autoqa.api import RawRow, parquet_objects, row_from
from autoqa_sources.published.facts import Published
from autoqa_sources.published.source import PublishedOptions, source_of

_COLUMNS = ("subset", "qid", "question", "context", "answers", "detected_answers")
_FILES = 9

Subset = Literal[
    "SQuAD", "NewsQA", "TriviaQA-web", "SearchQA", "HotpotQA", "NaturalQuestionsShort",
    "BioASQ", "DROP", "DuoRC.ParaphraseRC", "RACE", "RelationExtraction", "TextbookQA",
]  # fmt: skip


class MRQAOptions(PublishedOptions):
    """Which data sets of the shared task.

    Attributes:
        subsets: Which of them; left out, all that the split has.
        shards: How many of the nine files of the split ``train``, which hold one data set after
            the other; left out, all.
    """

    subsets: Annotated[tuple[Subset, ...], Field(min_length=1)] | None = None
    shards: int | None = Field(default=None, ge=1, le=_FILES)


def _rows(path: Path, options: MRQAOptions) -> Iterator[RawRow]:
    for number, found in enumerate(parquet_objects(path, _COLUMNS, batch=256), start=1):
        if options.subsets is None or found["subset"] in options.subsets:
            yield row_from(_as_squad(found), f"{path}: row {number}")


def _as_squad(found: Mapping[str, Any]) -> dict[str, Any]:
    """A row with the places that the organisers found the answers at.

    Their ends are inclusive. An answer occurs wherever it was found; each place is a reference.
    """
    context = found["context"]
    texts, starts = [], []
    for spans in (found["detected_answers"] or {}).get("char_spans") or ():
        for start, end in zip(spans["start"], spans["end"], strict=True):
            texts.append(context[start : end + 1])
            starts.append(start)
    if not texts:  # as the questions' authors wrote them, wherever that is
        texts = list(found["answers"] or ())
        starts = [None] * len(texts)
    return {
        "id": found["qid"],
        "question": found["question"],
        "context": context,
        "answers": {"text": texts, "answer_start": starts},
    }


def _narrowed(options: MRQAOptions, patterns: tuple[str, ...]) -> tuple[str, ...]:
    if options.shards is None or options.split != "train":
        return patterns
    return tuple(
        f"plain_text/train-{number:05d}-of-{_FILES:05d}.parquet" for number in range(options.shards)
    )


mrqa = source_of(
    Published(
        name="mrqa",
        summary="MRQA 2019: English data sets of twelve kinds in one form",
        repository="mrqa-workshop/mrqa",
        revision="f3178d9888471dfb2b67c93de14f0ddf499a8d9f",
        files={
            split: (f"plain_text/{split}-*.parquet",) for split in ("train", "validation", "test")
        },
        languages=("en",),
        citation="Fisch et al. 2019: MRQA 2019 Shared Task: Evaluating Generalization in Reading "
        "Comprehension. MRQA workshop.",
    ),
    MRQAOptions,
    _rows,
    _narrowed,
)
