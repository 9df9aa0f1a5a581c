import shutil
from pathlib import Path

import optuna
from optuna.trial import TrialState

from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import TrialAttributes

GOLDEN = Path(__file__).parents[1] / "golden" / "searched" / "golden" / "study.db"


def test_attributes_are_flat_and_come_back() -> None:
    trial = optuna.create_study().ask()
    written = TrialAttributes(
        backbone="e5",
        slower=True,
        learning_rate=0.0,
        candidates=["t0000-050"],
        scores={"jaccard_half_width": 0.02, "f1": 0.5, "jaccard_hi": 0.25},
    )
    written.write(trial)
    TrialAttributes(worker=0).write(trial)
    assert trial.user_attrs == {
        "backbone": "e5",
        "slower": True,
        "learning_rate": 0.0,
        "jaccard_half_width": 0.02,
        "candidates": ["t0000-050"],
        "f1": 0.5,
        "jaccard_hi": 0.25,
        "worker": 0,
    }
    trial.set_user_attr("a note from the dashboard", "looks odd")
    read = TrialAttributes.of(trial)
    assert (read.backbone, read.worker, read.learning_rate) == ("e5", 0, 0.0)
    assert (read.slower, read.origin, read.scores) == (True, None, {})


def test_the_names_of_the_first_release_are_read(tmp_path: Path) -> None:
    shutil.copy(GOLDEN, tmp_path)
    study = open_study("golden", f"sqlite:///{tmp_path / 'study.db'}", seed=5)
    trained = [
        trial
        for trial in study.get_trials(states=[TrialState.COMPLETE])
        if "next seconds" in trial.user_attrs
    ]
    assert len(trained) == 5
    for trial in trained:
        attributes = TrialAttributes.of(trial)
        assert attributes.next_seconds == trial.user_attrs["next seconds"]
        assert attributes.trained_steps == trial.user_attrs["trained steps"]
        assert attributes.reused_steps == trial.user_attrs["reused steps"] == 0
        assert attributes.windows_per_second == trial.user_attrs["windows_per_second"]
