"""The time limit of a search."""

import time

from autoqa.supervision.budget import Budget


def test_budget() -> None:
    assert Budget().fits(1e9)
    assert Budget().deadline is None
    fresh = Budget(10.0)
    assert fresh.end == fresh.start + 600
    assert fresh.deadline == fresh.start + 570
    assert fresh.fits(None)
    assert fresh.fits(900)  # 60 % of it fit
    assert not fresh.fits(1000)
    over = Budget(1.0, start=time.time() - 60)
    assert not over.fits(None)
    assert not over.overrun()
    assert Budget(1.0, start=time.time() - 600).overrun()
