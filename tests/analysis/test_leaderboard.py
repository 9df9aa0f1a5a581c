"""The leaderboard's scores are those of the stored predictions, and comparisons are reads."""

import subprocess
import sys

import numpy as np
import pytest

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.leaderboard import build_leaderboard, compare
from autoqa.errors import ConfigError


def test_candidates_are_ranked_and_scored_from_their_predictions(finished: StudyRun) -> None:
    board = build_leaderboard(finished)
    scores = [record.score for record in board.ranked]
    assert scores == sorted(scores, reverse=True)
    assert [record.trial for record in board.compared] == [1, 2, 3, 4]
    assert board.scores.shape == (4, len(board.examples)) == (4, 16)
    means = [record.score for record in board.compared]
    np.testing.assert_allclose(board.scores.mean(axis=1), means, atol=1e-9)
    assert len(set(board.documents)) == 8


def test_the_best_has_a_statement_and_a_gain_of_every_other_on_it(finished: StudyRun) -> None:
    board = build_leaderboard(finished)
    best = board.best
    assert best is not None
    assert set(best.rivals) == {record.id for record in board.compared} - {best.id}
    row = [record.id for record in board.compared].index(best.id)
    assert best.statement.public == pytest.approx(board.scores[row].mean())
    assert best.statement.reads == sum(board.reads.values())
    for number, record in enumerate(board.compared):
        if record.id != best.id:
            difference = (board.scores[number] - board.scores[row]).mean()
            assert best.rivals[record.id].gain == pytest.approx(difference)


def test_a_candidate_whose_files_are_elsewhere_is_ranked_but_not_compared(
    finished: StudyRun,
) -> None:
    (finished.folder.candidate("t0002-100") / "candidate.json").unlink()
    board = build_leaderboard(finished)
    assert "t0002-100" in {record.id for record in board.ranked}
    assert "t0002-100" not in {record.id for record in board.compared}
    with pytest.raises(ConfigError, match="its predictions are not in"):
        compare(finished, "t0001-100", "t0002-100")


def test_a_comparison_is_one_read_and_turns_its_sign_with_its_order(finished: StudyRun) -> None:
    before = sum(finished.store.public_reads().values())
    forth, examples = compare(finished, "t0001-100", "t0003-100")
    back, _ = compare(finished, "t0003-100", "t0001-100")
    assert len(examples) == 16
    assert forth.gain == pytest.approx(-back.gain)
    assert sum(finished.store.public_reads().values()) == before + 1
    compare(finished, "t0001-100", "t0003-100", metric=finished.metric().name)
    assert sum(finished.store.public_reads().values()) == before + 1
    compare(finished, "t0001-100", "t0003-100", metric="f1")
    assert sum(finished.store.public_reads().values()) == before + 2


@pytest.mark.parametrize(
    "names, sentence",
    [
        (("t0001-100", "t0001-100"), "give two different candidates"),
        (("t0001-100", "t001-100"), "no such candidate; did you mean 't0001-100'"),
    ],
)
def test_what_cannot_be_compared_is_refused_and_is_no_read(
    finished: StudyRun, names: tuple[str, str], sentence: str
) -> None:
    before = finished.store.public_reads()
    with pytest.raises(ConfigError, match=sentence):
        compare(finished, *names)
    assert finished.store.public_reads() == before


def test_a_leaderboard_loads_neither_the_format_of_bundles_nor_torch() -> None:
    code = (
        "import sys, autoqa.analysis.leaderboard, autoqa.analysis.private_scores; "
        "print([name for name in sys.modules if name.startswith(('autoqa.bundle', 'torch'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
