"""Answers from many documents: what the first stage loses, and how long they take.

``first_stage``: the practice is BM25 over words without punctuation, autoqa's terms add pieces of
words. Of 10,000 paragraphs (nine languages of TyDi QA, four of XQuAD, filled up by SQuAD) the
figure is the share of questions whose paragraph is among the 20 nearest.

``many_documents``: a MiniLM of 5,000 SQuAD questions answers questions that it was not trained on
from paragraphs of SQuAD. The practice reads every passage. Results are the same if at least 95 % of
the answers are; the ratio is that of the times.

``documents_10000``: 100 questions, 10,000 documents, two cores. a is the seconds until index and
models are there, b those from then to the first answer; the ratio is 3 seconds to the latter.
``exhaustive.py`` says how many of its answers are those of reading every passage.
"""

import json
import os
import time
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

import autoqa
from autoqa.bundle.documents import PASSAGES, Documents
from autoqa.bundle.input_rows import Row
from autoqa.bundle.predictor import Ensemble, Prediction
from autoqa.reading.formats import read_rows
from autoqa.reading.rows import RawRow
from autoqa.scores.metrics import f1
from autoqa.text.index_terms import index_terms
from autoqa.text.words import words

from .harness import Comparison, compare, record

bm25s = pytest.importorskip("bm25s", reason="the extra documents is not installed")

DATA = Path(os.environ.get("AUTOQA_DATA", Path(__file__).parents[3] / "shared" / "data"))
SQUAD = DATA / "squad.en.train.jsonl.gz"
LANGUAGES = ("ar", "bn", "en", "fi", "id", "ko", "ru", "sw", "te")
TYDI = [DATA / f"tydiqa-goldp.{name}.dev.jsonl.gz" for name in LANGUAGES]
XQUAD = [DATA / f"xquad.{name}.even-articles.json" for name in ("ar", "en", "hi", "ru")]
COUNT, NEAREST, ASKED = 10_000, 20, 1500
POOL, EXHAUSTIVE = 500, 20
"""Documents and questions where every passage is read: 10,000 passes."""
TRAINED, QUESTIONS = 5000, 100

pytestmark = pytest.mark.skipif(not SQUAD.is_file(), reason="the real data is not at hand")

STUDY = """
name = "documents"
[sources.train]
type = "file"
path = "train.jsonl"
[sources.exam]
type = "file"
path = "exam.jsonl"
[backbones.minilm]
type = "minilm-l6"
[backbones.minilm.protocol]
epochs = 1
length = 256
stride = 64
learning_rate = 2e-4
[recipe]
portions = [{ source = "train" }]
[validation]
source = "exam"
public = 0.5
[search]
trials = 1
snapshots = [1.0]
"""


def squad_rows() -> list[RawRow]:
    """SQuAD's questions in an order that keeps no article together."""
    rows = list(read_rows(SQUAD))
    contexts = list(dict.fromkeys(row.context for row in rows))
    place = dict(zip(contexts, np.random.default_rng(0).permutation(len(contexts)), strict=True))
    return sorted(rows, key=lambda row: (place[row.context], row.id))


def test_first_stage() -> None:
    places: dict[str, int] = {}
    asked = []
    for path in (*TYDI, *XQUAD):
        for row in read_rows(path):
            asked.append((row.question, places.setdefault(row.context, len(places))))
    for row in squad_rows():
        if len(places) == COUNT:
            break
        places.setdefault(row.context, len(places))
    chosen = np.random.default_rng(0).permutation(len(asked))[:ASKED].tolist()

    def found(terms: object) -> float:
        index = bm25s.BM25()
        index.index([terms(text) for text in places], show_progress=False)  # type: ignore[operator]
        hits = []
        for question, place in (asked[at] for at in chosen):
            ids = index.get_tokens_ids(terms(question))  # type: ignore[operator]
            scores = index.get_scores_from_ids(ids) if ids else np.zeros(len(places))
            hits.append(scores[place] > 0 and (scores > scores[place]).sum() < NEAREST)
        return fmean(hits)

    def whole_words(text: str) -> list[str]:
        return [term for term in index_terms(text) if term.endswith("\0")]

    a, b = found(whole_words), found(index_terms)
    record(
        Comparison(
            name="first_stage",
            ratio=round(b / a, 3),
            a=round(a, 3),
            b=round(b, 3),
            unit=f"share among the {NEAREST} nearest of {len(places)}",
            equal=True,
            rounds=1,
        )
    )
    print(f"\nfirst_stage: words {a:.3f}, with pieces of words {b:.3f}")


