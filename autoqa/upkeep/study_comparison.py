"""Two studies side by side: what differs in file, data and space, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from autoqa.analysis.finished_plan import finished_plan
from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.leaderboard import build_leaderboard
from autoqa.analysis.selection import stored_selection
from autoqa.analysis.stored_predictions import load_part
from autoqa.arrays import Doubles
from autoqa.config.changes import describe_changes
from autoqa.config.load import load_study
from autoqa.errors import ConfigError
from autoqa.scores.bootstrap import Comparison, Interval, interval, paired
from autoqa.scores.metrics import score_by
from autoqa.scores.standard_errors import Spread
from autoqa.scores.stated_score import Statement
from autoqa.store.example_lines import to_line
from autoqa.types import Example
from autoqa.upkeep.overview import trial_costs
from autoqa.upkeep.study_place import StudyPlace
from autoqa.upkeep.trial_counts import read_trials

_ROOMS = {
    "sources": "data",
    "validation": "data",
    "recipe": "space",
    "backbones": "space",
}
"""What the tables of a study file are about; the others are about the search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOutcome:
    """What came of one of the studies.

    Attributes:
        name: The study.
        validation: Fingerprint of its validation set.
        questions: Public questions.
        documents: Their documents.
        finished: Trials that left a candidate.
        hours: Device hours of all trials.
        best: Id of the ladder's best candidate.
        statement: What that is worth.
        ensemble: The selection's members; empty where none was made.
        public: The selection's public score.
    """

    name: str
    validation: str | None
    questions: int
    documents: int
    finished: int
    hours: float
    best: str
    statement: Statement
    ensemble: tuple[str, ...]
    public: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyComparison:
    """How two studies differ.

    Attributes:
        metric: By which they are compared: the first one's.
        outcomes: What came of each.
        changes: Lines on what differs in the files, by ``data``, ``space`` and ``search``.
        training: Sources whose rows to train on differ; ``None`` where a search did not say.
        versions: Packages whose versions differ, with both versions.
        is_paired: Whether both were scored on the same questions.
        shared: Public questions that both have.
        best: What the second one's best gains on the first one's.
        ensemble: Likewise of the ensembles, where both have one.
    """

    metric: str
    outcomes: tuple[StudyOutcome, StudyOutcome]
    changes: Mapping[str, Sequence[str]]
    training: Sequence[str] | None
    versions: Mapping[str, tuple[str, str]]
    is_paired: bool
    shared: int
    best: Comparison
    ensemble: Comparison | None


@dataclass(frozen=True, slots=True)
class _Side:
    """One study, read.

    Attributes:
        outcome: What came of it.
        run: Its run.
        examples: Its public questions, in an order that their texts decide.
        best: Score of its best candidate on each, ``[Q]``.
        ensemble: Of its ensemble.
        conditions: What its search had.
    """

    outcome: StudyOutcome
    run: StudyRun
    examples: Sequence[Example]
    best: Doubles
    ensemble: Doubles | None
    conditions: Mapping[str, Any]


def compare_studies(first: StudyPlace, second: StudyPlace) -> StudyComparison:
    """Compares two studies; reads only, and opens no sealed part.

    Where both have the same public questions, scores are compared question by question; else their
    difference may be one of the questions, and its interval is that of independent means.

    Args:
        first: What is compared with.
        second: Whose gain is stated.

    Raises:
        ConfigError: It is the same study, or one has nothing to compare on this machine.
        AutoqaError: A database cannot be read.
        DataError: Predictions are damaged.
    """
    if first.name == second.name:
        raise ConfigError(f"STUDY {first.name!r} twice: give two different studies")
    metric = _study_of(first).validation.metric
    before, after = _read(first, metric), _read(second, metric)
    lines = [list(map(to_line, side.examples)) for side in (before, after)]
    same = lines[0] == lines[1]
    both = before.ensemble is not None and after.ensemble is not None
    old, new = before.conditions.get("data"), after.conditions.get("data")
    return StudyComparison(
        metric=metric,
        outcomes=(before.outcome, after.outcome),
        changes=_changes(before.run, after.run),
        training=None if old is None or new is None else _different(old, new),
        versions=_versions(before.conditions, after.conditions),
        is_paired=same,
        shared=len(set(lines[0]) & set(lines[1])),
        best=_gain(before.examples, after.examples, before.best, after.best, same),
        ensemble=_gain(before.examples, after.examples, before.ensemble, after.ensemble, same)
        if both
        else None,
    )


