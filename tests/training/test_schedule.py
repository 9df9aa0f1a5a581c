import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.recipes import Method
from autoqa.training.schedule import LearningRate

STEPS = st.lists(st.integers(1, 40), min_size=1, max_size=4)
METHODS = st.builds(
    Method,
    schedule=st.sampled_from(["linear", "cosine", "wsd"]),
    restart=st.booleans(),
    averaging=st.sampled_from(["none", "ema", "swa"]),
)
RATIO = st.sampled_from([0.0, 0.1, 0.5])


def rates(method: Method, *stages: int, warmup: float = 0.25) -> list[float]:
    schedule = LearningRate(method, stages, warmup)
    return [schedule.factor(step) for step in range(schedule.steps)]


def test_linear_rises_then_falls_to_zero() -> None:
    found = rates(Method(), 8, 12)
    assert found[:5] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6])
    assert found[5:] == pytest.approx([n / 15 for n in range(15, 0, -1)])


def test_cosine_is_half_way_down_in_the_middle() -> None:
    found = rates(Method(schedule="cosine"), 24, warmup=1 / 6)
    assert found[4] == 1
    assert found[14] == pytest.approx(0.5)


def test_wsd_decays_in_the_last_stage_only() -> None:
    found = rates(Method(schedule="wsd"), 8, 6, 4)
    assert found[:2] == pytest.approx([1 / 3, 2 / 3])
    assert found[2:14] == [1.0] * 12
    assert found[14:] == pytest.approx([1, 0.75, 0.5, 0.25])
    assert rates(Method(schedule="wsd"), 10, warmup=0.1)[6:] == pytest.approx([1, 1, 2 / 3, 1 / 3])


@given(STEPS, METHODS, RATIO)
def test_factors_are_positive_and_a_restart_begins_anew(
    stages: list[int], method: Method, warmup: float
) -> None:
    found = rates(method, *stages, warmup=warmup)
    assert all(0 < factor <= 1 for factor in found)
    if method.restart and len(stages) > 1:
        plain = Method(schedule=method.schedule)
        assert found[-stages[-1] :] == rates(plain, stages[-1], warmup=warmup)
        assert found[: -stages[-1]] == rates(plain, *stages[:-1], warmup=warmup)


@given(STEPS, STEPS, STEPS, METHODS, RATIO)
def test_a_shared_stage_has_the_same_rates_whatever_follows(
    common: list[int], one: list[int], other: list[int], method: Method, warmup: float
) -> None:
    first, second = (LearningRate(method, (*common, *rest), warmup) for rest in (one, other))
    stage = len(common) - 1
    alike = first.closes(stage) == second.closes(stage)
    if first.shared(stage) and second.shared(stage) and alike:
        for step in range(first.ends[stage]):
            assert first.factor(step) == second.factor(step)


def test_what_is_shared() -> None:
    def shared(stages: int, **method: object) -> list[bool]:
        made = LearningRate(Method(**method), (5,) * stages, 0.1)  # type: ignore[arg-type]
        return [made.shared(stage) for stage in range(stages)]

    assert shared(3, schedule="wsd") == [True, True, False]
    assert shared(3, schedule="linear") == [False, False, False]
    # Everything before the reset is a run of its own.
    assert shared(3, schedule="linear", restart=True) == [False, True, False]
    assert shared(3, schedule="wsd", averaging="swa") == [False, False, False]
    assert shared(1, schedule="wsd") == [False]
