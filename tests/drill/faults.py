"""The faults of the drill, each as something that is done to a round."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from autoqa.store.searchers import LEASE_SECONDS
from autoqa.store.study_tables import Store
from tests.drill import processes
from tests.drill.processes import until
from tests.drill.round import Round
from tests.store.damage import flip, zero_half
from tests.store.test_searchers import silence


def _kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    with suppress(ProcessLookupError):  # it was faster
        os.kill(pid, number)


def worker_sigkill(round_: Round) -> None:
    _kill(round_.worker())


def parent_sigkill(round_: Round) -> None:
    process = round_.parent()
    workers = processes.workers(round_.mark)
    children = [pid for pid in workers if processes.parent_of(pid) == process.pid]
    process.kill()
    process.wait()
    left = lambda: set(children) & set(processes.marked(round_.mark))  # noqa: E731
    until(lambda: not left(), 10, "workers of a killed search are orphans")


def out_of_memory(round_: Round) -> None:
    round_.order("memory")


def worker_sigstop(round_: Round) -> None:
    pid = round_.worker()
    _kill(pid, signal.SIGSTOP)
    gone = lambda: round_.tend() or pid not in processes.marked(round_.mark)  # noqa: E731
    until(gone, 40, "a stopped worker was not noticed")


def parent_sigstop(round_: Round) -> None:
    process = round_.parent()
    _kill(process.pid, signal.SIGSTOP)
    round_.pause(0.5, 2)
    _kill(process.pid, signal.SIGCONT)


def plugin_exception(round_: Round) -> None:
    round_.order("raise")


def plugin_exit(round_: Round) -> None:
    round_.order("exit")


def disk_full(round_: Round) -> None:
    if not round_.disk:
        round_.order("disk")
        return
    round_.worker()
    ballast = round_.home / "ballast"
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            free = shutil.disk_usage(round_.home).free
            os.posix_fallocate(file.fileno(), file.tell(), max(free, 1))
            file.seek(0, os.SEEK_END)
    round_.pause(0.3, 1.5)
    ballast.unlink()


def database_restart(round_: Round) -> None:
    assert round_.server is not None
    round_.worker()
    round_.server.stop()
    round_.server.start()


def database_absent(round_: Round) -> None:
    round_.worker()
    if round_.server is not None:
        round_.server.stop()
        round_.pause(1, 3)
        round_.server.start()
        return
    database = round_.run_folder.database
    until(lambda: round_.tend() or database.is_file(), 20, "there is no database")
    connection = sqlite3.connect(database, timeout=30)
    connection.execute("BEGIN EXCLUSIVE")
    round_.pause(0.5, 2)
    connection.close()


def damaged_wal(round_: Round) -> None:
    """Damages what SQLite wrote last, now and then the database itself."""
    database = round_.run_folder.database
    log = database.with_name("study.db-wal")
    round_.worker()
    round_.pause(0, 0.5)
    processes.kill_all(round_.mark)
    if log.is_file() and log.stat().st_size and round_.random.random() < 0.75:
        round_.random.choice([zero_half, flip, _cut, _garbage])(log)
    else:  # a flip there may change a number, which nothing can tell from another
        round_.random.choice([zero_half, _cut, _garbage])(database)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def _damaged_file(*files: str) -> Callable[[Round], None]:
    def inflict(round_: Round) -> None:
        path = round_.watch.damage(round_.candidate(), round_.random.choice(files))
        round_.random.choice([zero_half, flip, _cut])(path)

    return inflict


def damaged_checkpoint(round_: Round) -> None:
    folder = round_.run_folder.path / "checkpoints"
    process, found = round_.parent(), list[Path]()

    def look() -> bool:
        nonlocal process
        process = round_.parent()
        found[:] = sorted(folder.glob("*.safetensors"))
        return bool(found)

    until(look, 60, "no run has a checkpoint")
    _kill(process.pid, signal.SIGSTOP)  # so that nobody goes on before the damage is done
    for pid in processes.workers(round_.mark):
        _kill(pid)
    for path in folder.glob("*.safetensors"):
        round_.random.choice([zero_half, flip, _cut])(path)
    _kill(process.pid, signal.SIGCONT)


def node_lost(round_: Round) -> None:
    """One that joined dies with its machine, into which nobody sees."""
    process = round_.parent("join")
    own: list[str] = []

    def enter() -> bool:
        nonlocal process
        process = round_.parent("join")
        own[:] = [name for name, pid in round_.leases() if pid == process.pid]
        return bool(own)

    until(enter, 40, "nobody joins")
    round_.pause(0, 1)
    with Store(round_.url, round_.name) as store:
        silence(store, own[0], 0)
    for pid in processes.workers(round_.mark):
        if processes.parent_of(pid) == process.pid:
            _kill(pid)
    process.kill()
    process.wait()
    with Store(round_.url, round_.name) as store:
        silence(store, own[0], LEASE_SECONDS + 10)
    left = lambda: own[0] in [name for name, _ in round_.leases()]  # noqa: E731
    until(lambda: round_.tend() or not left(), 40, "a lost machine was not succeeded")


Fault = Callable[[Round], None]

SHARES: dict[str, tuple[int, Fault]] = {
    "worker SIGKILL": (16, worker_sigkill),
    "parent SIGKILL": (14, parent_sigkill),
    "out of memory": (10, out_of_memory),
    "worker SIGSTOP": (8, worker_sigstop),
    "parent SIGSTOP": (4, parent_sigstop),
    "plugin exception": (8, plugin_exception),
    "plugin exit": (8, plugin_exit),
    "disk full": (8, disk_full),
    "database restart": (5, database_restart),
    "database absent": (5, database_absent),
    "damaged WAL": (8, damaged_wal),
    "damaged weights": (6, _damaged_file("model/model.safetensors")),
    "damaged predictions": (6, _damaged_file("public.safetensors", "sealed/private.safetensors")),
    "damaged record": (4, _damaged_file("candidate.json", "checksums.json")),
    "damaged checkpoint": (5, damaged_checkpoint),
    "node lost": (5, node_lost),
}
"""Faults of a whole drill by kind, 120 in all, and what does them."""

assert sum(count for count, _ in SHARES.values()) == 120
