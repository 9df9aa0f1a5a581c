"""Does training the members again with the rows that validated them raise the score?

Held-out documents are dealt into folds, and each fold is answered by members that were trained with
the rows of the others; see :mod:`autoqa.export.refit_check`. The seeds of each run are averaged.

``AUTOQA_BENCH_RUN`` names the folder of a finished run whose recipes draw from the source that
validates. ``AUTOQA_BENCH_SEEDS`` (3) and ``AUTOQA_BENCH_FOLDS`` (5) say how much is trained: folds
times seeds times runs of the ensemble. The private part is opened once, and the run's database says
so.
"""

import os
import sys
from pathlib import Path

import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.config import load_study
from autoqa.export.export_run import chosen_seats
from autoqa.export.refit import RefitOptions
from autoqa.export.refit_check import refit_check
from autoqa.report.export import refit_sentences
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.display import PlainDisplay

from .harness import Comparison, record


def test_refit_gain() -> None:
    named = os.environ.get("AUTOQA_BENCH_RUN")
    if named is None:
        pytest.skip("AUTOQA_BENCH_RUN is not set")
    seeds = int(os.environ.get("AUTOQA_BENCH_SEEDS", "3"))
    folds = int(os.environ.get("AUTOQA_BENCH_FOLDS", "5"))
    folder = RunFolder(Path(named).resolve())
    study = load_study(folder.study_file, frozen=True)
    options = RefitOptions(seeds, PlainDisplay(sys.stderr))
    with Store(folder.store_url(study.search.storage), study.name) as store:
        run = StudyRun(study, folder, store)
        seats, tie_group = chosen_seats(run, "safe", None, print)
        effect, _ = refit_check(run, seats, tie_group, folds, options)
    print("", *refit_sentences(effect), sep="\n")
    record(
        Comparison(
            name="refit_gain",
            ratio=round(effect.ratio, 4),
            a=round(effect.before, 4),
            b=round(effect.after, 4),
            unit="jaccard of held-out folds",
            equal=True,  # the same questions
            rounds=folds,
        )
    )
