"""What the dashboard of a large study takes: 200 trials of two points, 400 public questions."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from autoqa.dashboard.server import application, opened_pages
from autoqa.upkeep.study_place import find_study
from tests import report_kit

from .harness import Comparison, record

pytest.importorskip("optuna_dashboard")

TRIALS = int(os.environ.get("AUTOQA_BENCH_REPORT_TRIALS", "200"))
QUESTIONS = 400
SECONDS = 10.0
"""What a report may take, and so each of these."""


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def test_dashboard_of_many_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    made = report_kit.write_study(tmp_path / "runs", trials=TRIALS, questions=QUESTIONS)
    context = opened_pages(find_study(made.name))
    pages, opening = _timed(context.__enter__)
    _, ladder = _timed(pages.refresh)
    app = application(pages)

    def ask() -> Any:
        request: dict[str, Any] = {"PATH_INFO": "/api/studies/1"}
        setup_testing_defaults(request)
        return json.loads(b"".join(app(request, lambda *_: None)))

    detail, page = _timed(ask)
    context.__exit__(None, None, None)
    assert len(detail["trials"]) == TRIALS + 1
    assert len(detail["plotly_graph_objects"]) == 4
    print(
        f"\n{TRIALS} trials: {opening:.2f} s of CPU until pages are served, {ladder:.2f} s until "
        f"plots have all candidates, {page:.2f} s for all that a page asks for"
    )
    for name, took in (("opening", opening), ("plots", ladder), ("page", page)):
        record(
            Comparison(
                name=f"dashboard_{name}",
                ratio=round(SECONDS / took, 1),
                a=SECONDS,
                b=round(took, 3),
                unit="s",
                equal=True,
                rounds=1,
            )
        )
