"""Is what the leaderboard states of its best candidate true?

Searches with known truth (:mod:`tests.scores.simulate`): 400 public questions, 200 reads, each
candidate a perturbation of the best so far. The practice takes the highest public mean with its
usual 95 % interval. ``ladder_honesty`` is the share of runs in which the stated interval of the
ladder's best holds its true score, ``ladder_optimism`` what is left of the practice's optimism
(``ratio`` is the share that is gone), ``ladder_width`` the price: half the width of the interval.
"""

from tests.scores.simulate import Outcome, Setting, outcome, settings

from .harness import Comparison, record

RUNS, OTHERS = 1000, 300


def test_ladder_honesty() -> None:
    found = outcome(Setting(), RUNS)
    lines = (
        ("ladder_honesty", found.covered, found.naive_covered, found.covered, "share of runs"),
        (
            "ladder_optimism",
            1 - found.optimism / found.naive_optimism,
            found.naive_optimism,
            found.optimism,
            "mean stated less true Jaccard",
        ),
        (
            "ladder_width",
            found.naive_half_width / found.half_width,
            found.naive_half_width,
            found.half_width,
            "mean half-width",
        ),
    )
    for name, ratio, naive, stated, unit in lines:
        record(
            Comparison(
                name=name,
                ratio=round(ratio, 3),
                a=round(naive, 4),
                b=round(stated, 4),
                unit=unit,
                equal=True,
                rounds=RUNS,
            )
        )
    print(f"\n{'setting':38} | covered naive | optimism naive | half-width naive")
    show("200 reads, 100 documents", found)
    for name, setting in settings():
        show(name, outcome(setting, OTHERS))


def show(name: str, found: Outcome) -> None:
    print(
        f"{name:38} | {found.covered:7.3f} {found.naive_covered:5.3f} "
        f"| {found.optimism:+8.4f} {found.naive_optimism:+.4f} "
        f"| {found.half_width:10.3f} {found.naive_half_width:.3f}"
    )
