"""Is the selected ensemble better than the best single candidate on questions it has not seen?

The predictions are those of a real search, ``studies/comparisons/ensemble.toml``. Its public and
private questions are put together and split by document again, fifty times at random. Each time the
selector sees one part, and its choices are scored on the other. Beside them stands greedy selection
without safeguards: no bags, no comparison with simpler ensembles, no admission of groups, no cap.

``AUTOQA_BENCH_RUN`` names the folder of a finished run; without it the search is run, which takes
25 minutes. The private part is opened once, and the run's database says so.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.config import load_study
from autoqa.ensemble.choosing.bagging import numbered
from autoqa.ensemble.choosing.greedy import Chooser
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selection import Pick
from autoqa.ensemble.choosing.selector import Selector
from autoqa.ensemble.evaluation.evaluator import Contender, Evaluator
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.features.files import load_windows
from autoqa.scores.metrics import score
from autoqa.store.predictions import load_logits
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Example

from .candidates import CutWindows, Field
from .harness import RESULTS, Comparison, record

SPLITS, PUBLIC = 50, 0.4
STUDY = Path(__file__).parents[2] / "studies" / "comparisons" / "ensemble.toml"
COMMAND = "from autoqa.cli.main import main; main()"


def finished_run(folder: Path) -> StudyRun:
    """The run that the environment names, or one made here."""
    named = os.environ.get("AUTOQA_BENCH_RUN")
    if named is None and "AUTOQA_DATA" not in os.environ:
        pytest.skip("neither AUTOQA_BENCH_RUN nor AUTOQA_DATA is set")
    if named is None:
        search = [sys.executable, "-c", COMMAND, "search", str(STUDY), "--quiet"]
        home = {**os.environ, "AUTOQA_HOME": str(folder)}
        subprocess.run(search, check=True, env=home, stdout=subprocess.DEVNULL)
    run = RunFolder(Path(named) if named else folder / "ensemble")
    study = load_study(run.study_file, frozen=True)
    return StudyRun(study, run, Store(run.store_url(study.search.storage), study.name))


def pooled(run: StudyRun) -> Field:
    """Both parts together: questions, windows, and candidates with their logits."""
    opening = run.store.log_opening("random splits for the selector's benchmark", purpose="bench")
    public, private = (
        run.folder.load_examples("public"),
        run.folder.load_examples("private", opening),
    )
    records = run.candidates()
    windows = {}
    for group in sorted({each.group for each in records}):
        first, second = (
            load_windows(run.folder.windows_path(group, part)) for part in ("public", "private")
        )
        windows[group] = CutWindows(
            np.concatenate((first.bounds, second.bounds[1:] + first.bounds[-1])),
            np.concatenate((first.example, second.example + len(public))),
            np.concatenate((first.context, second.context)),
            np.concatenate((first.offsets, second.offsets)),
        )
    candidates = []
    for each in records:
        sides = zip(
            load_logits(run.folder, each.id, "public"),
            load_logits(run.folder, each.id, "private", opening),
            strict=True,
        )
        start, end = (np.concatenate(pair) for pair in sides)
        seconds = 1000 * each.inference_seconds / len(public)
        recipe = f"{each.backbone} {each.recipe_hash}"
        candidates.append(Contender(each.id, each.group, recipe, (start, end), seconds))
    return Field([*public, *private], windows, candidates)


def part_of(field: Field, rows: npt.NDArray[np.int64]) -> Field:
    """Some of the questions, ascending, with their windows and logits."""
    place = np.full(len(field.examples), -1)
    place[rows] = np.arange(len(rows))
    windows, tokens = {}, {}
    for group, whole in field.windows.items():
        kept = place[whole.example] >= 0
        sizes = np.diff(whole.bounds)
        tokens[group] = np.repeat(kept, sizes)
        windows[group] = CutWindows(
            np.concatenate(([0], np.cumsum(sizes[kept]))),
            place[whole.example[kept]].astype(np.int32),
            whole.context[kept],
            whole.offsets[tokens[group]],
        )
    candidates = [
        Contender(
            each.id,
            each.group,
            each.recipe,
            (each.logits[0][tokens[each.group]], each.logits[1][tokens[each.group]]),
            each.seconds,
            each.ingredients,
        )
        for each in field.candidates
    ]
    return Field([field.examples[row] for row in rows.tolist()], windows, candidates)


@dataclass(frozen=True)
class Ensemble:
    """An ensemble to be scored."""

    plan: EnsemblePlan

    @classmethod
    def of(cls, pick: Pick) -> "Ensemble":
        members = [Member(s.id, s.group, s.weight) for s in pick.members]
        return cls(EnsemblePlan(members, pick.tie_group))

    def jaccard(self, field: Field) -> float:
        """Mean on all questions of a field."""
        answers = aggregate(
            self.plan,
            {each.id: each.logits for each in field.candidates},
            field.windows,
            [example.context for example in field.examples],
        )
        return score([span.text for span in answers], field.examples).mean()["jaccard"]


def chosen(public: Field, limits: EnsembleLimits, seed: int) -> dict[str, Ensemble]:
    """What is selected on the public questions, by name of the way."""
    selector = Selector(public.candidates, public.windows, public.examples, limits, seed=seed)
    selection = selector.select("interval")
    single = next(other for other in selection.alternatives if other.kind == "single")
    (name, _), groups = single.members[0], {c.id: c.group for c in public.candidates}
    return {
        "single": Ensemble(EnsemblePlan([Member(name, groups[name])], groups[name])),
        "safe, rule interval": Ensemble.of(selection),
        "safe, rule mean": Ensemble.of(selector.select("mean")),
        "best": Ensemble.of(selection.best_public),
        "greedy without safeguards": unguarded(public, limits.seats),
    }


def unguarded(public: Field, seats: int) -> Ensemble:
    """Adds whatever raises the public score most, until the seats are taken."""
    evaluator = Evaluator(public.candidates, public.windows, public.examples)
    weights = np.ones(len(public.examples))
    documents = numbered([example.document for example in public.examples])
    limits = EnsembleLimits(seats=seats, recipe_cap=seats, alike=0.0)
    chooser = Chooser(evaluator, documents, weights, limits)
    members = chooser.climb(chooser.single(), chooser.ranking)
    seated = [
        Member(public.candidates[i].id, public.candidates[i].group, members.count(i))
        for i in sorted(set(members))
    ]
    return Ensemble(EnsemblePlan(seated, evaluator.groups[evaluator.leader(members, weights)]))


def drawn(examples: Sequence[Example], rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which questions are public: those of a random share of the documents."""
    documents = numbered([example.document for example in examples])
    count = int(documents.max()) + 1
    public = rng.permutation(count)[: max(2, round(PUBLIC * count))]
    return np.isin(documents, public)


