"""Which answers from 10,000 documents are those of reading all of them, for 100 questions.

``python -m tests.benchmarks.exhaustive FOLDER BUNDLE`` reads with the bundle what can win, for the
questions of ``bench_documents.py``, keeps it in the folder and goes on from there; that takes an
hour or more. ``--process 0 2`` and ``--process 1 2`` share the questions; called without once they
are done, it says how many answers are the same.

What an answer is worth is its passage's evidence and what the passage's nearness counts. Passages
are read from the nearest on, as far as one could still win if it had :data:`MARGIN` more evidence
than any that was read for any question. A question counts as answered differently as soon as
another answer leads.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import autoqa
from autoqa.bundle.document_answers import _NEARNESS
from autoqa.bundle.documents import PASSAGES, Documents
from autoqa.bundle.input_rows import Row
from autoqa.bundle.predictor import Ensemble
from autoqa.files import write_atomically
from autoqa.text.words import words

from .bench_documents import COUNT, QUESTIONS, questions, squad_rows
from .harness import Comparison, record

MARGIN = 1.0
"""Nats above the highest evidence that was seen that an unread passage is thought able to have."""

_PART = 500
"""Passages that are read before it is looked again."""


class Reading:
    """What was read for one question, kept in a file.

    Args:
        number: The question's.
        question: Its text.
        documents: Where it is looked for.
        folder: Where what was read is kept.

    Attributes:
        number: The question's.
        near: All passages, the nearest first.
        found: Evidence and answer of the first of them.
    """

    def __init__(self, number: int, question: str, documents: Documents, folder: Path) -> None:
        self.number, self._question = number, question
        self.near = documents.nearest(question)
        self._path = folder / f"{number}.json"
        self.found: list[tuple[float, str]] = []
        if self._path.is_file():
            kept = json.loads(self._path.read_text("utf-8"))["found"]
            self.found = [(evidence, answer) for evidence, answer in kept]

    def read(self, ensemble: Ensemble, count: int) -> None:
        """Reads the nearest passages that were not read before."""
        part = self.near[len(self.found) : count]
        rows = [Row("row", self._question, each.passage.text) for each in part]
        found = ensemble.predict(rows, keep_loaded=True)
        self.found += [(each.evidence, each.answer) for each in found]
        write_atomically(self._path, json.dumps({"found": self.found}))

    def best(self, count: int | None = None) -> tuple[float, str]:
        """Worth in nats and answer of the best of the first passages."""
        pairs = zip(self.found[:count], self.near, strict=False)
        return max(
            ((evidence + _NEARNESS * near.nearness, answer) for (evidence, answer), near in pairs),
            key=lambda pair: pair[0],
        )

    def needed(self, evidence: float) -> int:
        """How many passages, from the nearest on, would win if they had so much evidence."""
        worth, _ = self.best()
        return sum(evidence + _NEARNESS * each.nearness >= worth for each in self.near)

    @property
    def same(self) -> bool:
        """Whether what leads is what reading the default number of passages gives."""
        return words(self.best()[1]) == words(self.best(PASSAGES)[1])


def highest(folder: Path) -> float:
    """The highest evidence of any passage that was read, by other processes too, in nats."""
    kept = (json.loads(path.read_text("utf-8"))["found"] for path in folder.glob("*.json"))
    return max(evidence for found in kept for evidence, _ in found)


def read(readings: Sequence[Reading], ensemble: Ensemble, folder: Path) -> None:
    """Reads until no passage can change what is said of a question."""
    for each in readings:
        each.read(ensemble, PASSAGES)
    while True:
        evidence = highest(folder) + MARGIN
        left = [(each.needed(evidence), each) for each in readings if each.same]
        left = [(count, each) for count, each in left if count > len(each.found)]
        if not left:
            return
        count, nearest = min(left, key=lambda pair: pair[0])
        nearest.read(ensemble, min(count, len(nearest.found) + _PART))
        print(
            f"question {nearest.number}: {len(nearest.found):,} of {count:,} passages read, "
            f"{len(left)} questions open",
            flush=True,
        )


def main() -> None:
    """Reads, and says how many answers are the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--process", type=int, nargs=2, default=(0, 1), metavar=("NUMBER", "OF"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = squad_rows()
    contexts = list(dict.fromkeys(row.context for row in rows))[:COUNT]
    asked = questions(rows, set(contexts[: COUNT // 2]), QUESTIONS)
    documents = Documents(contexts)
    number, processes = options.process
    readings = [
        Reading(at, asked[at].question, documents, options.folder)
        for at in range(number, len(asked), processes)
    ]
    read(readings, autoqa.load(options.bundle, device="cpu"), options.folder)
    same, counts = sum(each.same for each in readings), [len(each.found) for each in readings]
    all_read = sum(each.same and len(each.found) == len(each.near) for each in readings)
    record(
        Comparison(
            name="documents_10000_same",
            ratio=round(same / len(readings), 3),
            a=float(len(readings)),
            b=float(same),
            unit="answers that are those of reading all",
            equal=same >= 0.95 * len(readings),
            rounds=1,
        )
    )
    print(
        f"{same} of {len(readings)} answers are those of reading all {len(documents.passages):,} "
        f"passages; {sum(counts):,} were read, all of them for {all_read} questions; no other "
        f"could win with evidence of {highest(options.folder) + MARGIN:.1f}, {MARGIN:g} above the "
        "highest"
    )


if __name__ == "__main__":
    main()
