"""What has to hold after a round, looked at from outside."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from autoqa.store.candidate_record import parse_record
from autoqa.store.study_tables import Store
from autoqa.store.weight_quota import MODEL_WEIGHTS
from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import TrialAttributes, counts
from tests.conftest import Run
from tests.drill import processes, runs
from tests.drill.processes import StuckError, until
from tests.drill.round import Round

PREDICTIONS = {"public.safetensors", "sealed/private.safetensors"}


def check(round_: Round, run: Run) -> list[str]:
    """Sentences on all that is wrong with a round that is over."""
    found = list(round_.problems)
    try:
        until(lambda: not processes.marked(round_.mark), 5, "processes are left over")
    except StuckError as error:
        found.append(str(error))
    found += _tracebacks(round_)
    found += _trials(round_)
    found += round_.watch.changed()
    found += _ran_twice(round_)
    found += _wrong_weights(round_)
    found += _damaged_used(round_, run)
    found += _made_again(round_)
    found += _leaderboard(round_, run)
    return found


def _tracebacks(round_: Round) -> Iterable[str]:
    for path in sorted(round_.folder.glob("said-*.txt")):
        said = path.read_text(errors="replace")
        if "Traceback" in said:
            yield f"{path.name}: {said[said.index('Traceback') :][-3000:]}"


def _trials(round_: Round) -> Iterable[str]:
    trials = open_study(round_.name, round_.url, 3).get_trials(deepcopy=False)
    complete: dict[int, FrozenTrial] = {}
    for trial in trials:
        if trial.state in (TrialState.RUNNING, TrialState.WAITING):
            yield f"trial {trial.number} is still {trial.state.name}"
        own = TrialAttributes.of(trial)
        if trial.state == TrialState.COMPLETE and own.duplicate_of is None:
            complete[trial.number] = trial
    if len(complete) != round_.total:
        failed = [trial for trial in trials if trial.state == TrialState.FAIL and counts(trial)]
        told = "; ".join(f"{each.number}: {each.user_attrs}" for each in failed)
        yield f"{len(complete)} trials finished of {round_.total}; failed: {told}"
    runs_of = Counter(TrialAttributes.of(trial).identity for trial in complete.values())
    yield from (
        f"{count} trials finished the run {key}" for key, count in runs_of.items() if count > 1
    )
    for path in round_.run_folder.logs.rglob("search.log"):
        for number, value in re.findall(
            r"trial (\d+) finished in .*: jaccard ([\d.]+)", path.read_text()
        ):
            trial = complete.get(int(number))
            if trial is None or f"{trial.value:.3f}" != value:
                now = trials[int(number)] if int(number) < len(trials) else None
                yield f"trial {number} finished with {value} and is {now} now"
    names = {
        *round_.run_folder.candidate_ids(),
        *filter(round_.watch.is_aside, round_.watch.damaged),
    }
    for trial in complete.values():
        missing = set(TrialAttributes.of(trial).candidates or ()) - names
        if missing:
            yield f"trial {trial.number} is finished, and {', '.join(missing)} not on disk"
    with Store(round_.url, round_.name) as store:
        yield from (f"{each.process} still has a lease" for each in store.searchers())
        apart = {record.id for record in store.candidates()} - names
    if apart:
        yield f"in the database, and not on disk: {', '.join(sorted(apart))}"


def _ran_twice(round_: Round) -> Iterable[str]:
    path = round_.orders / "ended.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    lost = {name.split("-")[0] for name in round_.watch.damaged if round_.watch.is_aside(name)}
    ended = Counter(row["run"] for row in rows if f"t{row['trial']:04d}" not in lost)
    yield from (
        f"{run} was run to its end {count} times" for run, count in ended.items() if count > 1
    )


def _wrong_weights(round_: Round) -> Iterable[str]:
    for name in round_.run_folder.candidate_ids():
        record = parse_record(
            (round_.run_folder.candidate(name) / "candidate.json").read_bytes(), name
        )
        steps = runs.STEPS if record.fraction == 1.0 else runs.HALF
        path = round_.run_folder.candidate(name) / MODEL_WEIGHTS
        right = path.is_file() and path.read_bytes() == runs.weights(record.training_run.key, steps)
        if not right and MODEL_WEIGHTS not in round_.watch.damaged.get(name, ()):
            yield f"candidate {name} was trained from something else than its beginning"


def _damaged_used(round_: Round, run: Run) -> Iterable[str]:
    """Predictions that are damaged take no part; weights that are cannot be exported."""
    predictions = {
        name for name in round_.watch.still_damaged() if PREDICTIONS & round_.watch.damaged[name]
    }
    aside = set(filter(round_.watch.is_aside, round_.watch.damaged))
    whole = set(round_.run_folder.candidate_ids()) - predictions
    code, _, err = run("select", round_.name)
    if code:
        yield f"select ended with {code}: {err}"
        return
    considered = set(json.loads(round_.run_folder.selection.read_text())["considered"])
    if considered != whole:
        yield f"selection considered {considered ^ whole} wrongly"
    board = json.loads(run("leaderboard", round_.name, "--json")[1])
    for row in board["candidates"]:
        compared = row["best"] or row["against_best"] is not None
        if compared is (row["id"] in predictions | aside - whole):
            yield f"{row['id']} compared: {compared}"
    for name in round_.watch.still_damaged():
        if MODEL_WEIGHTS in round_.watch.damaged[name]:
            target = round_.folder / "bundle"
            code, _, err = run("export", round_.name, "--candidate", name, "--to", target)
            said = " ".join(err.split())
            if (
                code != 4
                or f"the weights of {name} are damaged or lost" not in said
                or target.exists()
            ):
                yield f"export of {name} ended with {code}: {err}"


def _made_again(round_: Round) -> Iterable[str]:
    with Store(round_.url, round_.name) as store:
        known = {record.id for record in store.candidates()}
    # A candidate whose row was lost with the database is gone once its files are damaged, too.
    names = sorted(known & set(round_.watch.still_damaged()))
    if not names:
        return
    said = round_.folder / "said-retrain.txt"
    code = round_.process("retrain", *names, said=said).wait(60)
    if code:
        yield f"retrain ended with {code}: {said.read_text()}"
    left = known & set(round_.watch.still_damaged(but=("checksums.json", "trial.json")))
    yield from (f"{name} was not made again as it was" for name in sorted(left))


def _leaderboard(round_: Round, run: Run) -> Iterable[str]:
    code, out, err = run("leaderboard", round_.name, "--json")
    if code:
        yield f"leaderboard ended with {code}: {err}"
        return
    shown: dict[str, Any] = {row["id"]: row for row in json.loads(out)["candidates"]}
    names = round_.run_folder.candidate_ids()
    if sorted(shown) != names:
        yield f"the leaderboard shows {set(shown) ^ set(names)} or not, unlike the disk"
    for name in set(names) & set(shown):
        record = json.loads((round_.run_folder.candidate(name) / "candidate.json").read_text())
        differ = [key for key in ("trial", "backbone", "seed") if record[key] != shown[name][key]]
        if differ or record["scores"]["jaccard"] != shown[name]["jaccard"]:
            yield f"the leaderboard's {name} differs from its file"
        if not (shown[name]["best"] or shown[name]["against_best"]):
            yield f"{name} is whole, and not compared"
