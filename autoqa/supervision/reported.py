"""A display that also says to everybody who looks from elsewhere what the workers do."""

from collections.abc import Iterator
from contextlib import contextmanager

from autoqa.store.study_tables import Store
from autoqa.supervision.display import Display, Status
from autoqa.supervision.membership import Membership, taking_part
from autoqa.training.messages import Progress


class ReportedDisplay:
    """Shows what another display shows, and keeps it with this process's lease.

    Args:
        shown: What people here see.
        membership: The lease.
    """

    def __init__(self, shown: Display, membership: Membership) -> None:
        self._shown, self._membership = shown, membership

    def __enter__(self) -> "ReportedDisplay":
        self._shown.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        """Stops showing."""
        self._shown.__exit__(*raised)

    def event(self, text: str) -> None:
        """Shows it."""
        self._shown.event(text)

    def detail(self, text: str) -> None:
        """Shows it."""
        self._shown.detail(text)

    def working(self, worker: int, backbone: str, progress: Progress) -> None:
        """Shows and keeps it."""
        self._membership.working(worker, backbone, progress)
        self._shown.working(worker, backbone, progress)

    def idle(self, worker: int) -> None:
        """Shows and keeps it."""
        self._membership.idle(worker)
        self._shown.idle(worker)

    def status(self, status: Status) -> None:
        """Shows it."""
        self._shown.status(status)


@contextmanager
def leading(store: Store, purpose: str, display: Display) -> Iterator[Display]:
    """Has the lead of a study while the block runs, and says to everybody what is done.

    Args:
        store: The study's database.
        purpose: What is done.
        display: What people see; entered and left here.

    Yields:
        What to show things with.

    Raises:
        AutoqaError: Another process has it.
    """
    with (
        taking_part(store, purpose, leads=True) as membership,
        ReportedDisplay(display, membership) as shown,
    ):
        yield shown
