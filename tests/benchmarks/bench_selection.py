"""Choosing thirteen seats from two hundred candidates by predictions for a thousand questions.

The practice is the selection as one would write it down at first, with sets of words
(:mod:`.practice_select`). ``select_200x1000x13`` is one greedy selection from prepared lists of
spans on both sides; equal means that both seat the same candidates in the same order.
``select_bagged`` is the whole of it, from stored logits to the two picks with twenty bags, in a
process of its own, against the practice's time for as many greedy selections. ``select_f1`` and
``select_mlqa`` are greedy selections by metrics that count items, from texts with commas and
articles and from texts without spaces; the practice counts them with ``Counter``, and knows the
items of each word beforehand.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np

from autoqa.ensemble.choosing.bagging import numbered
from autoqa.ensemble.choosing.greedy import Chooser
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.evaluation.evaluator import Evaluator
from autoqa.ensemble.evaluation.span_shortlist import shortlist
from autoqa.ensemble.evaluation.word_sets import Vocabulary
from autoqa.scores.overlap import ItemOverlap
from autoqa.scores.registry import get_metric
from autoqa.text.segmentation import pieces

from .candidates import JAPANESE, Field, make_field
from .harness import Comparison, compare, record
from .practice_select import Group, SlowItemSelector, SlowSelector, Words

CANDIDATES, QUESTIONS, BAGS = 200, 1000, 20
METRIC_CANDIDATES, METRIC_QUESTIONS = 100, 500
LIMITS = EnsembleLimits(seats=13, recipe_cap=4)


def slow_selector(field: Field, metric: str = "jaccard") -> SlowSelector:
    """The practice, with the same lists of spans as Python objects."""
    known = get_metric(metric)
    assert known.overlap is not None
    repeated = not known.overlap.distinct
    vocabulary = Vocabulary(len(field.examples), known.segmentation, repeated=repeated)
    contexts = [example.context for example in field.examples]
    groups = []
    for name in dict.fromkeys(candidate.group for candidate in field.candidates):
        own = [i for i, c in enumerate(field.candidates) if c.group == name]
        members = [(field.candidates[i].id, field.candidates[i].logits) for i in own]
        masks, blends = shortlist(members, field.windows[name], contexts, vocabulary)
        edges = np.searchsorted(blends.example, np.arange(1, len(contexts)))
        names = [{bit: w for w, _, bit in vocabulary.entries(q)} for q in range(len(contexts))]
        spans = [
            [as_words(masks[s], names[q], repeated=repeated) for s in part]
            for q, part in enumerate(np.split(np.arange(len(masks)), edges))
        ]
        scores = {
            i: [part.tolist() for part in np.split(row, edges)]
            for i, row in zip(own, blends.sums, strict=True)
        }
        groups.append(Group(own, spans, scores))
    gather = tuple if repeated else frozenset
    made = (
        partial(SlowItemSelector, items=cache(partial(items_of, known.overlap, field)))
        if repeated
        else SlowSelector
    )
    return made(
        groups,
        [
            [gather(pieces(each.text, known.segmentation)) for each in example.answers]
            for example in field.examples
        ],
        [example.document for example in field.examples],
        [candidate.recipe for candidate in field.candidates],
        [candidate.seconds for candidate in field.candidates],
        LIMITS.seats,
        LIMITS.recipe_cap,
    )


def as_words(mask: int, names: dict[int, str], *, repeated: bool) -> Words:
    """The words of a set of bits."""
    words = (names[bit] for bit in range(mask.bit_length()) if mask >> bit & 1)
    return tuple(word for word in words if word) if repeated else frozenset(words)


def items_of(overlap: ItemOverlap, field: Field, word: str) -> Sequence[str]:
    """What a metric counts of a word; all questions of a field are in one language."""
    return overlap.items(word, field.examples[0].language)


def chooser(field: Field, metric: str = "jaccard") -> Chooser:
    """autoqa's selection on all questions."""
    evaluator = Evaluator(field.candidates, field.windows, field.examples, metric)
    documents = numbered([example.document for example in field.examples])
    return Chooser(evaluator, documents, np.ones(len(documents)), LIMITS)


def test_select() -> None:
    for candidates, questions in ((60, 300), (CANDIDATES, QUESTIONS)):
        field = make_field(candidates, questions)
        rounds = 3 if candidates < CANDIDATES else 2
        # A chooser remembers what it has scored, so each round gets one that knows nothing yet.
        slow, fresh = slow_selector(field), iter([chooser(field) for _ in range(rounds)])
        outcome = compare(
            f"select_{candidates}x{questions}x{LIMITS.seats}",
            slow.greedy,
            lambda fresh=fresh: next(fresh).greedy(),
            rounds=rounds,
            unit="selections/s",
            equal=lambda theirs, ours: tuple(theirs) == ours,
            warmup=False,
        )
    whole = bagged()
    bags_of_practice = (BAGS + 1) / outcome.a
    record(
        Comparison(
            name="select_bagged",
            ratio=round(bags_of_practice / whole["seconds"], 3) if outcome.equal else None,
            a=round(1 / bags_of_practice, 6),
            b=round(1 / whole["seconds"], 3),
            unit="selections/s",
            equal=outcome.equal,
            rounds=1,
        )
    )
    print(f"\nselect_bagged: {json.dumps(whole)}; practice about {bags_of_practice:.0f} s")


def test_select_by_metrics() -> None:
    for metric, field in fields_of_metrics():
        fresh = iter([chooser(field, metric) for _ in range(2)])
        compare(
            f"select_{metric}",
            slow_selector(field, metric).greedy,
            lambda fresh=fresh: next(fresh).greedy(),
            rounds=2,
            unit="selections/s",
            equal=lambda theirs, ours: tuple(theirs) == ours,
            warmup=False,
        )


def fields_of_metrics() -> Iterator[tuple[str, Field]]:
    """Predictions for texts with punctuation and articles, and for texts without spaces."""
    size = METRIC_CANDIDATES, METRIC_QUESTIONS
    yield "f1", make_field(*size, punctuated=True)
    yield "mlqa", make_field(*size, letters=JAPANESE, gap="", language="ja")


def bagged() -> dict[str, float]:
    """Seconds and GiB of the whole selection in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bagged", str(CANDIDATES), str(QUESTIONS)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured
