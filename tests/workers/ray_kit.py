"""A Ray cluster of several nodes on this machine, and trials that go wrong on it."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoqa.searching.runner import run_search
from autoqa.searching.setup import SearchOptions
from autoqa.store.study_tables import Store
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Emit
from tests.searching import fakes

SIX = fakes.STUDY.replace("trials = 4", "trials = 6")


class ThreeNodes:
    """A cluster whose head trains nothing."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        # By default Ray's workers are as nice as 15, and starve beside whatever else is tested.
        os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray spells it so
        os.environ["RAY_health_check_period_ms"] = "1000"  # noqa: SIM112
        self.options = {"object_store_memory": 80 * 1024**2, "include_dashboard": False}
        self.cluster = Cluster(True, head_node_args={"num_cpus": 0, **self.options})
        self.nodes = [self.add(wait=False) for _ in range(3)]
        self.cluster.wait_for_nodes()

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, wait: bool = True) -> Any:
        return self.cluster.add_node(wait=wait, num_cpus=1, **self.options)

    def alive(self) -> int:
        """How many nodes have their raylet, the head among them."""
        nodes = [self.cluster.head_node, *self.nodes]
        return sum(node.all_processes["raylet"][0].process.poll() is None for node in nodes)

    def gcs(self) -> Any:
        """A client of the head's key-value store."""
        from ray._raylet import GcsClient

        return GcsClient(address=self.address)

    def raylets(self) -> list[int]:
        return [node.all_processes["raylet"][0].process.pid for node in self.nodes]

    def below_node(self, pid: int) -> list[int]:
        """A process and its ancestors, up to the node that they run on."""
        family = ancestors(pid)
        (raylet,) = set(self.raylets()) & set(family)
        return family[: family.index(raylet)]

    def lose(self, pid: int) -> None:
        """Kills the node above a process, hard, with all that runs there."""
        node = self.nodes.pop(self.raylets().index(*set(self.raylets()) & set(ancestors(pid))))
        self.cluster.remove_node(node, allow_graceful=False)


def drivers(search: int) -> list[int]:
    """Processes that speak to a cluster for a search, which runs in a given process."""
    children = Path(f"/proc/{search}/task/{search}/children").read_text().split()
    spawned = [pid for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
    return list(map(int, spawned))


def hanging() -> int:
    """The process in which :func:`hangs_once` hangs."""
    hangs = fakes.run_folder().path / "hangs"
    return int(until(lambda: hangs.exists() and hangs.read_text()))


def ancestors(pid: int) -> list[int]:
    found = []
    while pid > 1:
        found.append(pid)
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return found


class Told(fakes.Events):
    """Shows in a failed test what was said when."""

    def event(self, text: str) -> None:
        super().event(text)
        print(time.strftime("%X"), text, flush=True)


def search(
    folder: Path, factory: Any, address: str | None, text: str = fakes.STUDY, **options: Any
) -> tuple[Any, fakes.Events]:
    path = folder / "study.toml"
    path.write_text(text)
    events = Told()
    result = run_search(
        fakes.bind(path),
        text,
        fakes.prepare,
        SearchOptions(**options),
        display=events,
        factory=factory,
        workers="local-process" if address is None else "ray",
        address=address,
    )
    return result, events


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def hangs_once(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Emit) -> None:
        if fakes.first_time(job):
            (job.run_folder / "hangs").write_text(str(os.getpid()))
            time.sleep(600)
        time.sleep(0.3)
        fakes.good(None, job.run_folder)(job, emit)

    return run


def slow(_study: Any, _folder: Path) -> Any:
    """Longer than it takes until people are told who waits."""

    def run(job: TrialJob, emit: Emit) -> None:
        time.sleep(7)
        fakes.good(None, job.run_folder)(job, emit)

    return run


def exits_once(_study: Any, _folder: Path) -> Any:
    def run(job: TrialJob, emit: Emit) -> None:
        if fakes.first_time(job):
            print("the end is near", flush=True)
            os._exit(7)
        fakes.good(None, job.run_folder)(job, emit)

    return run


def recorded() -> int:
    """How many runs are complete and written down."""
    with Store(fakes.run_folder().store_url(), "small") as store:
        return sum(record.fraction == 1 for record in store.candidates())


def kept() -> list[int]:
    """Numbers of the trials of which all candidates are there, on disk and in the database."""
    folder = fakes.run_folder()
    with Store(folder.store_url(), "small") as store:
        records = store.candidates()
    assert sorted(record.id for record in records) == folder.candidate_ids()
    return sorted(record.trial for record in records if record.fraction == 1)
