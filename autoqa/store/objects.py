"""Files behind a URL: a folder, S3, or whatever else fsspec reaches.

Keys and endpoints come from the environment, as each protocol's package reads them.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.store.patience import Patience

T = TypeVar("T")

_log = logging.getLogger(__name__)

_KEY = "[search] files"
_S3: Mapping[str, Any] = {
    # Waits are for Patience, which says so and can be interrupted.
    "config_kwargs": {
        "retries": {"total_max_attempts": 2},
        "connect_timeout": 5,
        "read_timeout": 60,
    }
}
_OPTIONS = {"s3": _S3, "s3a": _S3, "file": {"auto_mkdir": True}}
_EXTRAS = {"s3": "'autoqa[s3]'", "s3a": "'autoqa[s3]'", "gs": "gcsfs", "gcs": "gcsfs"}


class Objects:
    """Files below one URL, by names relative to it.

    Args:
        url: As ``file:///shared/dir`` or ``s3://bucket/prefix``.
        patience: How long work waits for a server that does not answer.

    Raises:
        ConfigError: It is no such URL, or its folder is not there.
        MissingAssetError: The protocol's package is not installed.
    """

    def __init__(self, url: str, patience: Patience | None = None) -> None:
        self.shown = re.sub(r"//[^/@]*@", "//***@", url)
        self.patience = patience or Patience()
        self._worked = False
        self._fs, self._root = _opened(url, self.shown)

    def sizes(self, under: str) -> dict[str, int]:
        """Bytes of all files below a folder, by name; empty where there is no such folder."""
        found = self._do(lambda: self._fs.find(self._path(under), detail=True))
        skipped = len(self._path(""))
        return {name[skipped:]: int(info["size"]) for name, info in found.items()}

    def put(self, path: Path, name: str) -> None:
        """Copies a file of this machine there; one of that name is replaced."""
        self._do(lambda: self._fs.put_file(str(path), self._path(name)))

    def write(self, name: str, content: bytes) -> None:
        """Writes a small file there."""
        self._do(lambda: self._fs.pipe_file(self._path(name), content))

    def read(self, name: str) -> bytes | None:
        """A small file's content; ``None`` where it is not there."""

        def work() -> bytes | None:
            try:
                return bytes(self._fs.cat_file(self._path(name)))
            except FileNotFoundError as error:
                if _no_bucket(error):
                    raise
                return None

        return self._do(work)

    def get(self, files: Mapping[str, Path]) -> None:
        """Copies files to this machine, several at a time; those that are not there are left out.

        Args:
            files: Where to, by name.
        """
        for path in files.values():
            path.parent.mkdir(parents=True, exist_ok=True)

        def work() -> None:
            for name, path in files.items():
                try:
                    self._fs.get_file(self._path(name), str(path))
                except FileNotFoundError as error:
                    if _no_bucket(error):
                        raise
                    path.unlink(missing_ok=True)

        def at_once() -> None:
            try:
                self._fs.get([self._path(name) for name in files], list(map(str, files.values())))
            except FileNotFoundError:  # one by one shows which
                work()

        self._do(at_once if len(files) > 1 else work)

    def remove(self, names: Iterable[str]) -> None:
        """Removes files; those that are not there count as removed."""
        gone = list(names)

        def work() -> None:
            for name in gone:
                try:
                    self._fs.rm_file(self._path(name))
                except FileNotFoundError as error:
                    if _no_bucket(error):
                        raise

        self._do(work)

    def remove_all(self, under: str) -> None:
        """Removes a folder with all that is below it."""

        def work() -> None:
            try:
                self._fs.rm(self._path(under), recursive=True)
            except FileNotFoundError as error:
                if _no_bucket(error):
                    raise

        self._do(work)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _do(self, work: Callable[[], T]) -> T:
        try:
            result = self.patience.insist(
                work,
                self.shown,
                absence=self._absence,
                what="file store",
                remedy=lambda _reason: "see that it runs, has room, and can be used from here",
            )
        except Exception as error:
            refusal = None if isinstance(error, AutoqaError) else _refusal(error)
            if refusal is None:
                raise
            raise ConfigError(f"{_KEY} = {self.shown!r}: {refusal}") from error
        self._worked = True
        return result

    def _absence(self, error: BaseException) -> str | None:
        """Why it makes sense to try again; after all went well once, that is whatever went wrong.

        A bucket's rights, or the share that a folder is on, can come back as well as a server.
        """
        if not _of_the_store(error):
            return None
        if not self._worked and _refusal(error) is not None:
            return None
        return _words(error)


def _opened(url: str, shown: str) -> tuple[AbstractFileSystem, str]:
    protocol, mark, rest = url.partition("://")
    if not mark or not rest.strip("/"):
        raise ConfigError(
            f"{_KEY} = {shown!r}: give a URL such as s3://bucket/prefix or file:///shared/folder"
        )
    options = _OPTIONS.get(protocol, {})
    try:
        # A list that is kept would not know what others have written since.
        fs, root = url_to_fs(url, use_listings_cache=False, **options)
    except ImportError as error:
        package = _EXTRAS.get(protocol)
        way_out = f"`pip install {package}`" if package else str(error)
        raise MissingAssetError(
            f"{_KEY} = {shown!r}: what reaches {protocol}:// is not installed: {way_out}"
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"{_KEY} = {shown!r}: {error}: give a URL such as s3://bucket/prefix or "
            "file:///shared/folder"
        ) from error
    except OSError as error:
        raise MissingAssetError(f"{_KEY} = {shown!r}: {_words(error)}") from error
    if protocol == "file" and not Path(root).is_dir():
        # Made here, it would be on this machine's own disk where a share is not mounted.
        raise ConfigError(f"{_KEY} = {shown!r}: there is no such folder: mount it, or make it")
    if fs.async_impl:
        fs.loop.set_exception_handler(_broke_off)
    return fs, root.rstrip("/")


def _broke_off(_loop: object, context: Mapping[str, Any]) -> None:
    """Takes what asyncio says of a request that nobody waits for any more.

    aiohttp sends a request's body in a task of its own. Where the server goes away meanwhile,
    whoever asked is told so and tries again; the task's own error would be a traceback on the
    terminal.
    """
    _log.debug("%s", context.get("message"), exc_info=context.get("exception"))


def _of_the_store(error: BaseException) -> bool:
    """Whether an error is of a store or on the way to it, and no mistake in a program."""
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, (OSError, EOFError)) or package in ("botocore", "aiohttp", "gcsfs")


def _refusal(error: BaseException) -> str | None:
    """What a store that is there will not have, as a sentence; ``None`` for other errors."""
    if isinstance(error, FileNotFoundError):
        return "there is no such bucket or folder: make it, or give another"
    name, words = type(error).__name__, _words(error)
    if "Credentials" in name or "TokenRetrieval" in name or isinstance(error, PermissionError):
        return (
            f"no right to use it ({words}): set keys that may list, read, write and delete there, "
            "such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if name in ("ParamValidationError", "InvalidRegionError", "NoRegionError"):
        return words
    return None


def _no_bucket(error: FileNotFoundError) -> bool:
    return "bucket" in str(error).lower() and "does not exist" in str(error)


def _words(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
