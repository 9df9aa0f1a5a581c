"""Candidates are asked only about rows that they did not train on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.data import portions
from autoqa.data.overlay import Change, Overlay, fingerprint
from autoqa.data.prepare import load_source
from autoqa.errors import DataError
from autoqa.labels.candidate_opinions import Judges
from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.store.candidate_record import soup_hash, soup_id
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import keep_validation
from autoqa.store.weight_quota import drop
from autoqa.training.jobs import TrialJob
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from autoqa.types import Example
from tests import bundle_kit
from tests.training.conftest import make_bench  # noqa: F401

Bench = Callable[[str], Workbench]


def recipe(share: float, stages: int) -> Recipe:
    one = Stage((Portion("train", share=share), Portion("train", ("en",), share / 2)), 32, 8)
    return Recipe((one,) * stages)


def searched(
    bench: Workbench,
    jobs: Sequence[tuple[Recipe, int]],
    before: Callable[[], None] = lambda: None,
) -> StudyRun:
    """The run folder of a search that trained these recipes with these seeds."""
    folder = RunFolder(bench.run_folder)
    folder.create()
    store = Store(folder.store_url(), "toy")
    store.save_study("")
    keep_validation(folder, store, bench.data.public, bench.data.private)
    for number, (each, seed) in enumerate(jobs):
        job = TrialJob(number, "toy", TrainingRun(each, 5e-3, seed), bench.run_folder)
        before()
        run_trial(job, bench, lambda message: None)
    return StudyRun(bench.bound.study, folder, store)


def write_soup(run: StudyRun) -> None:
    """The record of an average of all candidates, with the highest score of all."""
    made = tuple(run.folder.candidate_ids())
    record = run.folder.read_record(made[0])
    soup = replace(
        record,
        id=soup_id("toy", made),
        recipe_hash=soup_hash(made),
        scores={**record.scores, "jaccard": 1.0},
        ingredients=made,
    )
    with run.folder.writing_candidate(soup.id) as partial:
        (partial / "candidate.json").write_text(json.dumps(soup.as_json()))


def names(examples: Sequence[Example], *_: Any) -> list[str]:
    return [example.id for example in examples]


def test_nobody_is_asked_about_what_he_has_seen(
    make_bench: Bench,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = make_bench("run")
    drawn: list[set[str]] = []
    draw = portions.draw

    def spy(examples: Sequence[Example], *given: Any) -> Any:
        rows = draw(examples, *given)
        drawn[-1].update(examples[row].id for row in rows)
        return rows

    jobs = [(recipe(0.3, 1), 11), (recipe(0.2, 2), 12)]
    with monkeypatch.context() as patch:
        patch.setattr(portions, "draw", spy)
        run = searched(bench, jobs, before=lambda: drawn.append(set()))
    assert len(drawn) == 2
    judges = Judges(run, "train")
    assert judges.public == 0
    assert sorted(e.id for e in judges.rows()) == sorted(e.id for e in bench.data.train["train"])
    assert sorted(c.trial for c in judges.candidates) == [0, 1]
    asked = judges.rows()
    heard = judges.ask(asked, names)
    for trial in (0, 1):
        unseen = {example.id for example in asked} - drawn[trial]
        found = [
            (example.id, opinion.value)
            for example, opinions in zip(asked, heard, strict=True)
            for opinion in opinions
            if opinion.candidate.startswith(f"t{trial:04d}")
        ]
        assert found == [(name, name) for name, _ in found]
        assert {name for name, _ in found} == unseen
        assert 0 < len(unseen) < len(asked)


def test_public_rows_are_read_from_stored_logits(make_bench: Bench) -> None:  # noqa: F811
    bench = make_bench("run")
    run = searched(bench, [(recipe(0.3, 1), 1), (recipe(0.2, 1), 2), (recipe(0.1, 1), 3)])
    for name in run.folder.candidate_ids():
        drop(run.folder, name)
    judges = Judges(run, "exam")
    assert judges.public == len(judges.rows()) == len(bench.data.public)
    heard = judges.ask(judges.rows()[::-1], names, models=2)
    assert [[o.value for o in each] for each in heard] == [
        [example.id] * 2 for example in judges.rows()[::-1]
    ]
    write_soup(run)
    assert Judges(run, "exam").candidates == judges.candidates, "no further opinion"
    best = [record.id for record in judges.candidates[:2]]
    assert {tuple(o.candidate for o in each) for each in heard} == {tuple(best)}
    # Weights that were dropped say nothing about training rows; private rows are nobody's business.
    other = Judges(run, "train")
    assert other.ask(other.rows(), names) == [[] for _ in other.rows()]
    assert judges.ask(bench.data.private, names) == [[] for _ in bench.data.private]


def test_rows_that_changed_since_the_search(make_bench: Bench, tmp_path: Path) -> None:  # noqa: F811
    bench = make_bench("run")
    run = searched(bench, [(recipe(0.1, 1), 1)])
    rows, _ = load_source("exam", bench.bound.sources["exam"])
    dropped = Change(bench.data.public[0].id, bench.data.public[0].language, None)
    path = tmp_path / "overlay.json"
    Overlay("exam", fingerprint(rows), (dropped,)).write(path)
    table = run.study.sources["exam"].model_copy(update={"overlays": (str(path),)})
    sources = {**run.study.sources, "exam": table}
    changed = StudyRun(run.study.model_copy(update={"sources": sources}), run.folder, run.store)
    with pytest.raises(
        DataError, match=r"not the one that study 'toy' began with .public: of 30 .* 1 gone"
    ):
        Judges(changed, "exam")


def test_questions_that_fill_a_window_get_an_opinion(make_bench: Bench, tmp_path: Path) -> None:  # noqa: F811
    rows = bundle_kit.examples(40)
    long = replace(rows[0], id="long", question="Where does Asha live ? " * 20, document="other")
    bundle_kit.write_squad(tmp_path / "train.json", [*rows, long])
    run = searched(make_bench("run"), [(recipe(0.02, 1), 1)])
    judges = Judges(run, "train")
    heard = judges.ask(judges.rows(), names)
    told = [row.id for row, each in zip(judges.rows(), heard, strict=True) if each]
    assert "long" in told
    assert len(told) > 30
    assert [each[0].value for each in heard if each] == told
