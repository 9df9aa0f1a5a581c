"""What all who use workers hear from them: messages, deaths, silence, and work beyond the time."""

import time
from collections.abc import Callable, Collection

from autoqa.supervision.budget import GRACE_SECONDS, Budget
from autoqa.supervision.display import duration
from autoqa.supervision.life_signs import LifeSigns
from autoqa.training.messages import Message, TrialFailed, TrialFinished
from autoqa.workers.base import Worker, WorkerPool, end_saving

HUNG_SECONDS = 5.0
"""Time that a worker that says nothing has to save what it has done, should it hear."""


class Hearing:
    """Hears the workers of one pool.

    Args:
        pool: The workers.
    """

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._signs: dict[int, LifeSigns] = {}
        self._looked = time.monotonic()

    def hear(
        self,
        busy: Collection[int],
        wake: int,
        budget: Budget,
        *,
        receive: Callable[[Worker, Message], None],
        lost: Callable[[Worker, str], None],
        hung: Callable[[Worker, str], None] | None = None,
    ) -> None:
        """Waits for events of the busy workers, and hands them on.

        Args:
            busy: Numbers of those with a job; shrinks as messages end jobs.
            wake: Descriptor that ends the wait, too.
            budget: The time limit.
            receive: Takes each message.
            lost: Takes a worker that died, or works on after the time limit, and why as a sentence.
            hung: Takes one that hung and was ended; left out, ``lost`` does.
        """
        known = {number: self._signs.get(number, LifeSigns()) for number in busy}
        self._signs, before = known, self._looked
        heard = list(self._pool.listen(set(busy), wake))
        self._looked = time.monotonic()
        for worker, events in heard:
            signs = self._signs[worker.number]
            signs.passed(self._looked - before)
            for message in events.messages:
                signs.heard(message)
                if isinstance(message, TrialFinished | TrialFailed):
                    signs = self._signs[worker.number] = LifeSigns()
                receive(worker, message)
            if worker.number not in busy:
                self._signs.pop(worker.number)
                continue
            if events.died:
                lost(worker, worker.cause_of_death())
            elif budget.overrun():
                lost(worker, f"still running {GRACE_SECONDS:.0f} s after the time limit")
            elif signs.silence > signs.allowed:
                said = f"worker has said nothing for {duration(signs.silence)} while {signs.phase}"
                end_saving([worker], HUNG_SECONDS)
                (hung or lost)(worker, said)
            else:
                continue
            self._signs.pop(worker.number)
