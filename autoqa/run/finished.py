"""What a search left, from Python: :func:`open_run`, :class:`Run`.

Every method does what the command of that name does, without printing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autoqa.analysis import finished_run
from autoqa.analysis.selection import choose, selector
from autoqa.bundle.manifest import Manifest
from autoqa.ensemble.choosing.selection import DecisionRule, PickName, Selection
from autoqa.errors import ConfigError
from autoqa.export.export_run import chosen_seats, export_run
from autoqa.run.findings import Findings
from autoqa.run.main_script import check_main_script
from autoqa.store.candidate_record import CandidateRecord
from autoqa.types import WeightFormat

if TYPE_CHECKING:
    from autoqa.ablation.result import Ablation
    from autoqa.export.refit import RefitOptions
    from autoqa.export.refit_check import RefitEffect


class Run(Findings):
    """What a search left: candidates, leaderboard, report, ablations, selection, export.

    Holds the study's database open until :meth:`close`, or until the end of a ``with`` block.

    Attributes:
        study: The study file as the search froze it.
    """

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
        refit: bool = False,
        seeds: int = 1,
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
            refit: First train the members again with the rows held out for validation as well;
                the scores stay those of the members before. Workers are processes that import the
                calling script anew, as those of :func:`search`.
            seeds: With ``refit``: how often each run is trained; the weights are averaged.

        Returns:
            The bundle's manifest, with members, scores of both parts and files.

        Raises:
            ConfigError: The target is in the way, or a refit would add no rows.
            NothingFeasibleError: There is no (such) candidate.
            MissingAssetError: Members' weights were dropped; ``autoqa retrain`` makes them again.
            DataError: Predictions, weights or records are missing or damaged.
            TrainingError: A run of the refit failed.
        """
        return export_run(
            self._run,
            Path(target),
            pick=pick,
            candidate=candidate,
            weights=weights,
            refit=_refit_options(seeds, f"Run.export({str(target)!r}, refit=True)")
            if refit
            else None,
            force=force,
            announce=lambda _: None,
        )[0]

    def export_member(self, member: str, target: str | Path, *, force: bool = False) -> None:
        """Writes one candidate into a folder that transformers reads without autoqa.

        Args:
            member: The candidate's id.
            target: The folder to make.
            force: Replace an older folder of the kind.

        Raises:
            ConfigError: The target is in the way, or transformers has no class for the model.
            NothingFeasibleError: There is no such candidate.
            MissingAssetError: The weights were dropped.
            DataError: Weights or tokenizer are missing or damaged.
        """
        # transformers is imported for those who ask for it.
        from autoqa.export.as_transformers import export_as_transformers

        export_as_transformers(self._run, member, Path(target), force=force)

    def refit_check(
        self,
        *,
        folds: int = 5,
        seeds: int = 1,
        pick: PickName = "safe",
        candidate: str | None = None,
    ) -> "RefitEffect":
        """Measures by folds of the held-out documents what a refit brings.

        For each fold the members are trained again with the rows of the other folds, and compared
        on its questions with the members as they are. Opens the private part, unless the same was
        measured before.

        Args:
            folds: How many.
            seeds: How often each run is trained in each fold; the weights are averaged.
            pick: Which of the selection's two picks.
            candidate: This candidate alone, not the selection.

        Raises:
            ConfigError: There are no rows to add, or fewer documents than folds.
            NothingFeasibleError: There is no (such) candidate.
            DataError: A record or predictions are damaged, or the data are not those of then.
            TrainingError: A run failed.
        """
        options = _refit_options(seeds, "Run.refit_check()")
        from autoqa.export.refit_check import refit_check

        seats, tie_group = chosen_seats(self._run, pick, candidate, lambda _: None)
        return refit_check(self._run, seats, tie_group, folds, options)[0]

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
        from autoqa.supervision.display_choice import choose_display

        check_main_script(f"Run.distil({backbone!r})")
        path = None if unlabelled is None else Path(unlabelled)
        display = choose_display(quiet)
        return distil_run(self._run, backbone, display, pick=pick, unlabelled=path).pupil

    def ablate(
        self,
        *,
        base: str | None = None,
        over: str | Sequence[str] = (),
        only: str | None = None,
        seeds: int = 8,
        minutes: float | None = None,
        runs: int | None = None,
        workers: int | None = None,
        quiet: bool = True,
    ) -> "Ablation":
        """Finds out what of a recipe helps; the same call goes on where it stopped.

        Runs with one thing left out or added are paired with runs of the recipe itself. They are no
        candidates; each counts as a read of the public part. Workers are processes that import the
        calling script anew, as those of :func:`search`.

        Args:
            base: A candidate's id, ``protocol`` or ``protocol:BACKBONE``; left out, the best
                candidate by the ladder.
            over: ``augmentations``, ``stages``, ``sources``, ``languages``, ``order``, ``methods``;
                left out, all of them.
            only: One thing, such as a source or an augmentation.
            seeds: Most for each arm; 3 at least.
            minutes: All is over by then.
            runs: Most runs that are trained now.
            workers: In place of ``[search].workers``.
            quiet: Show nothing while it runs.

        Raises:
            ConfigError: Base, factor or arm do not exist, a number is out of range, there is
                nothing to ablate, or the study file has been changed.
            MissingAssetError: Weights or data are not on this machine.
            DataError: The data are not those of then.
            NothingFeasibleError: No candidate's predictions are on this machine.
            TrainingError: A run of the base failed.
            SearchInterruptedError: A signal asked for the end; what was complete is kept.
            AutoqaError: Another process leads the study.
        """
        check_main_script("Run.ablate()")
        from autoqa.ablation.ablate import ablate
        from autoqa.ablation.experiment import AblationOptions
        from autoqa.supervision.display_choice import choose_display

        factors = (over,) if isinstance(over, str) else tuple(over)
        options = AblationOptions(base, factors, only, seeds, minutes, runs, workers)
        return ablate(self._run, options, choose_display(quiet))


def _refit_options(seeds: int, call: str) -> "RefitOptions":
    check_main_script(call)
    from autoqa.export.refit import RefitOptions

    if seeds < 1:
        raise ConfigError(f"seeds = {seeds}: each run is trained once at least")
    return RefitOptions(seeds)


def open_run(study: str | Path) -> Run:
    """Opens what a search left.

    Args:
        study: The study's name, or its study file.

    Raises:
        ConfigError: No search of that name has run here.
    """
    return Run(finished_run.open_run(str(study)))
