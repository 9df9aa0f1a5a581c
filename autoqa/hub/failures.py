"""What goes wrong between this machine and a hub, as one sentence with the way out."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from autoqa.errors import MissingAssetError, disk_fault
from autoqa.hub.cache import hub_cache
from autoqa.hub.client import client_parts, endpoint

TOKEN = "the token of an account by `hf auth login` or the variable HF_TOKEN"


class BrokenOffError(Exception):
    """A connection ended before a file did; what came is kept.

    Args:
        name: The file.
        received: Bytes that are here.
        size: Bytes that it has.
    """

    def __init__(self, name: str, received: int, size: int) -> None:
        super().__init__(
            f"the connection broke off after {received:,} of {size:,} bytes of {name}; the same "
            "command goes on from there"
        )


class CorruptFileError(Exception):
    """A file is not the one that the hub lists; it was removed.

    Args:
        name: The file.
        what: What of it differs, such as ``"has 3 bytes where the hub lists 5"``.
    """

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name} {what}, so it was removed; try again, and where HF_ENDPOINT names a mirror, "
            "another one"
        )


@contextmanager
def explained(label: str, page: str, revision: str, command: str) -> Iterator[None]:
    """Turns whatever the client raises into a MissingAssetError of one sentence.

    Args:
        label: What is fetched: ``the model owner/name (revision main)``.
        page: The address of its page.
        revision: The revision that was asked for.
        command: The shell command that fetches it elsewhere.

    Raises:
        MissingAssetError: In place of the client's errors, and of those of network and disk.
    """
    transport: type[Exception] = client_parts().httpx.HTTPError
    try:
        yield
    except (OSError, ValueError, transport, BrokenOffError, CorruptFileError) as error:
        sentence = _sentence(error, page, revision, command)
        raise MissingAssetError(f"{label}: {sentence}") from error


def _sentence(error: BaseException, page: str, revision: str, command: str) -> str:
    from huggingface_hub import errors

    if isinstance(error, (BrokenOffError, CorruptFileError)):
        return str(error)
    if disk_fault(error) or getattr(error, "filename", None) is not None:
        return (
            f"it cannot be written below {hub_cache()}, {first_line(error)}; make room there, or "
            "name another folder by the variable HF_HOME"
        )
    if isinstance(error, errors.GatedRepoError):
        return (
            f"its authors ask for terms to be accepted; accept them on {page}, and give {TOKEN}, "
            "the one that accepted them"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return (
            f"it has no revision {revision!r}; {page}/tree/main lists its branches and tags: "
            "correct `revision`"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"{_host()} shows no such repository, which it says of private ones, too, and it "
            "cannot say what is spelled alike; compare the id with the address of its page, or "
            f"give {TOKEN}"
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"{_host()} refuses it to this account ({status}); give {TOKEN} that may read it"
    if status is not None:
        return (
            f"{_host()} answers with status {status}; try again later, or fetch it elsewhere by "
            f"`{command}`"
        )
    if isinstance(error, errors.HFValidationError):
        return f"{first_line(error)}; correct the id"
    if isinstance(error, ValueError):
        return (
            f"{_host()} answers otherwise than a hub does, {first_line(error)}; correct the "
            "variable HF_ENDPOINT"
        )
    return (
        f"{_host()} cannot be reached, {_reason(error)}; mend the network or HF_ENDPOINT, or fetch "
        f"it on another machine by `{command}` and copy {hub_cache()} to this one"
    )


def _host() -> str:
    return f"the hub {urlsplit(endpoint()).netloc or endpoint()}"


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None and str(error.__cause__):
        error = error.__cause__
    return first_line(error)


def first_line(error: BaseException) -> str:
    """The first line of what an error says, without its full stop; its kind where it is mute."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def check_room(label: str, folder: Path, wanted: int) -> None:
    """Refuses a download that the disk does not hold.

    Args:
        label: What is fetched.
        folder: Where it would go; need not exist.
        wanted: Bytes.

    Raises:
        MissingAssetError: There is less room than that.
    """
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise MissingAssetError(
            f"{label}: {wanted:,} bytes are to come, the disk of {folder} has {free:,} left; make "
            "room there, or name another disk by the variable HF_HOME"
        )
