"""Studies on the same questions are compared in pairs, others are not, and that is said."""

from pathlib import Path

import numpy as np
import pytest

from autoqa.analysis.finished_run import open_run
from autoqa.analysis.leaderboard import build_leaderboard
from autoqa.analysis.selection import choose
from autoqa.errors import ConfigError
from autoqa.upkeep.study_comparison import StudyComparison, compare_studies, unpaired
from autoqa.upkeep.study_place import find_study
from tests import report_kit


def compared(first: str, second: str) -> StudyComparison:
    return compare_studies(find_study(first), find_study(second))


def best_scores(name: str) -> np.ndarray:
    run = open_run(name)
    with run.store:
        board = build_leaderboard(run)
    assert board.best is not None
    ids = [record.id for record in board.compared]
    row: np.ndarray = board.scores[ids.index(board.best.id)]
    return row


def test_the_same_questions_are_paired(made: Path) -> None:
    found = compared("made", "other")
    assert found.is_paired
    assert found.shared == 56
    gain = best_scores("other").mean() - best_scores("made").mean()
    assert found.best.gain == pytest.approx(gain)
    assert found.best.low < gain < found.best.high
    assert found.ensemble is None, "other has none"
    back = compared("other", "made")
    assert back.best.gain == pytest.approx(-found.best.gain)
    assert found.changes == {"search": ["search.trials: 12 -> 3"]}
    assert [each.finished for each in found.outcomes] == [12, 3]


def test_the_order_of_questions_does_not_matter(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = report_kit.examples(56)[::-1]
    report_kit.write_study(made.parent, "turned", trials=2, rows=rows, seed=2)
    found = compared("made", "turned")
    assert found.is_paired
    assert found.outcomes[0].validation == found.outcomes[1].validation
    expected = best_scores("turned").mean() - best_scores("made").mean()
    assert found.best.gain == pytest.approx(expected)


def test_both_ensembles_are_compared_where_there_are_two(made: Path) -> None:
    run = open_run("other")
    with run.store:
        choose(run)
    found = compared("made", "other")
    assert found.ensemble is not None
    first, second = (each.public for each in found.outcomes)
    assert first is not None
    assert second is not None
    assert found.ensemble.gain == pytest.approx(second.mean - first.mean)


def test_other_questions_are_not_paired(made: Path) -> None:
    report_kit.write_study(made.parent, "smaller", trials=2, questions=28, seed=2)
    found = compared("made", "smaller")
    assert not found.is_paired
    assert found.shared == 28
    paired = compared("made", "other")
    assert found.best.standard_error > paired.best.standard_error * 0.5
    expected = best_scores("smaller").mean() - best_scores("made").mean()
    assert found.best.gain == pytest.approx(expected)


def test_independent_means_have_the_errors_of_both() -> None:
    rng = np.random.default_rng(0)
    low, high = rng.normal(0.4, 0.1, 400), rng.normal(0.5, 0.1, 100)
    documents = [f"a{n}" for n in range(400)]
    found = unpaired(high, [f"b{n}" for n in range(100)], low, documents)
    expected = np.sqrt(low.var(ddof=1) / 400 + high.var(ddof=1) / 100)
    assert found.standard_error == pytest.approx(expected, rel=0.01)
    assert found.high - found.low == pytest.approx(2 * 1.96 * expected, rel=0.01)
    assert found.p_better > 0.99


def test_a_study_is_not_compared_with_itself_or_with_nothing(made: Path) -> None:
    with pytest.raises(ConfigError, match="give two different studies"):
        compared("made", "made")
    for path in (made.parent / "other" / "candidates").iterdir():
        (path / "candidate.json").unlink()
    with pytest.raises(ConfigError, match="no candidate with predictions"):
        compared("made", "other")
