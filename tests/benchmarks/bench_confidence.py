"""What a stated confidence is worth where every question has an answer.

A reader that ``bench_documents`` trained (``AUTOQA_BENCH_BUNDLE``) answers 3,000 questions of SQuAD
that it was not trained on. They are split twenty times by document: the confidence is fitted on one
half and judged on the other. Beside it stand the probabilities of spans.
"""

import os
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest

import autoqa
from autoqa.analysis.confidence_fit import cross_fit_confidence
from autoqa.bundle.batching import cut_rows
from autoqa.bundle.input_rows import Row
from autoqa.bundle.loading import load_member
from autoqa.ensemble.joining.confidence import confidence_features
from autoqa.ensemble.joining.join import Joined, join
from autoqa.scores.calibration import calibration_error
from autoqa.scores.metrics import score_by
from autoqa.types import Answer, Example

from .bench_documents import squad_rows
from .harness import Comparison, record

BUNDLE = os.environ.get("AUTOQA_BENCH_BUNDLE")
SPLITS, QUESTIONS, METRIC = 20, 3000, "f1"

pytestmark = pytest.mark.skipif(BUNDLE is None, reason="AUTOQA_BENCH_BUNDLE names no bundle")


def examples() -> list[Example]:
    return [
        Example(
            row.id,
            row.question,
            row.context,
            tuple(Answer(text, start or 0) for text, start in row.answers),
            "en",
            row.context,
        )
        for row in squad_rows()[:QUESTIONS]
    ]


def answered(asked: list[Example]) -> Joined:
    """Answers with the probabilities of spans as scores."""
    ensemble = autoqa.load(BUNDLE or "", device="cpu")
    manifest, folder = ensemble.manifest, ensemble._shelf.folder
    rows = [Row(each.id, each.question, each.context, "en") for each in asked]
    windows = cut_rows(
        rows, manifest.groups, ensemble._tokenizers, ensemble.options.limits(manifest)
    )
    logits = {
        member.id: load_member(folder, member, "cpu")(windows[member.group])
        for member in manifest.members
    }
    return join(replace(manifest.plan, none=None), logits, windows, rows)


def some(joined: Joined, which: np.ndarray) -> Joined:
    return replace(
        joined,
        spans=[joined.spans[i] for i in which.tolist()],
        evidence=joined.evidence[which],
        agreement=joined.agreement[which],
        by_group={},
    )


def test_stated_confidence_is_what_answers_reach() -> None:
    asked = examples()
    joined = answered(asked)
    scores = score_by(METRIC, [span.text for span in joined.spans], asked)
    names = sorted({each.document for each in asked})
    errors, before, surest, everything = [], [], [], []
    for seed in range(SPLITS):
        chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
        known = np.array([each.document in chosen for each in asked])
        public, private = np.flatnonzero(known), np.flatnonzero(~known)
        part, reached = some(joined, public), scores[private]
        fit = cross_fit_confidence(
            part, part, scores[public], scores[public], [asked[i] for i in public.tolist()]
        )
        other = some(joined, private)
        spans = np.array([span.score for span in other.spans])
        stated = fit.confidence.of(
            confidence_features(spans.tolist(), other.agreement, other.evidence)
        )
        errors.append(calibration_error(stated, reached))
        before.append(calibration_error(np.clip(spans, 0, 1), reached))
        order = np.argsort(-stated, kind="stable")
        surest.append(reached[order[: len(order) // 2]].mean())
        everything.append(reached.mean())
    for name, practice, ours in (
        ("calibration_error, SQuAD", fmean(before), fmean(errors)),
        ("surest_half, SQuAD", fmean(everything), fmean(surest)),
    ):
        print(f"\n{name}: {practice:.4f} {ours:.4f} {ours / practice:.3f}")
        record(
            Comparison(
                name=name,
                ratio=round(ours / practice, 3),
                a=round(practice, 4),
                b=round(ours, 4),
                unit=f"mean of {SPLITS} splits",
                equal=True,
                rounds=SPLITS,
            )
        )
