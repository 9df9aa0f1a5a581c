"""Being asked to stop: a run first saves what it has done, anything else has nothing to save."""

from collections.abc import Iterator
from contextlib import contextmanager

from autoqa.errors import StoppedError

STOPPED = "it was asked to stop"


class StopRequest:
    """Whether a worker should end, for the runs that can save what they have done.

    Attributes:
        asked: Whether it should.
    """

    def __init__(self) -> None:
        self.asked = False
        self._heeded = 0

    def ask(self) -> bool:
        """Asks; may be called by a signal handler.

        Returns:
            Whether a run saves what it has done and then ends. Otherwise nothing would be lost by
            ending at once.
        """
        self.asked = True
        return self._heeded > 0

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Within the block somebody calls :meth:`check` now and then, after saving what there is.

        Raises:
            StoppedError: It was asked for; also at the end of the block.
        """
        self._heeded += 1
        try:
            self.check()
            yield
            self.check()
        finally:
            self._heeded -= 1

    def check(self) -> None:
        """Ends what runs here, if that was asked for.

        Raises:
            StoppedError: It was.
        """
        if self.asked:
            raise StoppedError(STOPPED)


PROCESS = StopRequest()
"""That of this process: what asks is a signal, and signals are sent to processes."""
