"""One process's part in the search of a study: what it needs, put together once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from autoqa.config.study import StudyFile
from autoqa.data import StudyData
from autoqa.planning.hopeless import HopelessRuns
from autoqa.planning.run_timing import RunTiming
from autoqa.proposals.first_points import points
from autoqa.proposals.space import Space
from autoqa.registry import BoundStudy
from autoqa.searching.loop import Loop
from autoqa.searching.pace import SearchPace
from autoqa.searching.peers import Peers
from autoqa.searching.recording import Recorder
from autoqa.searching.retention import Retention
from autoqa.searching.rounds import Rounds
from autoqa.searching.setup import fingerprint
from autoqa.searching.soup_maker import SoupMaker
from autoqa.searching.soups import soup_maker
from autoqa.searching.time_limit import snapshots_of, stored_scale, use_scale
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.supervision.budget import SOUPS_SHARE, Budget
from autoqa.supervision.display import Display
from autoqa.supervision.membership import Membership
from autoqa.tracking.trackers import Trackers
from autoqa.trials.optuna_study import check_spaces, open_study
from autoqa.trials.trials import Trials
from autoqa.workers.base import WorkerPool, WorkerSettings
from autoqa.workers.job_runner import Factory
from autoqa.workers.registry import Workers
from autoqa.workers.resources import WorkerPlan


@dataclass(frozen=True)
class Session:
    """What a process searches with.

    Attributes:
        bound: The study with its plugins.
        data: Its examples.
        plan: How many workers, and what each has.
        pool: The workers, none of them running yet.
        budget: Time.
        recorder: Writes down what comes back from workers.
        peers: Who else searches the study.
        make_pool: Makes other workers of the same kind.
        here: Whether they run on this machine.
    """

    bound: BoundStudy
    data: StudyData
    plan: WorkerPlan
    pool: WorkerPool
    budget: Budget
    recorder: Recorder
    peers: Peers
    make_pool: Callable[[WorkerPlan], WorkerPool]
    here: bool

    def with_plan(self, plan: WorkerPlan) -> "Session":
        """The same with other workers, none of them running yet."""
        if plan == self.plan:
            return self
        return replace(self, plan=plan, pool=self.make_pool(plan))

    @property
    def study(self) -> StudyFile:
        """The study file."""
        return self.bound.study

    @property
    def trials(self) -> Trials:
        """The study's trials."""
        return self.recorder.trials

    @property
    def store(self) -> Store:
        """The study's database."""
        return self.recorder.store

    @property
    def folder(self) -> RunFolder:
        """The study's run folder."""
        return self.recorder.folder

    @property
    def display(self) -> Display:
        """What people see."""
        return self.recorder.display

    @property
    def for_trials(self) -> Budget:
        """The time without what is kept for soups."""
        return replace(self.budget, reserve=SOUPS_SHARE if self.study.search.soups else 0.0)

    def catch_up(self) -> None:
        """Shares what is whole on this machine and, for want of a store, is not yet."""
        files = self.store.files
        if files is None:
            return
        uploaded = files.publish_missing(self.store.candidates())
        if uploaded:
            self.display.event(f"uploaded from here: {', '.join(uploaded)}")

    def soup_maker(self) -> SoupMaker | None:
        """Averages with the same workers, if the study asks for it."""
        search = self.study.search
        if not search.soups:
            return None
        return soup_maker(
            self.pool,
            self.folder,
            self.store,
            self.display,
            weights=search.weights,
            budget=self.budget,
        )

    def train(self, timings: Mapping[str, RunTiming], soups: SoupMaker | None) -> str:
        """Runs trials until there are enough, or time is over; says why it ended.

        Args:
            timings: What a run of each backbone takes, where it was measured before.
            soups: Makes some averages in between; ``None`` makes none.

        Raises:
            SearchInterruptedError: A signal asked for the end.
        """
        search = self.study.search
        pace = SearchPace(
            self.trials,
            self.recorder.total,
            self.for_trials,
            timings,
            snapshots_of(self.study),
            search.device_hours,
            self.plan.width,
        )
        rounds = Rounds(search.rounds, self.trials, self.store, self.folder)
        loop = Loop(self.recorder, self.pool, pace, self.peers, rounds, soups)
        try:
            ended = loop.run()
        except BaseException:
            self.recorder.trackers.close(at_most=10.0)  # somebody waits for the end
            raise
        self.recorder.trackers.close()
        return ended


def open_trials(
    study: StudyFile,
    spaces: Mapping[str, Space],
    membership: Membership,
    display: Display,
) -> Trials:
    """Opens the trials of a study that is frozen.

    Args:
        study: The study.
        spaces: Of its backbones.
        membership: This process's lease.
        display: What people see.

    Raises:
        ConfigError: Its space is not the one that earlier trials had.
    """
    first = points(spaces, study.search.enqueue)
    optuna_study = open_study(
        study.name,
        membership.store.full_url,
        study.seed,
        membership.store.patience,
        study.validation.metric,
    )
    check_spaces(optuna_study, spaces)
    trials = Trials(
        optuna_study,
        spaces,
        first,
        study.seed,
        fingerprint(study),
        note=display.event,
        searcher=membership.id,
    )
    use_scale(trials, stored_scale(trials))
    return trials


@dataclass(frozen=True, slots=True)
class WorkersWanted:
    """What workers a process is to have.

    Attributes:
        kind: Makes them.
        count: How many; ``None`` for what the study file says.
        logs: Folder for what they print.
        factory: Makes, inside a worker, the function that runs one trial.
    """

    kind: Workers
    count: int | None
    logs: Path
    factory: Factory


def open_session(
    bound: BoundStudy,
    data: StudyData,
    trials: Trials,
    membership: Membership,
    folder: RunFolder,
    display: Display,
    wanted: WorkersWanted,
    *,
    budget: Budget,
    total: int,
) -> Session:
    """Puts together what a process searches with.

    Args:
        bound: The study with its plugins.
        data: Its examples.
        trials: Its trials.
        membership: This process's lease.
        folder: Its run folder.
        display: What people see.
        wanted: What workers it is to have.
        budget: Time.
        total: Trials wanted.
    """
    study, store = bound.study, membership.store
    search = study.search
    plan = wanted.kind.plan(wanted.count or search.workers, search.devices_per_run)
    parts = f"{len(data.public)} public and {len(data.private)} private"
    display.event(f"{plan.spelled()}; {parts} validation questions")
    retention = Retention(folder, store, search.weights)
    recorder = Recorder(
        trials=trials,
        store=store,
        folder=folder,
        total=total,
        complete=max(study.search.snapshots),
        display=display,
        retain=lambda new: retention(newcomer=new),
        hopeless=HopelessRuns(folder, store.files) if search.prune else None,
        trackers=Trackers.of(study.name, search.trackers, folder, display.event),
    )

    def make(plan: WorkerPlan) -> WorkerPool:
        return wanted.kind.pool(
            WorkerSettings(wanted.factory, study, folder.path, plan, wanted.logs)
        )

    return Session(
        bound=bound,
        data=data,
        plan=plan,
        pool=make(plan),
        budget=budget,
        recorder=recorder,
        peers=Peers(membership, trials, folder, recorder.complete, display),
        make_pool=make,
        here=wanted.kind.here,
    )
