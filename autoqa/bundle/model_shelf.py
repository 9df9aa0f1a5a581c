"""A bundle's models in memory: one at a time, or all that were asked for."""

from pathlib import Path

from autoqa.bundle.entries import MemberEntry
from autoqa.bundle.loading import Forward, load_member


class ModelShelf:
    """Loads members when they are needed.

    Args:
        folder: The bundle.
        device: Where models are computed.

    Attributes:
        resident: Models that stay, by the member's id.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.folder = folder
        self.resident: dict[str, Forward] = {}
        self._device = device
        self._current: tuple[str, Forward] | None = None

    def model(self, member: MemberEntry, *, keep: bool) -> Forward:
        """A member's model; the one before it goes unless it was to be kept.

        Args:
            member: Which.
            keep: Leave it in memory until the shelf is gone.
        """
        if member.id in self.resident:
            return self.resident[member.id]
        if self._current is None or self._current[0] != member.id:
            self._current = None  # before the next one is loaded, not after
            self._current = member.id, load_member(self.folder, member, self._device)
        model = self._current[1]
        if keep:
            self.resident[member.id] = model
        return model

    def clear(self) -> None:
        """Lets go of what is not to stay."""
        self._current = None
