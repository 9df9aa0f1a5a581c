"""SQuAD 2-like data: half of the questions are asked of a paragraph that does not answer them.

``python -m tests.benchmarks.unanswerable FOLDER`` writes ``train.jsonl`` (SQuAD and TyDi QA),
``judge.jsonl`` (XQuAD in four languages, TyDi QA in three) and ``study.toml``;
``AUTOQA_HOME=FOLDER/runs autoqa search FOLDER/study.toml`` trains small models on the one and keeps
what they say of the other, and ``bench_reliability.py`` splits that twenty times.

An unanswerable row's paragraph is another one of its article, or the nearest of other articles by
TF-IDF of character n-grams, which know no word boundaries that a script may lack. No reference of
the question stands in it.
"""

import gzip
import json
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

XQUAD = ("ar", "en", "hi", "ru")
TRAINED_TYDI = ("en.train", "id.train", "ko.train", "sw.train")
JUDGING_TYDI = ("bn.dev", "fi.dev", "te.dev")
SQUAD_ROWS, TYDI_ROWS, XQUAD_ROWS, JUDGE_ROWS = 8_000, 1_500, 300, 220
"""Questions of SQuAD, and of each language of TyDi QA that trains, XQuAD and TyDi QA that judge."""

_LONGEST = 900
"""Characters of a paragraph: one window mostly, for the sake of two cores."""
_NEIGHBOURS = 3
"""SQuAD's rows stand article by article without its name; so many paragraphs count as one's own."""

Row = dict[str, Any]

STUDY = """name = "unanswerable"

[sources.train]
type = "file"
path = "{folder}/train.jsonl"
[sources.judge]
type = "file"
path = "{folder}/judge.jsonl"

[backbones.e5]
type = "e5-small"
vocabulary = "full"  # of Arabic and Russian the smaller one knows half

[recipe]
length = {{ low = 192, high = 256, step = 64 }}
learning_rate = [1.0]
[[recipe.portions]]
source = "train"

[validation]
source = "judge"
share = 1.0
public = 0.5

[search]
trials = 2
workers = 1
snapshots = [0.6, 1.0]

[[search.enqueue]]
backbone = "e5"
length_1 = 256
[[search.enqueue]]
backbone = "e5"
length_1 = 192
"""


def write(folder: Path, data: Path) -> None:
    """Writes both files and the study."""
    chance = random.Random(0)
    folder.mkdir(parents=True, exist_ok=True)
    train = _half(_squad(data), SQUAD_ROWS, chance)
    for name in TRAINED_TYDI:
        train += _half(_tydi(data, name), TYDI_ROWS, chance)
    judge: list[Row] = []
    for language in XQUAD:
        judge += _half(_xquad(data, language), XQUAD_ROWS, chance)
    for name in JUDGING_TYDI:
        judge += _half(_tydi(data, name), JUDGE_ROWS, chance)
    for name, rows in (("train", train), ("judge", judge)):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "study.toml").write_text(STUDY.format(folder=folder), encoding="utf-8")


def _half(rows: Sequence[Row], count: int, chance: random.Random) -> list[Row]:
    """So many of the rows, every other one with a paragraph that does not answer it."""
    rows = [row for row in rows if len(row["context"]) <= _LONGEST]
    contexts = list(dict.fromkeys(row["context"] for row in rows))
    place = {context: i for i, context in enumerate(contexts)}
    document = {row["context"]: row["document"] for row in rows}
    article: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        if place[row["context"]] not in article[row["article"]]:
            article[row["article"]].append(place[row["context"]])
    nearest = _Nearest(contexts)
    made: list[Row] = []
    for number, row in enumerate(chance.sample(rows, min(count, len(rows)))):
        answerable = number % 2 == 0
        own = place[row["context"]]
        if not answerable:
            # Every other time of the same article, where that has another paragraph.
            same = [i for i in article[row["article"]] if i != own]
            chance.shuffle(same)
            near = nearest.of(row["question"])
            order = [*same, *near] if number % 4 == 1 else near
            texts = [text.casefold() for text in row["answers"]["text"]]
            fitting = (
                i
                for i in order
                if i != own and not any(text in contexts[i].casefold() for text in texts)
            )
            found = next(fitting, None)
            if found is None:  # an answer such as "the" stands in all that are near
                continue
            other = contexts[found]
            # The documents of both are one to a split: neither may stand on two sides.
            row = row | {"context": other, "document": document[other]}
            row |= {"answers": {"text": [], "answer_start": []}}
        made.append({key: value for key, value in row.items() if key != "article"})
    return made


class _Nearest:
    """The paragraphs that look most like a question."""

    def __init__(self, contexts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 4), min_df=2, max_features=200_000, dtype=np.float32
        )
        self._contexts = self._vectorizer.fit_transform(contexts)

    def of(self, question: str) -> list[int]:
        similar = (self._contexts @ self._vectorizer.transform([question]).T).toarray().ravel()
        return np.argsort(-similar)[:30].tolist()


def _squad(data: Path) -> list[Row]:
    rows = list(_lines(data / "squad.en.train.jsonl.gz"))[:20_000]
    order = {context: i for i, context in enumerate(dict.fromkeys(row["context"] for row in rows))}
    return [
        row
        | {
            "document": f"squad-{order[row['context']]}",
            "article": f"squad-{order[row['context']] // (_NEIGHBOURS + 1)}",
        }
        for row in rows
    ]


def _tydi(data: Path, name: str) -> list[Row]:
    language, part = name.split(".")
    rows = list(_lines(data / f"tydiqa-goldp.{language}.{part}.jsonl.gz"))
    order = {context: i for i, context in enumerate(dict.fromkeys(row["context"] for row in rows))}
    names = [f"tydi-{language}-{order[row['context']]}" for row in rows]
    return [row | {"document": n, "article": n} for row, n in zip(rows, names, strict=True)]


def _xquad(data: Path, language: str) -> list[Row]:
    content = json.loads((data / f"xquad.{language}.even-articles.json").read_text("utf-8"))
    return [
        {
            "id": f"{language}-{question['id']}",
            "context": paragraph["context"],
            "question": question["question"],
            "answers": {
                "text": [answer["text"] for answer in question["answers"]],
                "answer_start": [answer["answer_start"] for answer in question["answers"]],
            },
            "language": language,
            "document": f"xquad-{number}",  # translations belong together
            "article": f"xquad-{number}",
        }
        for number, article in enumerate(content["data"])
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]


def _lines(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    write(Path(sys.argv[1]).resolve(), Path(os.environ["AUTOQA_DATA"]))
