import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from autoqa.errors import AutoqaError
from autoqa.store.connection import now
from autoqa.store.process_identity import ProcessIdentity
from autoqa.store.searchers import LEASE_SECONDS
from autoqa.store.study_tables import Store
from autoqa.store.tables import searchers

HOLDER = """
import sys, time
from autoqa.store.study_tables import Store
with Store(sys.argv[1], "s") as store:
    print(store.enter("search", leads=True), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/study.db", "s") as store:
        yield store


def silence(store: Store, name: str, seconds: float) -> None:
    """As if a process had not been heard of for so long, on a machine that nobody sees into."""
    with store._engine.begin() as connection:
        connection.execute(
            update(searchers)
            .where(searchers.c.id == name)
            .values(beat=now() - timedelta(seconds=seconds), machine="elsewhere")
        )


def test_one_process_leads_and_many_take_part(store: Store) -> None:
    first = store.enter("search", leads=True)
    store.enter("worker", leads=False)
    with pytest.raises(AutoqaError, match=r"'s' is being worked on: search by process \d+ on"):
        store.enter("retraining", leads=True)
    assert {each.purpose: each.leads for each in store.searchers()} == {
        "search": True,
        "worker": False,
    }
    store.leave(first)
    store.enter("retraining", leads=True)


def test_studies_of_one_database_do_not_know_of_each_other(store: Store, tmp_path: Path) -> None:
    store.enter("search", leads=True)
    with Store(f"sqlite:///{tmp_path}/study.db", "t") as other:
        other.enter("search", leads=True)
        assert len(other.searchers()) == 1


def test_the_lead_of_a_killed_process_is_free_at_once(store: Store) -> None:
    url = store.full_url
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    name = holder.stdout.readline().strip()
    with pytest.raises(AutoqaError, match=f"by process {holder.pid} on"):
        store.enter("search", leads=True)
    holder.kill()
    holder.wait()
    holder.stdout.close()
    own = store.enter("search", leads=True)
    assert [each.id for each in store.remove_dead_searchers()] == [name]
    assert [each.id for each in store.searchers()] == [own]


def test_a_process_elsewhere_is_dead_when_its_lease_is_over(store: Store) -> None:
    name = store.enter("search", leads=True)
    silence(store, name, LEASE_SECONDS - 10)
    with pytest.raises(AutoqaError, match="on elsewhere"):
        store.enter("search", leads=True)
    silence(store, name, LEASE_SECONDS + 10)
    [row] = store.searchers()
    assert not row.is_alive()
    assert row.is_alive(judge_silence=False)
    assert LEASE_SECONDS + 8 < row.silent < LEASE_SECONDS + 20
    store.enter("search", leads=True)


def test_a_renewed_lease_says_what_workers_do(store: Store) -> None:
    name = store.enter("worker", leads=False)
    silence(store, name, LEASE_SECONDS + 10)
    assert store.beat(name, [{"worker": 0, "trial": 3}])
    [row] = store.searchers()
    assert row.is_alive()
    assert row.workers == [{"worker": 0, "trial": 3}]
    silence(store, name, LEASE_SECONDS + 10)
    store.remove_dead_searchers()
    assert not store.beat(name, [])


def test_whoever_takes_part_takes_a_lead_that_nobody_has(store: Store) -> None:
    lead, other = store.enter("search", leads=True), store.enter("worker", leads=False)
    assert not store.take_lead(other)
    store.leave(lead)
    assert store.take_lead(other)
    assert [each.leads for each in store.searchers()] == [True]


def test_a_process_number_that_is_used_again_is_another_process() -> None:
    own = ProcessIdentity.own()
    assert not own.is_gone()
    assert replace(own, started="1").is_gone()
    assert not replace(own, machine="elsewhere", started="1").is_gone()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert replace(own, pid=child.pid).is_gone()