@pytest.fixture(scope="module")
def rows() -> list[RawRow]:
    return squad_rows()


@pytest.fixture(scope="module")
def ensemble(rows: list[RawRow], tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    """Trained on the last of the rows; asked are the first. AUTOQA_BENCH_BUNDLE names one."""
    kept = os.environ.get("AUTOQA_BENCH_BUNDLE")
    if kept:
        return autoqa.load(kept, device="cpu")
    folder = tmp_path_factory.mktemp("documents")
    for name, part in (("train", rows[-TRAINED:]), ("exam", rows[-TRAINED - 600 : -TRAINED])):
        lines = (
            json.dumps(
                {
                    "id": row.id,
                    "question": row.question,
                    "context": row.context,
                    "answers": {
                        "text": [text for text, _ in row.answers],
                        "answer_start": [start for _, start in row.answers],
                    },
                    "language": "en",
                }
            )
            for row in part
        )
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_HOME", str(folder / "runs"))
        patch.chdir(folder)
        with autoqa.search("study.toml", quiet=True) as run:
            run.export(folder / "bundle")
    return autoqa.load(folder / "bundle", device="cpu")


def questions(rows: list[RawRow], contexts: set[str], count: int) -> list[RawRow]:
    """Questions about the contexts, one of each."""
    seen: set[str] = set()
    chosen = []
    for row in rows:
        if row.context in contexts and row.context not in seen and len(chosen) < count:
            seen.add(row.context)
            chosen.append(row)
    return chosen


def quality(asked: list[RawRow], found: list[Prediction]) -> float:
    """Mean F1 against the first reference."""
    pairs = zip(asked, found, strict=True)
    return fmean(f1(each.answer, row.answers[0][0]) for row, each in pairs)


def test_many_documents(rows: list[RawRow], ensemble: Ensemble) -> None:
    contexts = list(dict.fromkeys(row.context for row in rows))[:POOL]
    documents = Documents(contexts)
    documents.prepare()
    asked = questions(rows, set(contexts), EXHAUSTIVE)
    asking = [Row(row.id, row.question, contexts=documents) for row in asked]

    def same(one: list[Prediction], other: list[Prediction]) -> bool:
        pairs = list(zip(one, other, strict=True))
        share = fmean(words(a.answer) == words(b.answer) for a, b in pairs)
        print(
            f"\n{len(asked)} questions, {len(documents.passages):,} passages: {share:.0%} of the "
            f"answers are those of reading all; F1 {quality(asked, one):.3f} by reading all, "
            f"{quality(asked, other):.3f} by reading {PASSAGES}"
        )
        return share >= 0.95

    compare(
        "many_documents",
        lambda: ensemble.predict(asking, passages=None, keep_loaded=True),
        lambda: ensemble.predict(asking, passages=PASSAGES, keep_loaded=True),
        rounds=1,
        unit="questions/s",
        equal=same,
        amount=len,
        warmup=False,
    )


def test_documents_10000(rows: list[RawRow], ensemble: Ensemble) -> None:
    contexts = list(dict.fromkeys(row.context for row in rows))[:COUNT]
    asked = questions(rows, set(contexts[: COUNT // 2]), QUESTIONS)
    begin = time.perf_counter()
    documents = Documents(contexts)
    documents.prepare()
    index = time.perf_counter() - begin
    ensemble(question="?", context=".")
    ready = time.perf_counter() - begin
    found, spent = [], []
    for row in asked:
        begin = time.perf_counter()
        found.append(ensemble(question=row.question, contexts=documents))
        spent.append(time.perf_counter() - begin)
    right = fmean(
        each.passage is not None and contexts[each.passage.document] == row.context
        for row, each in zip(asked, found, strict=True)
    )
    record(
        Comparison(
            name="documents_10000",
            ratio=round(3.0 / spent[0], 3),
            a=round(ready, 3),
            b=round(spent[0], 3),
            unit="s (until ready; until the first answer)",
            equal=spent[0] <= 3.0,
            rounds=1,
        )
    )
    print(
        f"\n{len(documents):,} documents, {len(documents.passages):,} passages: index {index:.1f} "
        f"s, ready in {ready:.1f} s, first answer in {spent[0]:.2f} s, {fmean(spent):.2f} s each "
        f"of {len(asked)}; F1 {quality(asked, found):.3f}, the right document {right:.0%}"
    )
