"""Which candidates go into a bundle: runs the selector, stores its selection in the run folder."""

import json
from dataclasses import replace
from typing import get_args

from autoqa.analysis.finished_run import StudyRun
from autoqa.analysis.kept_result import kept_result
from autoqa.ensemble.choosing.limits import EnsembleLimits
from autoqa.ensemble.choosing.selection import DecisionRule, Seat, Selection
from autoqa.ensemble.choosing.selector import Contender, Selector
from autoqa.errors import NothingFeasibleError, check_choice, did_you_mean
from autoqa.features.files import load_windows
from autoqa.files import write_atomically
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.candidate_rounds import outdone_rounds
from autoqa.store.predictions import load_logits


def selector(
    run: StudyRun,
    *,
    seats: int | None = None,
    quota: int | None = None,
    seconds: float | None = None,
    pupils: bool = True,
) -> Selector:
    """A selector over all candidates of a run, from stored public predictions.

    Args:
        run: The study's run.
        seats: Most members; this and the following as the study file says where left out.
        quota: Fewest seats of a group that is seated.
        seconds: Most seconds for 1,000 questions.
        pupils: Whether distilled candidates are among those to choose from.

    Raises:
        NothingFeasibleError: There is no candidate, or none that keeps to the limits.
        ConfigError: The limits contradict each other.
        DataError: Stored predictions are missing, damaged or do not fit.
    """
    records = _candidates(run, pupils)
    examples = run.folder.load_examples("public")
    table = run.study.selection
    return Selector(
        [
            Contender(
                id=record.id,
                group=record.group,
                recipe=f"{record.backbone} {record.recipe_hash}",
                logits=load_logits(run.folder, record.id, "public"),
                seconds=1000 * record.inference_seconds / max(len(examples), 1),
                ingredients=record.ingredients,
            )
            for record in records
        ],
        {
            group: load_windows(run.folder.windows_path(group, "public"))
            for group in {record.group for record in records}
        },
        examples,
        EnsembleLimits(
            seats=seats or table.seats,
            recipe_cap=table.recipe_cap,
            quota=quota or table.quota,
            seconds=seconds or table.seconds,
        ),
        seed=run.study.seed,
        aggregator=table.aggregator,
        words=table.words,
        metric=run.metric().name,
    )


def choose(
    run: StudyRun, among: Selector | None = None, rule: DecisionRule | None = None
) -> Selection:
    """Selects, and stores the selection in ``selection.json`` and in a row of the database.

    Args:
        run: The study's run.
        among: Left out, :func:`selector` with the study file's limits.
        rule: How ensembles are compared; left out, as the study file says.

    Raises:
        ConfigError: There is no such rule.
    """
    rule = run.study.selection.rule if rule is None else rule
    check_choice("rule", rule, get_args(DecisionRule))
    selection = (among or selector(run)).select(rule)
    outdone = outdone_rounds(run.candidates())
    if outdone:
        note = (
            f"Candidates of rounds that a later one outdoes, which were left out: {len(outdone)}."
        )
        selection = replace(selection, notes=(note, *selection.notes))
    write_atomically(run.folder.selection, selection.to_json())
    run.store.add_selection(json.loads(selection.to_json()))
    return selection


def stored_selection(run: StudyRun, *, pupils: bool = True) -> Selection | None:
    """The last selection, if it was made among exactly the candidates there are now.

    Args:
        run: The study's run.
        pupils: Whether distilled candidates count among them.

    Raises:
        NothingFeasibleError: There is no candidate.
        DataError: ``selection.json`` cannot be read.
    """
    records = _candidates(run, pupils)
    path = run.folder.selection
    selection = kept_result(path, Selection.from_json, "`autoqa select` writes it anew.")
    if selection is None:
        return None
    same = set(selection.considered) == {record.id for record in records}
    return selection if same and path.stat().st_mtime >= _newest(run, records) else None


def teaching_selection(run: StudyRun) -> Selection:
    """The ensemble to distil: a selection among all candidates but distilled ones.

    So the same teachers stay the teachers after their pupil has become a candidate.

    Raises:
        NothingFeasibleError: There is no candidate, or none that keeps to the limits.
        DataError: The stored selection, or predictions, cannot be read.
    """
    stored = stored_selection(run, pupils=False)
    return stored or selector(run, pupils=False).select(run.study.selection.rule)


def _candidates(run: StudyRun, pupils: bool) -> list[CandidateRecord]:
    records = run.candidates()
    outdone = outdone_rounds(records)
    return [each for each in records if each.id not in outdone and (pupils or not each.teachers)]


def candidate_seat(run: StudyRun, candidate: str) -> Seat:
    """The seat of one candidate, by its id.

    Raises:
        NothingFeasibleError: The run has no such candidate.
    """
    records = {record.id: record for record in run.candidates()}
    if candidate not in records:
        hint = did_you_mean(candidate, records)
        raise NothingFeasibleError(
            f"candidate {candidate!r}: the study {run.study.name!r} has no such candidate{hint}; "
            "`autoqa leaderboard` lists them."
        )
    return Seat(candidate, records[candidate].group, 1.0, "Named on the command line.")


def _newest(run: StudyRun, records: list[CandidateRecord]) -> float:
    return max(
        (run.folder.candidate(record.id) / "candidate.json").stat().st_mtime for record in records
    )
