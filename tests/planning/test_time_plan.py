"""How many runs fit, and how small they become."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.errors import NothingFeasibleError
from autoqa.planning.run_timing import RunTiming, TimedPortion, mean_timing
from autoqa.planning.share_scale import MIN_SHARE, ShareScale
from autoqa.planning.time_plan import MIN_STEPS, check_one_run, fit_scale, plan_time


def timing(*portions: tuple[str, float, int], batch: int = 1, speed: float = 10.0) -> RunTiming:
    """A run whose windows have ten tokens, trained at so many windows a second."""
    timed = tuple(TimedPortion(name, share, n, 10 * n) for name, share, n in portions)
    return RunTiming(
        portions=timed, batch_size=batch, setup=5.0, tokens_per_second=10 * speed, evaluation=20.0
    )


RUN = timing(("squad", 0.1, 6000), ("tydi", 1.0, 2000), ("target", 2.0, 800), ("target", 1.0, 400))


def fit(run: RunTiming, seconds: float, workers: int = 2, runs: int = 4) -> ShareScale:
    return fit_scale(
        {"e5": run},
        seconds=seconds,
        workers=workers,
        snapshots=2,
        runs=runs,
        target="target",
    )


def test_a_run_takes_setup_training_and_evaluations() -> None:
    assert RUN.windows() == 9200
    assert RUN.windows_per_second == 10
    assert RUN.seconds(2) == 5 + 920 + 40
    half = ShareScale({"squad": 0.5, "target": 0.5}, "target")
    assert RUN.windows(half) == 3000 + 2000 + 400 + 400


def test_timings_of_neighbours_are_averaged_and_stored() -> None:
    both = mean_timing([RUN, timing(*[("squad", 1.0, 1)], speed=30.0)])
    assert both.tokens_per_second == 200
    assert both.portions == RUN.portions
    assert RunTiming.from_json(RUN.as_json()) == RUN


def test_a_limit_that_holds_the_minimum_changes_nothing() -> None:
    assert not fit(RUN, 2 * 965).factors
    assert not fit(RUN, 965, runs=2).factors
    assert not fit(RUN, 965, workers=4).factors


def test_the_largest_source_is_made_smaller_first() -> None:
    scale = fit(RUN, 2 * 765)
    assert set(scale.factors) == {"squad"}
    assert scale.factors["squad"] == pytest.approx(4000 / 6000, abs=0.01)
    further = fit(RUN, 2 * 300)
    assert set(further.factors) == {"squad", "tydi"}
    assert 6000 * further.factors["squad"] == pytest.approx(
        2000 * further.factors["tydi"], rel=0.01
    )


def test_the_target_is_repeated_less_where_that_is_not_enough() -> None:
    scale = fit(RUN, 2 * 230)
    assert scale.factors["squad"] == scale.factors["tydi"] == MIN_SHARE
    assert 0.5 < scale.factors["target"] < 1
    least = fit(RUN, 10)
    assert RUN.windows(least) == 600 + 200 + 400 + 400


def test_a_run_keeps_enough_steps() -> None:
    large_batches = timing(("squad", 0.1, 6000), ("target", 1.0, 400), batch=32)
    scale = fit(large_batches, 10)
    assert large_batches.windows(scale) == pytest.approx(32 * MIN_STEPS, rel=0.01)
    tiny = timing(("squad", 0.1, 60), batch=32)
    assert not fit(tiny, 10).factors, "it has fewer steps to begin with"


def plan(run: RunTiming, minutes: float, scale: ShareScale | None = None) -> list[str]:
    made = plan_time(
        {"e5": run},
        minutes=minutes,
        seconds=60 * minutes,
        workers=2,
        snapshots=2,
        scale=scale or ShareScale(),
    )
    check_one_run(made, 60 * minutes, backbones=1, fit=scale is not None)
    return made.sentences()


def test_the_plan_is_a_sentence() -> None:
    assert plan(RUN, 36) == [
        "36 minutes hold about 4 runs of 9,200 windows (about 16 minutes each on 2 workers)"
    ]
    scale = ShareScale({"squad": 0.5, "target": 0.5}, "target")
    fewer = plan(RUN, 36, scale)
    assert fewer[0].startswith("36 minutes hold about 6 runs of 5,800 windows (about 10 minutes")
    assert "of 9,200 windows (about 16 minutes each) 5,800 are left" in fewer[1]
    assert "squad 50%, target repeated 50%" in fewer[1]


def test_a_limit_that_holds_most_of_a_run_has_it_made_smaller() -> None:
    (sentence,) = plan(RUN, 14)
    assert sentence.startswith("14 minutes hold less than one run of 9,200 windows (about 16 min")


def test_a_limit_without_any_run_is_refused_with_the_minutes_it_takes() -> None:
    with pytest.raises(NothingFeasibleError, match=r"search.minutes = 2 holds no run") as caught:
        plan(RUN, 2, ShareScale({"squad": 0.1}, "target"))
    assert "the smallest run that is worth training has 3,800 windows" in str(caught.value)
    assert "give it 9 minutes or more" in str(caught.value)
    assert caught.value.exit_code == 5
    with pytest.raises(NothingFeasibleError, match="`fit = true` below"):
        plan(RUN, 2)


@settings(max_examples=80)
@given(
    st.lists(st.integers(1, 20_000), min_size=1, max_size=4),
    st.floats(1.0, 4.0),
    st.floats(1.0, 5000.0),
    st.integers(1, 4),
)
def test_what_is_scaled_fits_or_is_as_small_as_may_be(
    sizes: list[int], repeated: float, seconds: float, workers: int
) -> None:
    portions = [(f"s{number}", 0.5, size) for number, size in enumerate(sizes)]
    run = timing(*portions, ("target", repeated, 500), batch=2)
    scale = fit(run, seconds, workers)
    rounds = -(-4 // workers)
    least = fit(run, 0.0, workers)
    assert all(MIN_SHARE <= factor < 1 for factor in scale.factors.values())
    assert scale.share("target", 1.0) == 1.0
    if rounds * run.seconds(2, least) <= seconds:
        assert rounds * run.seconds(2, scale) <= seconds * 1.01
    else:
        assert run.windows(scale) == pytest.approx(run.windows(least), rel=0.01, abs=1)


def test_a_backbone_that_is_too_slow_is_named() -> None:
    both = {"small": RUN, "large": timing(("squad", 0.1, 6000), speed=0.5)}
    made = plan_time(both, minutes=36, seconds=2160, workers=2, snapshots=2, scale=ShareScale())
    check_one_run(made, 2160, backbones=2, fit=False)
    assert made.sentences()[-1] == "no run of large fits, so none is tried"
