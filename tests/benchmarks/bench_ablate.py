"""Whether an ablation tells a planted useful augmentation from a planted useless one.

Ten studies (:mod:`tests.ablation.planted`), each with data and seeds of its own, are searched and
ablated as the command does it. Half of the training rows are labelled wrongly; one augmentation
labels them rightly, the other changes the order of rows, which is random anyway.
"""

from pathlib import Path

import pytest

from autoqa.ablation.ablate import ablate
from autoqa.ablation.experiment import AblationOptions
from autoqa.ablation.result import ArmResult
from autoqa.analysis.finished_run import open_run
from autoqa.supervision.display import QuietDisplay
from tests.ablation.planted import search_planted

from .harness import Comparison, record

SEEDS = 10


def ablated(folder: Path, seed: int) -> dict[str, ArmResult]:
    with pytest.MonkeyPatch.context() as patch:
        search_planted(folder, patch, seed)
        run = open_run("planted")
        with run.store:
            found = ablate(run, AblationOptions(over=("augmentations",)), QuietDisplay())
    return {arm.subject: arm for arm in found.arms}


def test_planted_augmentations(tmp_path: Path) -> None:
    told = 0
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        arms = ablated(folder, seed)
        useful, useless = arms["planted-repair"], arms["planted-shuffle"]
        told += useful.verdict == "helps" and useless.verdict == "no clear effect"
        print(
            f"\nseed {seed}: "
            + "; ".join(
                f"{arm.subject} {arm.effect:+.3f} ({arm.low:+.3f} to {arm.high:+.3f}) after "
                f"{arm.seeds} seeds: {arm.verdict}"
                for arm in (useful, useless)
            ),
            flush=True,
        )
    record(
        Comparison(
            name="ablation tells the useful from the useless augmentation",
            ratio=told / SEEDS,
            a=SEEDS,
            b=told,
            unit="studies",
            equal=True,
            rounds=SEEDS,
        )
    )
    assert told >= 9
