"""A search from Python: :func:`search`."""

from pathlib import Path
from typing import TYPE_CHECKING

from autoqa.analysis.finished_run import open_run as open_study_run
from autoqa.run.finished import Run, open_run
from autoqa.run.main_script import check_main_script

if TYPE_CHECKING:
    from autoqa.trials.warm_start import PastStudy


def search(
    path: str | Path,
    *,
    trials: int | None = None,
    minutes: float | None = None,
    workers: int | None = None,
    accept_changes: bool = False,
    warm_start: str | None = None,
    quiet: bool = True,
    verbose: bool = False,
) -> Run:
    """Searches recipes for a study file, or goes on where an earlier search stopped.

    Workers are processes that import the calling script anew, so a script must call this below
    ``if __name__ == "__main__":``.

    Args:
        path: The study file.
        trials: In place of the file's ``[search] trials``.
        minutes: In place of its ``[search] minutes``.
        workers: In place of its ``[search] workers``.
        accept_changes: Go on although the study file has been changed.
        warm_start: Another study, by its name or file, whose trials are known beforehand.
        quiet: Show nothing while it runs.
        verbose: Without ``quiet``, show details, too: recipe cards, snapshots, times.

    Returns:
        The run, with all candidates of this and earlier searches.

    Raises:
        ConfigError: The study file is wrong, or differs from the one that the search began with.
        PluginError: A plugin is unknown or broken.
        MissingAssetError: Weights or data are not on this machine.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
        NothingFeasibleError: No trial ever finished.
    """
    from autoqa.data import prepare_data
    from autoqa.registry import open_study
    from autoqa.searching.runner import run_search
    from autoqa.searching.setup import SearchOptions
    from autoqa.supervision.display_choice import choose_display

    check_main_script(f"autoqa.search({str(path)!r})")
    path = Path(path)
    past = None if warm_start is None else open_past(warm_start)
    result = run_search(
        open_study(path),
        path.read_text(encoding="utf-8-sig"),
        prepare_data,
        SearchOptions(trials, minutes, workers, accept_changes, past),
        display=choose_display(quiet, verbose=verbose),
    )
    return open_run(result.study)


def open_past(study: str) -> "PastStudy":
    """A study that was searched before, for another one to begin with.

    Args:
        study: Its name, or its study file.

    Raises:
        ConfigError: No search of that name has run here.
        DataError: Its public questions are missing or damaged.
    """
    from autoqa.trials.optuna_study import past_study

    earlier = open_study_run(study)
    with earlier.store:
        return past_study(earlier.study, earlier.folder)
