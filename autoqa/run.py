"""Searches and their results from Python: :func:`search`, :func:`open_run`, :class:`Run`.

Every method does what the command of that name does, without printing.
"""

from multiprocessing import current_process
from pathlib import Path
from types import TracebackType

from autoqa.analysis import finished_run
from autoqa.analysis.leaderboard import Leaderboard, build_leaderboard, compare
from autoqa.analysis.selection import choose, selector, stored_selection
from autoqa.bundle.manifest import Manifest
from autoqa.config.study import StudyFile
from autoqa.ensemble.choosing.selection import DecisionRule, PickName, Selection
from autoqa.errors import ConfigError
from autoqa.export.export_run import export_run
from autoqa.scores.bootstrap import Comparison
from autoqa.store.candidate_record import CandidateRecord, by_score
from autoqa.types import WeightFormat


class Run:
    """What a search left: candidates, leaderboard, selection, export.

    Holds the study's database open until :meth:`close`, or until the end of a ``with`` block.

    Attributes:
        study: The study file as the search froze it.
    """

    def __init__(self, run: finished_run.StudyRun) -> None:
        self.study: StudyFile = run.study
        self._run = run

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.name

    @property
    def folder(self) -> Path:
        """Where its results lie."""
        return self._run.folder.path

    def candidates(self) -> list[CandidateRecord]:
        """All candidates whose files are on this machine, the highest public score first.

        Raises:
            NothingFeasibleError: There is none.
        """
        return sorted(self._run.candidates(), key=by_score)

    def leaderboard(self) -> Leaderboard:
        """Candidates with scores and intervals, the ladder's best, and what its score is worth.

        Raises:
            DataError: Predictions, windows or questions are missing, damaged or do not fit.
        """
        return build_leaderboard(self._run)

    def compare(self, first: str, second: str) -> Comparison:
        """How much better one candidate is than another; counts as a read of the public part.

        Raises:
            ConfigError: There is no such candidate, or no predictions of it on this machine.
        """
        return compare(self._run, first, second)[0]

    def selection(self) -> Selection | None:
        """The last selection, if it was made among exactly the candidates there are now."""
        return stored_selection(self._run)

    def select(
        self,
        *,
        seats: int | None = None,
        quota: int | None = None,
        seconds: float | None = None,
        rule: DecisionRule | None = None,
    ) -> Selection:
        """Chooses the ensemble and keeps the selection; what is left out, the study file says.

        Args:
            seats: Most members.
            quota: Fewest seats of a group that is seated at all.
            seconds: Most seconds for 1,000 questions, as measured in the search.
            rule: ``interval`` takes the simpler ensemble unless a larger one is clearly better,
                ``mean`` the higher mean, ``shrinkage`` the equal mean of comparable candidates
                unless prior and evidence expect more of another.

        Raises:
            NothingFeasibleError: There is no candidate, or none that keeps to the limits.
            ConfigError: The limits contradict each other.
            DataError: Stored predictions are missing, damaged or do not fit.
        """
        among = selector(self._run, seats=seats, quota=quota, seconds=seconds)
        return choose(self._run, among, rule)

    def export(
        self,
        target: str | Path,
        *,
        pick: PickName = "safe",
        candidate: str | None = None,
        weights: WeightFormat = "fp16",
        force: bool = False,
    ) -> Manifest:
        """Writes the ensemble into one folder, which ``autoqa.load`` opens.

        The private part is opened once to score the ensemble; an ensemble that was scored there
        before keeps its score.

        Args:
            target: The folder to make.
            pick: ``safe``: what the rule chose; ``best``: the highest public score.
            candidate: This candidate alone, not the selection.
            weights: ``fp16``, ``onnx`` or ``onnx-int8``.
            force: Replace a bundle that is there.

        Returns:
            The bundle's manifest: members, scores of both parts, files.

        Raises:
            ConfigError: The target is in the way.
            NothingFeasibleError: There is no (such) candidate.
            MissingAssetError: Members' weights were dropped; ``autoqa retrain`` makes them again.
            DataError: Predictions, weights or records are missing or damaged.
        """
        return export_run(
            self._run,
            Path(target),
            pick=pick,
            candidate=candidate,
            weights=weights,
            force=force,
            announce=lambda _: None,
        )[0]

    def distil(
        self,
        backbone: str,
        unlabelled: str | Path | None = None,
        *,
        pick: PickName = "safe",
        quiet: bool = True,
    ) -> CandidateRecord:
        """Teaches one model what the ensemble says; it becomes a candidate, which can be exported.

        The worker that trains imports the calling script anew, so a script must call this below
        ``if __name__ == "__main__":``.

        Args:
            backbone: The pupil's, a name in the study file.
            unlabelled: A file with questions and contexts without answers to learn from, too.
            pick: Which ensemble teaches; ``safe``: what the rule chose; ``best``: the highest
                public score.
            quiet: Show nothing while it runs.

        Raises:
            ConfigError: There is no such backbone, or the study file has been changed.
            MissingAssetError: Teachers' weights were dropped; ``autoqa retrain`` makes them again.
            DataError: The file cannot be used, or the data are not those of then.
            TrainingError: The run failed.
            SearchInterruptedError: A signal ended it; the same call goes on.
        """
        from autoqa.export.distilled import distil_run
        from autoqa.searching.display import choose_display

        _refuse_in_worker(f"Run.distil({backbone!r})")
        path = None if unlabelled is None else Path(unlabelled)
        display = choose_display(quiet)
        return distil_run(self._run, backbone, display, pick=pick, unlabelled=path).pupil

    def close(self) -> None:
        """Closes the study's database."""
        self._run.store.close()

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Run({self.name!r}, folder={str(self.folder)!r})"


def open_run(study: str | Path) -> Run:
    """Opens what a search left.

    Args:
        study: The study's name, or its study file.

    Raises:
        ConfigError: No search of that name has run here.
    """
    return Run(finished_run.open_run(str(study)))


def search(
    path: str | Path,
    *,
    trials: int | None = None,
    minutes: float | None = None,
    workers: int | None = None,
    accept_changes: bool = False,
    quiet: bool = True,
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
        quiet: Show nothing while it runs.

    Returns:
        The run, with all candidates of this and earlier searches.

    Raises:
        ConfigError: The study file is wrong, or differs from the one that the search began with.
        PluginError: A plugin is unknown or broken.
        MissingAssetError: WeightFormat or data are not on this machine.
        SearchInterruptedError: A signal ended it; nothing that finished is lost.
        NothingFeasibleError: No trial ever finished.
    """
    from autoqa.data import prepare_data
    from autoqa.registry import open_study
    from autoqa.searching.display import choose_display
    from autoqa.searching.runner import run_search
    from autoqa.searching.setup import SearchOptions

    _refuse_in_worker(f"autoqa.search({str(path)!r})")
    path = Path(path)
    result = run_search(
        open_study(path),
        path.read_text(encoding="utf-8-sig"),
        prepare_data,
        SearchOptions(trials, minutes, workers, accept_changes),
        display=choose_display(quiet),
    )
    return open_run(result.study)


def _refuse_in_worker(call: str) -> None:
    if current_process().name.startswith("autoqa-worker-"):
        raise ConfigError(
            f"{call} was called by a script that a worker process imports: "
            'call it below `if __name__ == "__main__":`'
        )
