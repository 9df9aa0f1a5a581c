"""What all who use workers hear from them: messages, deaths, and work beyond the time limit."""

from collections.abc import Callable, Collection

from autoqa.supervision.budget import GRACE_SECONDS, Budget
from autoqa.training.messages import Message
from autoqa.workers.base import Worker, WorkerPool


def hear(
    pool: WorkerPool,
    busy: Collection[int],
    wake: int,
    budget: Budget,
    *,
    receive: Callable[[Worker, Message], None],
    lost: Callable[[Worker, str], None],
) -> None:
    """Waits for events of the busy workers, and hands them on.

    Args:
        pool: The workers.
        busy: Numbers of those with a job; shrinks as messages end jobs.
        wake: Descriptor that ends the wait, too.
        budget: The time limit.
        receive: Takes each message.
        lost: Takes a worker that died, or works on after the time limit, and why as a sentence.
    """
    for worker, events in pool.listen(set(busy), wake):
        for message in events.messages:
            receive(worker, message)
        if worker.number not in busy:
            continue
        if events.died:
            lost(worker, worker.cause_of_death())
        elif budget.overrun():
            lost(worker, f"still running {GRACE_SECONDS:.0f} s after the time limit")
