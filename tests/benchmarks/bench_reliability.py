"""What a threshold for no answer and a stated confidence are worth on documents that had no say.

``AUTOQA_RELIABILITY`` names a folder whose study of ``unanswerable.py`` has been searched. All its
judging questions are split twenty times by document: rule and confidence are fitted on one half and
judged on the other. Beside them stand what is done without: SQuAD 2.0's way to weigh windows, a
threshold of its own for every language, and the probabilities of spans as confidence.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from autoqa.analysis.confidence_fit import cross_fit_confidence
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.stored_predictions import StoredPart, load_part
from autoqa.config import load_study
from autoqa.decoding.span_search import SpanGrid
from autoqa.ensemble.choosing import none_choice
from autoqa.ensemble.choosing.none_choice import fit_scale, fit_thresholds
from autoqa.ensemble.joining.confidence import confidence_features
from autoqa.ensemble.joining.join import Joined
from autoqa.ensemble.joining.mean_logits import blend
from autoqa.ensemble.joining.none_rule import EvidenceScale, none_probability
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.answerability import split_scores
from autoqa.scores.calibration import calibration_error
from autoqa.scores.metrics import score_by
from autoqa.store.run_folder import PARTS, RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Example

from .harness import Comparison, record

FOLDER = os.environ.get("AUTOQA_RELIABILITY")
SPLITS = 20
METRIC = "f1"
pytestmark = pytest.mark.skipif(FOLDER is None, reason="AUTOQA_RELIABILITY names no searched study")


@dataclass(frozen=True)
class Answered:
    """An ensemble's answers to all questions, and what each of them and none scores."""

    examples: Sequence[Example]
    joined: Joined
    squad2: dict[str, np.ndarray]
    scores: np.ndarray
    none: np.ndarray

    def rows(self, which: np.ndarray) -> "Answered":
        """Those of some questions."""
        kept = which.tolist()
        joined = replace(
            self.joined,
            spans=[self.joined.spans[i] for i in kept],
            evidence=self.joined.evidence[which],
            agreement=self.joined.agreement[which],
            by_group={group: each[which] for group, each in self.joined.by_group.items()},
        )
        return Answered(
            [self.examples[i] for i in kept],
            joined,
            {group: each[which] for group, each in self.squad2.items()},
            self.scores[which],
            self.none[which],
        )


@pytest.fixture(scope="module", params=["one model", "ensemble"])
def answered(request) -> Answered:
    folder = RunFolder(Path(FOLDER or "") / "runs" / "unanswerable")
    study = load_study(folder.study_file, frozen=True)
    run = StudyRun(study, folder, Store(folder.store_url(study.search.storage), study.name))
    records = sorted(run.candidates(), key=lambda each: each.score)
    taken = records[-1:] if request.param == "one model" else records
    plan = EnsemblePlan([Member(each.id, each.group) for each in taken], taken[-1].group)
    opening = run.store.log_opening("bench of reliability", purpose="export")
    parts = []
    for part in PARTS:
        loaded = load_part(run, plan.members, part, opening if part == "private" else None)
        parts.append(_answered(replace(loaded, metric=METRIC), plan))
    print(f"\n{request.param}: {', '.join(each.id for each in taken)}")
    return _together(parts)


def _answered(part: StoredPart, plan: EnsemblePlan) -> Answered:
    joined = part.joined(plan)
    texts = [span.text for span in joined.spans]
    none = np.array([float(not example.answers) for example in part.examples])
    return Answered(
        part.examples,
        joined,
        _squad2_evidence(part, plan),
        score_by(METRIC, texts, part.examples),
        none,
    )


def _squad2_evidence(part: StoredPart, plan: EnsemblePlan) -> dict[str, np.ndarray]:
    """The best span of all windows against the lowest no-answer score of all."""
    found = {}
    for group, members in plan.groups.items():
        grid = SpanGrid(part.windows[group])
        start, end = blend([part.logits[m.id] for m in members])
        totals = grid.totals(grid.pack(start), grid.pack(end))
        best = np.maximum.reduceat(totals, grid.begin[:-1])
        none = start[grid.window_first].astype(float) + end[grid.window_first]
        leaders = np.searchsorted(grid.window_begin, grid.begin[:-1])
        found[group] = best - np.minimum.reduceat(none, leaders)
        assert len(found[group]) == len(part.examples)
    return found


def _together(parts: Sequence[Answered]) -> Answered:
    first, second = parts

    def both(one, other):
        return {group: np.concatenate([one[group], other[group]]) for group in one}

    joined = replace(
        first.joined,
        spans=[*first.joined.spans, *second.joined.spans],
        evidence=np.concatenate([first.joined.evidence, second.joined.evidence]),
        agreement=np.concatenate([first.joined.agreement, second.joined.agreement]),
        by_group=both(first.joined.by_group, second.joined.by_group),
    )
    return Answered(
        [*first.examples, *second.examples],
        joined,
        both(first.squad2, second.squad2),
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.none, second.none]),
    )


