"""Where the Hugging Face client keeps what it has fetched, and what of a repository is there."""

import json
import os
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.[^/]+)")


def is_offline() -> bool:
    """Whether the environment forbids downloads, read as huggingface_hub reads it."""
    value = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return value.upper() in {"1", "ON", "YES", "TRUE"}


def hub_cache() -> Path:
    """The folder of all repositories: below ``HF_HUB_CACHE``, or ``HF_HOME``."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser()


def is_commit(revision: str) -> bool:
    """Whether a revision names one state for ever: a full commit hash."""
    return _COMMIT.fullmatch(revision) is not None


def commit_of(storage: Path, revision: str) -> str | None:
    """The commit that a revision was when it was last fetched; ``None`` where it never was."""
    if is_commit(revision):
        return revision
    try:
        commit = (storage / "refs" / revision).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return commit if is_commit(commit) else None


def listed_files(storage: Path, commit: str) -> tuple[str, ...] | None:
    """All files of a commit, by the listing that the client keeps; ``None`` where it has none."""
    try:
        content = json.loads((storage / "trees" / f"{commit}.json").read_text(encoding="utf-8"))
        return tuple(content["files"]) if content["format_version"] == 1 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def matching(names: Iterable[str], patterns: Iterable[str]) -> tuple[str, ...]:
    """The names that fit any of the patterns, sorted; ``*`` crosses folders, as in the client."""
    patterns = tuple(patterns)
    return tuple(sorted(n for n in names if any(fnmatchcase(n, pattern) for pattern in patterns)))


def present_files(snapshot: Path) -> tuple[str, ...]:
    """Paths inside a snapshot of what it holds whole; links that lead nowhere do not count."""
    return tuple(
        path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()
    )


def absent_shards(names: Iterable[str]) -> tuple[str, ...]:
    """What names such as ``train-00000-of-00002.parquet`` say is missing beside them."""
    known = set(names)
    expected = {
        f"{match[1]}-{number:05d}-of-{match[3]}{match[4]}"
        for name in known
        if (match := _SHARD.fullmatch(name))
        for number in range(int(match[3]))
    }
    return tuple(sorted(expected - known))
