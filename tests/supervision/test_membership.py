import time
from pathlib import Path

import pytest

from autoqa.errors import AutoqaError
from autoqa.store.searchers import LEASE_SECONDS
from autoqa.store.study_tables import Store
from autoqa.supervision import membership
from autoqa.supervision.display import QuietDisplay
from autoqa.supervision.membership import taking_part
from autoqa.supervision.reported import leading
from autoqa.training.messages import Progress
from tests.store.test_searchers import silence


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(membership, "BEAT_SECONDS", 0.05)
    return Store(f"sqlite:///{tmp_path}/study.db", "s")


def wait_for(condition, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_lease_lasts_as_long_as_the_block_and_says_what_workers_do(store: Store) -> None:
    with taking_part(store, "search", leads=True) as lease:
        lease.working(1, "e5", Progress(4, "training", step=3, steps=9))
        wait_for(lambda: store.searchers()[0].workers)
        [worker] = store.searchers()[0].workers
        assert (worker["worker"], worker["backbone"], worker["trial"]) == (1, "e5", 4)
        assert "loss" not in worker  # not a number yet, which JSON has no word for
        lease.idle(1)
        wait_for(lambda: not store.searchers()[0].workers)
    assert store.searchers() == []


def test_a_process_that_was_taken_for_dead_ends(store: Store) -> None:
    with taking_part(store, "search", leads=True) as lease:
        lease.check()
        store.leave(lease.id)
        assert lease.lost.wait(10)
        with pytest.raises(AutoqaError, match="others have taken over its trials"):
            lease.check()


def test_no_lease_is_left_where_it_could_not_be_renewed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise AutoqaError("the database has not answered")

    with monkeypatch.context() as patched:
        patched.setattr(membership, "SearcherLog", away)
        with pytest.raises(AutoqaError, match="not answered"), taking_part(store, "x", leads=True):
            pass
    with leading(store, "search", QuietDisplay()):
        pass


def test_the_lead_is_given_back_after_an_error(store: Store) -> None:
    def fail() -> None:
        with leading(store, "retraining", QuietDisplay()):
            assert [each.purpose for each in store.searchers()] == ["retraining"]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with leading(store, "search", QuietDisplay()):
        pass


def test_a_leader_that_the_database_kept_silent_keeps_the_lead(store: Store) -> None:
    with taking_part(store, "search", leads=True) as lease:
        silence(store, lease.id, 2 * LEASE_SECONDS)  # and its next renewal comes within a moment
        with (
            pytest.raises(AutoqaError, match="is being worked on"),
            taking_part(store, "retraining", leads=True),
        ):
            pass
        silence(store, lease.id, 2 * LEASE_SECONDS)
        with taking_part(store, "worker", leads=False) as other:
            other._heard = time.monotonic()  # as after an absence of the database
            assert not other.take_lead()