def test_selection_real(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    field, table = pooled(run), run.study.selection
    limits = EnsembleLimits(seats=table.seats, recipe_cap=table.recipe_cap, quota=table.quota)
    rng = np.random.default_rng(0)
    scores: dict[str, list[float]] = {}
    for number in range(SPLITS):
        seen = drawn(field.examples, rng)
        public, private = (part_of(field, np.flatnonzero(side)) for side in (seen, ~seen))
        for name, ensemble in chosen(public, limits, number).items():
            scores.setdefault(name, []).append(ensemble.jaccard(private))
    groups = dict.fromkeys(field.windows, 0)
    for candidate in field.candidates:
        groups[candidate.group] += 1
    print(
        f"\n{len(field.candidates)} candidates of groups {groups}, {len(field.examples)} questions"
    )
    report = {"candidates": groups, "questions": len(field.examples), "private jaccard": scores}
    path = RESULTS.with_name("ensemble_vs_single_private.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    single = np.array(scores.pop("single"))
    lines = {
        "safe, rule interval": "ensemble_vs_single_private",
        "safe, rule mean": "ensemble_mean_vs_single_private",
        "best": "ensemble_best_vs_single_private",
        "greedy without safeguards": "greedy_vs_single_private",
    }
    for name, line in lines.items():
        values = np.array(scores[name])
        outcome = Comparison(
            name=line,
            ratio=round(float(values.mean() / single.mean()), 4),
            a=round(float(single.mean()), 4),
            b=round(float(values.mean()), 4),
            unit="private jaccard",
            equal=True,  # the same splits and questions
            rounds=SPLITS,
        )
        record(outcome)
        gains = values - single
        quantiles = np.quantile(gains, [0.05, 0.25, 0.5, 0.75, 0.95])
        print(
            f"{name}: {values.mean():.4f} against {single.mean():.4f}; gain {gains.mean():+.4f}, "
            f"quantiles 5 25 50 75 95: {' '.join(f'{q:+.3f}' for q in quantiles)}; "
            f"wins {np.mean(gains > 0):.0%}, ties {np.mean(gains == 0):.0%}"
        )