def _halves(examples: Sequence[Example], seed: int) -> tuple[np.ndarray, np.ndarray]:
    names = sorted({example.document for example in examples})
    chosen = set(np.random.default_rng(seed).permutation(names)[: len(names) // 2].tolist())
    public = np.array([example.document in chosen for example in examples])
    return np.flatnonzero(public), np.flatnonzero(~public)


def _rule(public: Answered, private: Answered, squad2: bool, own: int):
    """Scores on the private half of a rule fitted on the public one."""
    by_group = public.squad2 if squad2 else public.joined.by_group
    scale: EvidenceScale = fit_scale(by_group, public.none == 0)
    before, none_choice.LANGUAGE_ROWS = none_choice.LANGUAGE_ROWS, own
    suspected = none_probability(scale.joined(by_group))
    fit = fit_thresholds(scale, suspected, public.scores, public.examples)
    none_choice.LANGUAGE_ROWS = before
    other = private.squad2 if squad2 else private.joined.by_group
    probability = none_probability(scale.joined(other))
    given = fit.rule.says_none(probability, [each.language for each in private.examples])
    return split_scores(given, probability, private.scores, private.none), fit, probability, given


def test_a_threshold_of_the_public_part_is_nearly_the_best(answered):
    results = {}
    for name, squad2, own in (
        ("window", False, none_choice.LANGUAGE_ROWS),
        ("squad2", True, none_choice.LANGUAGE_ROWS),
        ("own threshold for 30 of each", False, 30),
        ("own threshold for 60 of each", False, 60),
        ("one threshold", False, 10**6),
    ):
        found = []
        for seed in range(SPLITS):
            halves = [answered.rows(each) for each in _halves(answered.examples, seed)]
            found.append(_rule(*halves, squad2, own)[0])
        results[name] = found
        print(
            f"{name}: F1 {mean(each.all for each in found):.4f}, best "
            f"{mean(each.best for each in found):.4f}, always "
            f"{mean(each.always for each in found):.4f}; has answer "
            f"{mean(each.has_answer for each in found):.3f}, none "
            f"{mean(each.no_answer for each in found):.3f}"
        )
    ours = results["window"]
    regret = mean(each.best - each.all for each in ours)
    gain = mean(each.all - each.always for each in ours)
    print(f"no_answer_regret {regret:.4f}, gain on answering always {gain:.4f}")
    kind = "ensemble" if len(answered.joined.by_group) > 1 else "one model"
    _line(f"no_answer_regret, {kind}", mean(e.best for e in ours), mean(e.all for e in ours))
    _line(f"no_answer_gain, {kind}", mean(e.always for e in ours), mean(e.all for e in ours))


def test_stated_confidence_is_what_answers_reach(answered):
    errors, before, halves_scores, everything, ways = [], [], [], [], []
    for seed in range(SPLITS):
        public, private = (answered.rows(each) for each in _halves(answered.examples, seed))
        _, fit, probability, given = _rule(public, private, False, none_choice.LANGUAGE_ROWS)
        suspected = none_probability(fit.scale.joined(public.joined.by_group))
        languages = [each.language for each in public.examples]
        public_given = fit.rule.says_none(suspected, languages)
        made = cross_fit_confidence(
            replace(public.joined, evidence=fit.scale.joined(public.joined.by_group)),
            _final(public, suspected, public_given),
            public.scores,
            np.where(public_given, public.none, public.scores),
            public.examples,
        )
        features = confidence_features(
            [span.score for span in private.joined.spans],
            private.joined.agreement,
            fit.scale.joined(private.joined.by_group),
        )
        spans = np.array([span.score for span in private.joined.spans])
        reached = np.where(given, private.none, private.scores)
        stated = np.where(given, probability, made.confidence.of(features))
        errors.append(calibration_error(stated, reached))
        before.append(calibration_error(np.clip(spans, 0, 1), private.scores))
        surest = np.argsort(-stated, kind="stable")[: len(stated) // 2]
        halves_scores.append(reached[surest].mean())
        everything.append(reached.mean())
        ways.append(made.way)
    counts = {way: ways.count(way) for way in set(ways)}
    print(f"calibration_error {mean(errors):.4f}, spans' {mean(before):.4f}; {counts}")
    ratio = mean(halves_scores) / mean(everything)
    print(f"surest half {mean(halves_scores):.4f}, all {mean(everything):.4f}: {ratio:.3f}")
    kind = "ensemble" if len(answered.joined.by_group) > 1 else "one model"
    _line(f"calibration_error, {kind}", mean(errors), mean(before))
    _line(f"surest_half, {kind}", mean(everything), mean(halves_scores))


def _final(half: Answered, suspected: np.ndarray, given: np.ndarray) -> Joined:
    spans = [
        span._replace(text="", score=float(p)) if none else span
        for span, p, none in zip(half.joined.spans, suspected, given, strict=True)
    ]
    return replace(half.joined, spans=spans, no_answer=suspected)


def _line(name: str, practice: float, ours: float) -> None:
    record(
        Comparison(
            name=name,
            ratio=round(ours / practice, 3),
            a=round(practice, 4),
            b=round(ours, 4),
            unit="mean of 20 splits",
            equal=True,
            rounds=SPLITS,
        )
    )