def _study_of(place: StudyPlace) -> Any:
    if place.folder is None:
        raise ConfigError(
            f"STUDY {place.name!r}: its run folder is not on this machine, and so no predictions"
        )
    return load_study(place.folder.study_file, frozen=True)


def _read(place: StudyPlace, metric: str) -> _Side:
    study = _study_of(place)
    assert place.folder is not None
    with place.look() as store:
        run = StudyRun(study, place.folder, store)
        board = build_leaderboard(run, metric)
        if board.best is None:
            raise ConfigError(
                f"STUDY {place.name!r}: it has no candidate with predictions on this machine; "
                f"`autoqa status {place.name}` says how far it is"
            )
        order = np.argsort([to_line(example) for example in board.examples], kind="stable")
        examples = [board.examples[number] for number in order]
        ids = [record.id for record in board.compared]
        members, ensemble = _ensemble(run, metric)
        costs = trial_costs(read_trials(store.full_url, store.study))
        return _Side(
            StudyOutcome(
                name=study.name,
                validation=store.validation_fingerprint(),
                questions=len(examples),
                documents=len(set(board.documents)),
                finished=len({record.trial for record in board.ranked}),
                hours=sum(each.hours for each in costs),
                best=board.best.id,
                statement=board.best.statement,
                ensemble=members,
                public=None if ensemble is None else interval(ensemble, board.documents),
            ),
            run,
            examples,
            board.scores[ids.index(board.best.id)][order],
            None if ensemble is None else ensemble[order],
            store.conditions() or {},
        )


def _ensemble(run: StudyRun, metric: str) -> tuple[tuple[str, ...], Doubles | None]:
    """Members of the last selection, and its score on each public question."""
    selection = stored_selection(run)
    if selection is None:
        return (), None
    plan = finished_plan(run, selection.members, selection.tie_group)
    part = load_part(run, plan.members, "public")
    answers = [span.text for span in part.spans(plan)]
    return tuple(m.id for m in plan.members), score_by(metric, answers, part.examples)


def _changes(before: StudyRun, after: StudyRun) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in describe_changes(before.study, after.study):
        table = line.split(".")[0].split("[")[0].split(":")[0]
        if table != "name":
            found.setdefault(_ROOMS.get(table, "search"), []).append(line)
    return found


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))


def _versions(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    old, new = before.get("environment", {}), after.get("environment", {})
    if not old or not new:
        return {}
    return {name: (old.get(name, "–"), new.get(name, "–")) for name in _different(old, new)}


def _gain(
    first: Sequence[Example],
    second: Sequence[Example],
    before: Doubles | None,
    after: Doubles | None,
    same: bool,
) -> Comparison:
    assert before is not None
    assert after is not None
    if same:
        return paired(after, before, [example.document for example in first])
    return unpaired(
        after,
        [example.document for example in second],
        before,
        [example.document for example in first],
    )


def unpaired(
    first: Doubles,
    first_documents: Sequence[str],
    second: Doubles,
    second_documents: Sequence[str],
) -> Comparison:
    """How much better one mean is than another of other questions: normal, errors by documents.

    Args:
        first: A score per question.
        first_documents: Document of each.
        second: Scores of other questions.
        second_documents: Document of each.
    """
    errors = Spread(first, first_documents).error(0), Spread(second, second_documents).error(0)
    gain, error = float(first.mean() - second.mean()), float(np.hypot(*errors))
    normal = NormalDist()
    half = normal.inv_cdf(0.975) * error
    better = normal.cdf(gain / error) if error else 0.5 + 0.5 * float(np.sign(gain))
    return Comparison(gain, gain - half, gain + half, error, better)
