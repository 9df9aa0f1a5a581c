"""A repository of the Hugging Face hub: what of it is here, and getting the rest."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autoqa.errors import MissingAssetError
from autoqa.files import write_atomically
from autoqa.hub.cache import (
    absent_shards,
    commit_of,
    hub_cache,
    is_offline,
    listed_files,
    matching,
    present_files,
)
from autoqa.hub.client import endpoint, silent_client
from autoqa.hub.failures import check_room, explained
from autoqa.hub.fetchable import Fetchable
from autoqa.hub.transfer import HubFile, bytes_here, fetch_blob

RepositoryKind = Literal["model", "dataset"]
_WORDS: dict[RepositoryKind, str] = {"model": "model", "dataset": "data set"}
_TIMEOUT = 10.0
"""Seconds that the hub has for an answer about a repository."""


def _ignore(_: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class HubRepository:
    """Some files of a model or data set, at one revision.

    They lie in the cache of the Hugging Face client, where all its users find them: below
    ``HF_HUB_CACHE``, or ``HF_HOME``. The hub's address is ``HF_ENDPOINT``.

    Attributes:
        id: ``owner/name``.
        kind: ``"model"`` or ``"dataset"``.
        revision: Commit, branch, tag, or ``refs/convert/parquet``.
        patterns: Which files; ``*`` stands for any characters, ``/`` included.
    """

    id: str
    kind: RepositoryKind = "model"
    revision: str = "main"
    patterns: tuple[str, ...] = ("*",)

    @property
    def label(self) -> str:
        """How people know it, such as ``the model owner/name (revision main)``."""
        return f"the {_WORDS[self.kind]} {self.id} (revision {self.revision})"

    @property
    def page(self) -> str:
        """The address of its page on the hub."""
        return f"{endpoint()}/{'datasets/' if self.kind == 'dataset' else ''}{self.id}"

    @property
    def command(self) -> str:
        """The shell command by which the Hugging Face client fetches the same files."""
        words = ["hf", "download", self.id]
        if self.kind != "model":
            words += ["--repo-type", self.kind]
        if self.revision != "main":
            words += ["--revision", self.revision]
        if self.patterns != ("*",):
            words += [word for pattern in self.patterns for word in ("--include", pattern)]
        return shlex.join(words)

    def folder(self) -> Path | None:
        """The snapshot in the local cache, complete or not; ``None`` where nothing of it is."""
        storage = self._storage()
        commit = commit_of(storage, self.revision)
        snapshot = storage / "snapshots" / str(commit)
        return snapshot if commit is not None and snapshot.is_dir() else None

    def files(self) -> tuple[Path, ...]:
        """The wanted files that are here, sorted by their path; empty where none is."""
        folder = self.folder()
        if folder is None:
            return ()
        return tuple(folder / name for name in matching(present_files(folder), self.patterns))

    def absent(self) -> tuple[str, ...]:
        """Wanted files that are known not to be here, without asking the network.

        Known by the listing that the client keeps of a commit, or else by the numbers in names of
        shards; where no file at all is here, the patterns themselves.
        """
        folder = self.folder()
        if folder is None:
            return self.patterns
        present = matching(present_files(folder), self.patterns)
        listed = listed_files(folder.parents[1], folder.name)
        if listed is not None:
            absent = tuple(sorted(set(matching(listed, self.patterns)) - set(present)))
            return absent if present or absent else self.patterns
        return matching(absent_shards(present), self.patterns) if present else self.patterns

    def missing(self) -> Fetchable | None:
        """A sentence if files are not here, with the commands that get them; asks no network."""
        folder = self.folder()
        absent = self.absent()
        if not absent:
            return None
        what = f"{self.label} is not in the local Hugging Face cache"
        if folder is not None and self.files():
            what = (
                f"{self.label} is not whole in the local Hugging Face cache, which lacks "
                f"{', '.join(absent[:3])}{'...' if len(absent) > 3 else ''}"
            )
        return Fetchable(f"{what}; fetch it with `{self.command}`{self.offline_note()}")

    def offline_note(self) -> str:
        """The rest of a sentence about fetching, where the environment forbids that here."""
        if not is_offline():
            return ""
        return (
            " on a machine with a network, or with HF_HUB_OFFLINE unset, and copy its Hugging Face "
            f"cache to {hub_cache()}"
        )

    def listing(self) -> tuple[str, tuple[HubFile, ...]]:
        """Asks the hub which commit the revision is, and for the wanted files with their sizes.

        Raises:
            MissingAssetError: The hub has no such thing, or cannot be reached, or must not be.
        """
        if is_offline():
            raise MissingAssetError(
                f"{self.label}: the variable HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to "
                f"fetch it; unset it, or run `{self.command}` on a machine with a network and copy "
                f"its Hugging Face cache to {hub_cache()}"
            )
        with self._explained():
            info = self._info()
        files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        wanted = matching(files, self.patterns)
        if not wanted:
            has = ", ".join(sorted(files)[:5]) + ("..." if len(files) > 5 else "")
            raise MissingAssetError(
                f"{self.label}: it has no file {' or '.join(self.patterns)}; it has "
                f"{has or 'none at all'}: name another revision, or a folder with a copy"
            )
        return str(info.sha), tuple(_hub_file(files[name]) for name in wanted)

    def size(self) -> int | None:
        """Asks the hub how many bytes are still to come; ``None`` where it does not say.

        Raises:
            MissingAssetError: As for :meth:`listing`.
        """
        commit, files = self.listing()
        return self._to_come(commit, files)

    def fetch(self, received: Callable[[int], None] = _ignore) -> Path:
        """Fetches what is not here; goes on where a call before was broken off.

        Args:
            received: Called with the number of bytes that came since the last call.

        Returns:
            The snapshot, which holds all wanted files.

        Raises:
            MissingAssetError: They cannot be had; nothing is there that could be taken for whole.
        """
        folder = self.folder()
        if folder is not None and not self.absent():
            return folder
        commit, files = self.listing()
        with self._explained(), silent_client():
            check_room(self.label, hub_cache(), self._to_come(commit, files) or 0)
            self._fetch_blobs(commit, files, received)
            return self._link(commit)

    def _fetch_blobs(
        self, commit: str, files: tuple[HubFile, ...], received: Callable[[int], None]
    ) -> None:
        from huggingface_hub import hf_hub_url

        blobs = self._storage() / "blobs"
        for file in files:
            if file.digest is None or file.size is None or (blobs / file.digest).exists():
                continue
            url = hf_hub_url(
                self.id, file.name, repo_type=self.kind, revision=commit, endpoint=endpoint()
            )
            fetch_blob(url, file, blobs, received)

    def _link(self, commit: str) -> Path:
        """Has the client lay out a snapshot; it fetches what could not be checked, too."""
        from huggingface_hub import snapshot_download

        folder = snapshot_download(
            self.id, repo_type=self.kind, revision=commit, allow_patterns=list(self.patterns)
        )
        reference = self._storage() / "refs" / self.revision
        if commit != self.revision:
            reference.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(reference, commit)
        return Path(folder)

    def _to_come(self, commit: str, files: tuple[HubFile, ...]) -> int | None:
        storage = self._storage()
        snapshot = storage / "snapshots" / commit
        left = 0
        for file in files:
            if (snapshot / file.name).exists():
                continue
            if file.size is None:
                return None
            left += max(file.size - bytes_here(storage / "blobs", file), 0)
        return left

    def _storage(self) -> Path:
        return hub_cache() / f"{self.kind}s--{self.id.replace('/', '--')}"

    def _info(self) -> Any:
        from huggingface_hub import HfApi

        api = HfApi(endpoint=endpoint())
        ask = api.model_info if self.kind == "model" else api.dataset_info
        with silent_client():
            return ask(self.id, revision=self.revision, files_metadata=True, timeout=_TIMEOUT)

    def _explained(self) -> Any:
        return explained(self.label, self.page, self.revision, self.command)


def _hub_file(sibling: Any) -> HubFile:
    large = sibling.lfs
    if large is not None:
        return HubFile(sibling.rfilename, large.size, large.sha256)
    return HubFile(sibling.rfilename, sibling.size, sibling.blob_id)
