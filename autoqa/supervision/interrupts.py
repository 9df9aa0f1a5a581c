"""SIGINT and SIGTERM: the first one asks the search to end, the second one ends it."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from autoqa.errors import AutoqaError

EXIT_CODE = 130


class SearchInterruptedError(AutoqaError):
    """The search was asked to stop and has stopped in good order."""

    exit_code = EXIT_CODE


class Interrupts:
    """While entered, signals set :attr:`stopping` instead of raising anywhere in the code.

    Args:
        kill: What the second signal does before the process ends.

    Attributes:
        stopping: Whether a signal came.
        wake: Descriptor that becomes readable when one comes, for whoever waits on pipes.
    """

    def __init__(self, kill: Callable[[], None]) -> None:
        self.stopping = False
        self._kill = kill
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interrupts":
        self.wake, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        # Python only lets the main thread handle signals.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        os.close(self.wake)
        os.close(self._bell)

    def check(self, sentence: str) -> None:
        """Ends a wait, say for a database that is away, once a signal came.

        Args:
            sentence: What people are told.

        Raises:
            SearchInterruptedError: One has come.
        """
        if self.stopping:
            raise SearchInterruptedError(sentence)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.stopping:
            self._kill()
            os._exit(EXIT_CODE)
        self.stopping = True
        os.write(self._bell, b"!")
