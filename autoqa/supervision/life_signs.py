"""Whether a worker still works: what it says, and how long it may say nothing.

What a worker says comes from the loops that do the work, so silence means that the work stands
still: the process was stopped, waits for itself, or for a device that does not answer.
"""

from autoqa.training.messages import Message, Progress

SILENT_SECONDS = 120.0
"""Shortest silence in a loop, between two steps say, after which a worker counts as hung."""

SILENT_GAPS = 50.0
"""The same as a multiple of the longest silence in this loop before."""

LOOPLESS_SECONDS = 1800.0
"""The same where there is no loop, or only its beginning: weights are loaded or written, features
made."""

AWAY_SECONDS = 5.0
"""Most silence that counts between two looks: where more time has passed, this process itself was
stopped, or the machine, and the worker may have been, too."""


class LifeSigns:
    """What one worker has said of one job, as far as it shows that the work goes on.

    Attributes:
        phase: What it does.
        silence: Seconds since it said something.
    """

    def __init__(self) -> None:
        self.phase = "starting"
        self.silence = 0.0
        self._loop = False
        self._longest: dict[str, float] = {}

    def passed(self, seconds: float) -> None:
        """Counts time without a message."""
        self.silence += min(seconds, AWAY_SECONDS)

    def heard(self, message: Message) -> None:
        """Takes in a message."""
        if isinstance(message, Progress):
            loop = message.step < message.steps
            if loop and self._loop and message.phase == self.phase:
                longest = self._longest.get(self.phase, 0.0)
                self._longest[self.phase] = max(longest, self.silence)
            self.phase, self._loop = message.phase, loop
        self.silence = 0.0

    @property
    def allowed(self) -> float:
        """Seconds of silence after which the worker counts as hung."""
        if not self._loop or self.phase not in self._longest:
            return LOOPLESS_SECONDS
        return max(SILENT_SECONDS, SILENT_GAPS * self._longest[self.phase])
