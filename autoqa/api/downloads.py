"""What a plugin gets over the network, so that people can be told before it begins."""

from collections.abc import Callable
from dataclasses import dataclass

from autoqa.hub.repository import HubRepository

Received = Callable[[int], None]
"""Called with the bytes that came since the last call."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """Something that a study needs, is not on this machine, and can be fetched.

    Attributes:
        name: What it is, as people know it: ``the model google/muril-base-cased``.
        size: Bytes that are still to come; ``None`` where the other side does not say.
        fetch: Gets it, into the place where the plugin looks for it. A second call goes on where
            the first one ended; one that is broken off leaves nothing that is taken for whole.
            Raises MissingAssetError, with the way out, where it cannot be had.
    """

    name: str
    size: int | None
    fetch: Callable[[Received], None]


def hub_downloads(*repositories: HubRepository) -> tuple[Download, ...]:
    """What of some repositories is not on this machine; asks the hub for sizes.

    Args:
        repositories: Those that a plugin reads.

    Raises:
        MissingAssetError: The hub has one of them not, or cannot be reached, or must not be.
    """
    return tuple(_download(each) for each in repositories if each.absent())


def _download(repository: HubRepository) -> Download:
    def fetch(received: Received) -> None:
        repository.fetch(received)

    return Download(name=repository.label, size=repository.size(), fetch=fetch)
