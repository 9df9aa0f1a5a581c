"""How much of an ensemble one distilled model keeps, and how much faster it is.

``AUTOQA_BENCH_RUN`` names the folder of a finished run whose data are on this machine. It is
copied, so neither candidates nor openings of its private part are added to it.
``AUTOQA_BENCH_BACKBONE`` names the pupil's backbone; left out, that of the candidate with the
highest public score.
"""

import os
import shutil
from pathlib import Path

import pytest

import autoqa
from autoqa.bundle.input_rows import Row

from .harness import Comparison, compare, record

ROUNDS = 3


def test_distil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = os.environ.get("AUTOQA_BENCH_RUN")
    if named is None:
        pytest.skip("AUTOQA_BENCH_RUN is not set")
    origin = Path(named).resolve()
    shutil.copytree(origin, tmp_path / origin.name)
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    with autoqa.open_run(origin.name) as run:
        run.select()
        ensemble = run.export(tmp_path / "ensemble")
        best = run.candidates()[0].backbone
        pupil = run.distil(os.environ.get("AUTOQA_BENCH_BACKBONE", best), quiet=False)
        single = run.export(tmp_path / "pupil", candidate=pupil.id)
        examples = run._run.folder.load_examples("public")
    rows = [Row(each.id, each.question, each.context, each.language) for each in examples]
    one, other = (autoqa.load(tmp_path / name) for name in ("ensemble", "pupil"))
    print(f"\n{len(ensemble.members)} models, {ensemble.private}; {pupil.id}, {single.private}")
    record(
        Comparison(
            name="distil_vs_ensemble",
            ratio=round(single.private.score / ensemble.private.score, 4),
            a=round(ensemble.private.score, 4),
            b=round(single.private.score, 4),
            unit="private jaccard",
            equal=True,  # the same questions
            rounds=1,
        )
    )
    compare(
        "distil_speed",
        lambda: one.predict(rows, keep_loaded=True),
        lambda: other.predict(rows, keep_loaded=True),
        rounds=ROUNDS,
        unit="questions/s",
        amount=len,
        equal=lambda _, __: True,  # their answers may differ; how much is the line above
    )
