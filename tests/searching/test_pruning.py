"""A real search of a toy model in which one run is not worth its end."""

from pathlib import Path

import optuna
import pytest

from autoqa.cli.main import main
from autoqa.store.run_folder import RunFolder
from tests.toy_study import write_study

TAIL = """trials = 2
workers = 1
checkpoints = 0
prune = true
[[search.enqueue]]
backbone = "toy"
learning_rate = 5e-7
"""


def test_a_hopeless_run_ends_at_its_snapshot_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    study = write_study(tmp_path, TAIL)
    text = study.read_text().replace("[recipe]\n", "[recipe]\nlearning_rate = 20000.0\n")
    text = text.replace("batch_size = 4", "batch_size = 4\nepochs = 16.0")
    # Early enough that the run itself has not noticed yet that it learns nothing.
    study.write_text(text.replace("[0.5, 1.0]", "[0.35, 1.0]"))
    with pytest.raises(SystemExit) as caught:
        main(["search", str(study)])
    said = capfd.readouterr().err
    assert not caught.value.code, said
    folder = RunFolder(tmp_path / "runs" / "toy")
    first, second = optuna.load_study(study_name="toy", storage=folder.store_url()).trials
    assert (first.state.name, second.state.name) == ("COMPLETE", "COMPLETE")
    assert "stopped" not in first.user_attrs
    assert "behind t0000-035" in second.user_attrs["stopped"]
    assert folder.candidate_ids() == ["t0000-035", "t0000-100", "t0001-035"]
    assert "trial 1 ends early: at 35% it is" in said
    assert "trial 1 finished" in said
    assert second.value == second.intermediate_values[35]
    assert second.user_attrs["fraction"] == 0.35
