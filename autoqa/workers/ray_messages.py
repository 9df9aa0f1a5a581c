"""What a search and the process that speaks to Ray tell each other."""

from dataclasses import dataclass
from pathlib import Path

from autoqa.training.jobs import Job
from autoqa.training.messages import Message
from autoqa.workers.base import WorkerSettings
from autoqa.workers.resources import NodeRoom


@dataclass(frozen=True, slots=True)
class Call:
    """Where the cluster is, and what its nodes must find.

    Attributes:
        address: As Ray takes it; ``None`` for the one in ``RAY_ADDRESS``, or else a new one.
        log: Takes what Ray prints in the process that speaks to it.
        marker: A file in the study's folder.
        secret: What it holds.
        environment: Versions of the search.
        variables: What workers' environment must have.
        paths: Folders that workers import from.
        folder: Where the search was started.
    """

    address: str | None
    log: Path
    marker: str
    secret: str
    environment: dict[str, str]
    variables: dict[str, str]
    paths: list[str]
    folder: str


@dataclass(frozen=True, slots=True)
class Open:
    """To the driver: what all workers have in common."""

    settings: WorkerSettings


@dataclass(frozen=True, slots=True)
class Assign:
    """To the driver: a job for a worker."""

    number: int
    job: Job


@dataclass(frozen=True, slots=True)
class Stop:
    """To the driver: have a worker save what it has done and end."""

    number: int


@dataclass(frozen=True, slots=True)
class End:
    """To the driver: end a worker with whatever it does."""

    number: int


@dataclass(frozen=True, slots=True)
class Connected:
    """From the driver: the cluster answers."""

    nodes: tuple[NodeRoom, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """From the driver: the cluster cannot be used, and why as a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """From the driver: a message of a worker."""

    number: int
    message: Message


@dataclass(frozen=True, slots=True)
class Lost:
    """From the driver: a worker is gone, and why as a sentence without a full stop."""

    number: int
    cause: str
    was_killed: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """From the driver: a worker was ended as asked for."""

    number: int


ToDriver = Open | Assign | Stop | End
FromDriver = Connected | Refused | Heard | Lost | Ended
