import math

import pytest

from autoqa.errors import TrainingError
from autoqa.training.engine import StepLoss
from autoqa.training.progress import PATIENCE, Pace


def run(losses: list[float], warmup: int = 10, chance: float = 5.0) -> int:
    """Feeds losses until the run is given up; returns the step."""
    pace = Pace(warmup)
    for step, loss in enumerate(losses, 1):
        lost = StepLoss(loss, chance)
        pace.count(lost, 8, 0.5)
        try:
            pace.check(lost, step, len(losses), 3e-5)
        except TrainingError:
            return step
    return 0


def test_a_run_that_learns_goes_on() -> None:
    assert run([5.0 * 0.99**step for step in range(400)]) == 0


def test_a_run_that_never_learns_is_given_up_after_the_warm_up() -> None:
    assert run([5.0] * 400, warmup=30) == 30 + PATIENCE


def test_a_run_that_collapses_later_is_given_up() -> None:
    learning, collapsed = [2.0] * 200, [5.0] * 200
    assert 200 < run(learning + collapsed) <= 200 + PATIENCE


def test_a_short_run_is_never_given_up() -> None:
    assert run([5.0] * PATIENCE) == 0


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_what_is_no_number_ends_the_run_at_once(loss: float) -> None:
    assert run([4.0, loss, 4.0]) == 2


def test_the_sentence_names_rate_steps_and_way_out() -> None:
    pace, lost = Pace(0), StepLoss(4.99, 5.0)
    for _ in range(PATIENCE):
        pace.count(lost, 8, 0.1)
    with pytest.raises(TrainingError) as caught:
        pace.check(lost, PATIENCE, 300, 3e-5)
    assert str(caught.value) == (
        "The run collapsed: the loss of the last 100 steps until step 100 of 300 is 100% of that "
        "of guessing, with learning rate 3e-05; use a lower rate or a longer warm-up."
    )
    assert pace.windows_per_second == pytest.approx(80)
