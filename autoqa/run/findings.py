"""What can be read of a finished search from Python, without training anything."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, overload

from autoqa.analysis import finished_run
from autoqa.analysis.leaderboard import Leaderboard, build_leaderboard
from autoqa.analysis.leaderboard import compare as compare_candidates
from autoqa.analysis.selection import stored_selection
from autoqa.config.study import StudyFile
from autoqa.ensemble.choosing.selection import Selection
from autoqa.errors import ConfigError
from autoqa.scores.bootstrap import Comparison
from autoqa.store.candidate_record import CandidateRecord, by_score

if TYPE_CHECKING:
    from autoqa.ablation.result import Ablation
    from autoqa.analysis.answer_traces import AnswerTraces
    from autoqa.analysis.effects import Effects
    from autoqa.report.study_report import ReportFormat
    from autoqa.upkeep.study_comparison import StudyComparison


class Findings:
    """What a search left, to look at.

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

    def leaderboard(self, metric: str | None = None) -> Leaderboard:
        """Candidates with scores and intervals, the ladder's best, and what its score is worth.

        Args:
            metric: By which to rank and compare; left out, the study's.

        Raises:
            ConfigError: There is no such metric, or one of which less is better.
            DataError: Predictions, windows or questions are missing, damaged or do not fit.
        """
        return build_leaderboard(self._run, metric)

    def effects(self) -> "Effects":
        """What helped in this search, and how much of that can be known, as the report shows it.

        They are main effects, each the mean over what the other conditions were.

        Raises:
            DataError: Predictions, windows or questions are missing, damaged or do not fit, or a
                recipe is of another version.
        """
        from autoqa.analysis.effects import study_effects

        return study_effects(build_leaderboard(self._run))

    @overload
    def compare(self, first: str, second: str, metric: str | None = None) -> Comparison: ...

    @overload
    def compare(self, first: "Findings") -> "StudyComparison": ...

    def compare(
        self, first: "str | Findings", second: str | None = None, metric: str | None = None
    ) -> "Comparison | StudyComparison":
        """How much better one candidate is than another, or another study than this one.

        Two candidates are compared question by question, which counts as a read of the public part,
        once however often it is done. Another study is compared as ``autoqa compare`` does, with
        this one as the first.

        Args:
            first: A candidate's id, or another study's run.
            second: Another candidate's id; of two candidates only.
            metric: By which to compare candidates; left out, the study's. Studies are compared by
                this study's.

        Raises:
            ConfigError: There is no such candidate, or no predictions of it on this machine; or it
                is the same study, or one has nothing to compare.
            DataError: Predictions are missing, damaged or do not fit.
        """
        if isinstance(first, Findings):
            from autoqa.upkeep.study_comparison import compare_studies
            from autoqa.upkeep.study_place import place_in

            if second is not None or metric is not None:
                raise ConfigError("compare: two studies are compared by the first one's metric")
            return compare_studies(place_in(self._run.folder), place_in(first._run.folder))
        if second is None:
            raise ConfigError(
                f"compare({first!r}): name a second candidate, or give another study's run, such "
                f"as autoqa.open_run({first!r})"
            )
        return compare_candidates(self._run, first, second, metric)[0]

    def report(
        self,
        path: str | Path | None = None,
        *,
        format: "ReportFormat" = "html",
        audit: bool = False,
    ) -> Path:
        """Writes a page about the study, as ``autoqa report`` does; the sealed part stays closed.

        Args:
            path: The file; left out, ``NAME-report`` with the format's ending in this folder.
            format: ``html``: one page that needs nothing beside it; ``markdown``: tables for a
                README; ``json``: all figures.
            audit: Look at the sources, too, which can take minutes; of ``html`` only.

        Returns:
            The file.

        Raises:
            ConfigError: There is no such format, or it has no place for an audit.
            DataError: The file cannot be written.
            AutoqaError: Something of the study is damaged. The file is written, shows what there
                is, and says what is missing.
        """
        from autoqa.report.study_report import study_report, write_report
        from autoqa.upkeep.study_place import place_in

        folder = self._run.folder
        made = study_report(place_in(folder), format, folder.study_file if audit else None)
        written = write_report(made, path)
        if made.overview.problem is not None:
            raise made.overview.problem
        return written

    def selection(self) -> Selection | None:
        """The last selection, if it was made among exactly the candidates there are now."""
        return stored_selection(self._run)

    def answers(self) -> "AnswerTraces":
        """What the selected ensemble and its members answer to each public question.

        They are as an export gives them: rules for their ends, and when there is none, apply.

        Returns:
            Answers with their scores, and the votes on words where voters disagree.

        Raises:
            ConfigError: Nothing was selected among the candidates that there are now.
            DataError: Predictions, windows or questions are missing or damaged.
        """
        from autoqa.analysis.answer_traces import trace_answers
        from autoqa.analysis.finished_plan import finished_plan

        selection = self.selection()
        if selection is None:
            raise ConfigError(
                f"study {self.name}: no ensemble was selected among the candidates that there are "
                "now; call select() first"
            )
        plan = finished_plan(self._run, selection.members, selection.tie_group)
        return trace_answers(self._run, plan)

    def ablation(self, base: str | None = None) -> "Ablation":
        """What is known of what helps a recipe, without training, as ``autoqa ablate --show``.

        Args:
            base: Of this base; left out, of whichever was ablated last.

        Raises:
            ConfigError: There is none.
            DataError: It is damaged, or of a newer version.
        """
        from autoqa.ablation.result import kept_ablation

        return kept_ablation(self._run.folder, self.name, base)

    def close(self) -> None:
        """Closes the study's database."""
        self._run.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, folder={str(self.folder)!r})"
