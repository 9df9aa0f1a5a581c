"""Faults of the machine: each is caused, and costs no trial."""

from pathlib import Path
from typing import Any

import pytest

from autoqa.searching.setup import SearchOptions
from autoqa.supervision import hearing, life_signs
from tests.searching import fakes
from tests.searching.test_search import states, trials


@pytest.mark.parametrize("factory", [fakes.stopped_once, fakes.deadlocked_once])
def test_a_worker_that_hangs_is_noticed_and_its_trial_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factory: Any
) -> None:
    monkeypatch.setattr(life_signs, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(life_signs, "SILENT_GAPS", 2.0)
    monkeypatch.setattr(hearing, "HUNG_SECONDS", 0.2)
    events = fakes.Events()
    options = SearchOptions(trials=2, workers=1)
    result = fakes.search(tmp_path, factory, options=options, display=events)
    assert (result.finished, result.failed) == (2, 0)
    assert states() == ["FAIL", "COMPLETE", "COMPLETE"]
    lost, again = trials()[:2]
    assert "worker has said nothing for" in lost.user_attrs["failure"]
    assert lost.user_attrs["failure"].endswith("s while training")
    assert again.user_attrs["continues"] == 0
    assert "retry_of" not in again.user_attrs
    assert events.said("while training; queued again")
