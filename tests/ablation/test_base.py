"""Which recipe experiments start from."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.ablation.base import find_base
from autoqa.analysis.finished_run import StudyRun, open_run
from autoqa.analysis.leaderboard import build_leaderboard
from autoqa.api import TrainingProtocol
from autoqa.errors import ConfigError
from autoqa.proposals.space import Space
from tests import bundle_kit


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyRun:
    """Four candidates of two backbones, and a mean of two of them, best of all by its row."""
    bundle_kit.write_run(tmp_path)
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    run = open_run("toy")
    first, second = run.store.candidates()[:2]
    run.store.add_candidate(
        replace(
            first,
            id="soup-plain-012345",
            recipe_hash="0" * 12,
            scores={**first.scores, "jaccard": 1.0},
            ingredients=(first.id, second.id),
        )
    )
    return run


@pytest.fixture
def spaces(run: StudyRun) -> Mapping[str, Space]:
    protocol = TrainingProtocol(learning_rate=1e-4, length=24, stride=6)
    languages = {"toy": ("en", "hi")}
    return {name: Space(name, protocol, run.study.recipe, languages) for name in ("plain", "lower")}


def test_left_out_it_is_the_ladders_best(run: StudyRun, spaces: Mapping[str, Space]) -> None:
    best = build_leaderboard(run).best
    assert best is not None
    base = find_base(run, spaces, None)
    record = next(record for record in run.store.candidates() if record.id == best.id)
    assert base.label == best.id
    assert (base.backbone, base.run, base.fraction) == (record.backbone, record.training_run, 1.0)
    assert base.slots == {"toy"}


def test_a_candidate_by_its_name(run: StudyRun, spaces: Mapping[str, Space]) -> None:
    base = find_base(run, spaces, "t0003-100")
    assert (base.label, base.backbone, base.run.seed) == ("t0003-100", "lower", 3)


@pytest.mark.parametrize("named, backbone", [("protocol", "plain"), ("protocol:lower", "lower")])
def test_protocols(run: StudyRun, spaces: Mapping[str, Space], named: str, backbone: str) -> None:
    base = find_base(run, spaces, named)
    assert (base.label, base.backbone) == (f"protocol:{backbone}", backbone)
    assert base.run.learning_rate == 1e-4
    assert [portion.source for portion in base.run.recipe.stages[0].portions] == ["toy"]


def test_what_was_made_of_others_has_no_recipe_of_its_own(
    run: StudyRun, spaces: Mapping[str, Space]
) -> None:
    with pytest.raises(ConfigError, match=r"made of other candidates.*: t0001-100, t0002-100$"):
        find_base(run, spaces, "soup-plain-012345")


def test_a_backbone_that_is_gone(run: StudyRun, spaces: Mapping[str, Space]) -> None:
    with pytest.raises(ConfigError, match="no backbone 'lower' any more"):
        find_base(run, {"plain": spaces["plain"]}, "t0003-100")
