"""Notes in Markdown that Optuna's dashboard shows of a study and of its trials."""

from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial, TrialState

from autoqa.config.study import StudyFile
from autoqa.store.candidate_record import CandidateRecord
from autoqa.trials.trial_attributes import TrialAttributes

_STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.RUNNING: "running, or its search has ended and the next one goes on with it",
    TrialState.WAITING: "waiting",
    TrialState.FAIL: "failed",
    TrialState.PRUNED: "its row was lost with the database",
}

_READING = """## How to read this

- A trial is one training run; its value is the score of its last snapshot on the public part of
  the validation set. The private part stays sealed and is shown nowhere here.
- Of many scores the highest is in part luck: the plot *history-with-ladder* moves its line only
  for a gain of more than one standard error, and `autoqa leaderboard {name}` says what the best is
  worth.
- *Fail* is also what an interrupted run shows whose parameters were queued again
  (`queued_again`), and a trial that repeats a running one (`duplicate_of`).
- Trials marked `elsewhere` were trained in another study that this one began with.
- Rename and remove a study by `autoqa studies`, not here."""


def study_note(study: StudyFile, trials: Sequence[FrozenTrial], part: Mapping[str, int]) -> str:
    """What is searched, on which data, by which protocol, and how to read the pages.

    Args:
        study: The study file.
        trials: All of its trials.
        part: Counts of the public part by what is counted; empty where it is not on this machine.
    """
    validation, search = study.validation, study.search
    finished = sum(
        trial.state == TrialState.COMPLETE and TrialAttributes.of(trial).duplicate_of is None
        for trial in trials
    )
    names = sorted({name for trial in trials for name in trial.params})
    counts = "".join(f", {count} {kind}" for kind, count in part.items())
    limits = [f"{search.trials} trials"]
    limits += [f"{search.minutes:g} minutes"] if search.minutes else []
    limits += [f"{search.device_hours:g} device-hours"] if search.device_hours else []
    slots = [portion.slot for portion in study.recipe.portions]
    snapshots = ", ".join(f"{100 * each:g} %" for each in search.snapshots)
    return "\n".join(
        [
            f"# {_plain(study.name)}",
            "",
            f"{finished} of {search.trials} trials have finished.",
            "",
            "## What is searched",
            "",
            "| backbone | type |",
            "|---|---|",
            *(f"| `{name}` | `{table.type}` |" for name, table in study.backbones.items()),
            "",
            f"Portions of recipes: {', '.join(f'`{slot}`' for slot in slots)}.",
            "Parameters: " + (", ".join(f"`{name}`" for name in names) or "none yet") + ".",
            "",
            "## Data and protocol",
            "",
            *(f"- source `{name}`: `{table.type}`" for name, table in study.sources.items()),
            f"- validation: source `{validation.source}`, metric `{validation.metric}`, "
            f"{100 * validation.share:g} % of its documents{counts}",
            f"- snapshots at {snapshots} of a run; seed {study.seed}; at most {', '.join(limits)}",
            "",
            _READING.format(name=study.name),
        ]
    )


def trial_note(trial: FrozenTrial, snapshots: Sequence[CandidateRecord]) -> str:
    """A trial's name, its recipe card, what became of it, and its snapshots.

    Args:
        trial: The trial.
        snapshots: Candidates of its run, in order of time.
    """
    attributes = TrialAttributes.of(trial)
    parts = [f"# {trial_name(trial)}", ""]
    if attributes.recipe:
        parts += [f"`{attributes.recipe}`", ""]
    parts += [f"- {line}" for line in _facts(trial, attributes)]
    if attributes.card:
        parts += ["", "## Recipe card", "", "```text", attributes.card, "```"]
    if snapshots:
        parts += ["", "## Snapshots", "", *_snapshot_table(snapshots)]
    return "\n".join(parts)


def trial_name(trial: FrozenTrial) -> str:
    """``Trial 3: e5, 0.812``: its number, backbone, and value where it has one."""
    backbone = TrialAttributes.of(trial).backbone or "nothing chosen yet"
    value = trial.value if trial.state == TrialState.COMPLETE else None
    return f"Trial {trial.number}: {_plain(backbone)}" + ("" if value is None else f", {value:.3f}")


def _facts(trial: FrozenTrial, attributes: TrialAttributes) -> list[str]:
    facts = [_STATES[trial.state]]
    if attributes.origin:
        facts.append(f"parameters from: {_plain(attributes.origin)}")
    if attributes.duplicate_of is not None:
        facts.append(f"repeats trial {attributes.duplicate_of} and was not trained")
    if attributes.retry_of is not None:
        slower = " at half its learning rate" if attributes.slower else ""
        facts.append(f"repeats trial {attributes.retry_of}{slower}, which failed")
    if attributes.continues is not None:
        facts.append(f"goes on with trial {attributes.continues}, which was interrupted")
    if attributes.elsewhere:
        facts.append("was trained in another study; its value is that study's, moved to this one's")
    for label, text in (("ended early", attributes.stopped), ("failure", attributes.failure)):
        if text:
            facts.append(f"{label}: `{text.replace('`', chr(39))}`")
    return facts


def _snapshot_table(snapshots: Sequence[CandidateRecord]) -> list[str]:
    columns = score_columns(snapshots)
    head = ("candidate", "of the run", *columns)
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for record in snapshots:
        values = scores_of(record)
        cells = [record.id, f"{100 * record.fraction:g} %"]
        cells += [f"{values[name]:.3f}" if name in values else "–" for name in columns]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def scores_of(record: CandidateRecord) -> dict[str, float]:
    """A candidate's scores under the names that trials' attributes have: one spelling for all."""
    half = {} if record.half_width is None else {f"{record.metric}_half_width": record.half_width}
    languages = {f"{record.metric}_{name}": value for name, value in record.by_language.items()}
    return {record.metric: record.score, **half, **record.further_scores, **languages}


def score_columns(records: Sequence[CandidateRecord]) -> list[str]:
    """All names of :func:`scores_of`, in the order in which they come first."""
    return list(dict.fromkeys(name for record in records for name in scores_of(record)))


def _plain(text: str) -> str:
    """A name without what Markdown would read as a sign."""
    return "".join(f"\\{each}" if each in r"\`*_[]<>#|$" else each for each in text)
