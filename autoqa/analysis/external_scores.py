"""Scores from outside, as on Kaggle's leaderboard, beside the own public part."""

import math
from collections.abc import Sequence
from pathlib import Path

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.selection import stored_selection
from autoqa.bundle.manifest import NAME, parse_manifest
from autoqa.errors import ConfigError, did_you_mean
from autoqa.scores.correlation import FEWEST, Agreement, agreement
from autoqa.store.external_scores import ExternalScore

SELECTION = "selection"
"""Stands for the last selection where a candidate could be named."""


def add_external(
    run: StudyRun, what: str, score: float, board: str, note: str
) -> tuple[str, float]:
    """Writes down what a candidate or an ensemble scored elsewhere.

    Args:
        run: The study's run.
        what: A candidate's id, ``selection``, or the folder of a bundle of this study.
        score: What it scored, 0 to 1.
        board: Where.
        note: Anything to remember.

    Returns:
        What was scored (a candidate's id, or an ensemble's ids and weights), and its score on the
        own public part.

    Raises:
        ConfigError: The score is no share, the board has no name, or nothing is called so.
        BundleError: The folder holds a damaged bundle.
    """
    if not (math.isfinite(score) and 0 <= score <= 1):
        hint = f": write {score / 100:g}" if 1 < score <= 100 else ""
        raise ConfigError(f"SCORE {score:g}: scores are shares between 0 and 1{hint}")
    if not board.strip():
        raise ConfigError("--board is empty: name the leaderboard, such as kaggle-public")
    subject, public = _subject(run, what)
    run.store.add_external(subject, board.strip(), score, public, note)
    return subject, public


def predictions(externals: Sequence[ExternalScore]) -> dict[str, Agreement]:
    """How well the public part predicts each board that has enough scores; the last of each counts.

    ``FEWEST`` different candidates or ensembles are enough.
    """
    latest = {(each.board, each.subject): each for each in externals}
    boards = dict.fromkeys(each.board for each in externals)
    by_board = {
        board: [each for (where, _), each in latest.items() if where == board] for board in boards
    }
    return {
        board: agreement([each.public for each in scores], [each.score for each in scores])
        for board, scores in by_board.items()
        if len(scores) >= FEWEST
    }


def _subject(run: StudyRun, what: str) -> tuple[str, float]:
    records = {record.id: record for record in run.store.candidates()}
    if what in records:
        return what, records[what].score
    if what == SELECTION:
        selection = stored_selection(run)
        if selection is None:
            raise ConfigError(
                f"{what!r}: the study {run.study.name!r} has no selection of its present "
                f"candidates: `autoqa select {run.study.name}` makes one"
            )
        return _name([(s.id, s.weight) for s in selection.members]), selection.public.mean
    path = Path(what) / NAME
    if not path.is_file():
        hint = did_you_mean(what, [*records, SELECTION])
        raise ConfigError(
            f"CANDIDATE {what!r}: no candidate of the study {run.study.name!r}, and no bundle's "
            f"folder{hint}; `autoqa leaderboard {run.study.name}` lists the candidates"
        )
    manifest = parse_manifest(path.read_bytes(), str(path))
    if manifest.study != run.study.name:
        raise ConfigError(
            f"CANDIDATE {what!r}: this bundle is of the study {manifest.study!r}, not of "
            f"{run.study.name!r}"
        )
    return _name([(m.id, m.weight) for m in manifest.members]), manifest.public.score


def _name(members: Sequence[tuple[str, float]]) -> str:
    """A candidate's id, or ``t0001-100 + 2 t0003-100``."""
    if len(members) == 1:
        return members[0][0]
    return " + ".join(f"{weight:g} {name}" if weight != 1 else name for name, weight in members)
