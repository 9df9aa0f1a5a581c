"""The validation set of a study: frozen at the first search, the same at every later one."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from autoqa.errors import DataError
from autoqa.store.checksums import DamagedError, damage_beside, sum_beside
from autoqa.store.example_lines import Digests, digests, to_line
from autoqa.store.run_folder import PARTS, Part, RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Example


def fingerprint(public: Iterable[Example], private: Iterable[Example]) -> str:
    """Twelve hex digits that stand for both parts, whatever the order of their rows.

    They are the same on every machine; :func:`autoqa.store.example_lines.digests` says what
    counts.
    """
    return _mark({"public": digests(public), "private": digests(private)})


def check_validation(
    folder: RunFolder, store: Store, public: Sequence[Example], private: Sequence[Example]
) -> None:
    """Compares the validation set with the one that the study began with, if it has begun.

    Raises:
        DataError: They differ; the message says by how many questions.
    """
    now: dict[Part, Digests] = {"public": digests(public), "private": digests(private)}
    frozen = _frozen(folder)
    if store.validation_fingerprint() is None:
        _check_damaged(folder, {"public": public, "private": private})
    began = store.validation_fingerprint() or (_mark(frozen) if frozen else None)
    if began in (None, _mark(now)):
        return
    differences = "; ".join(_difference(part, frozen[part], now[part]) for part in frozen)
    raise DataError(
        f"the validation set is not the one that study {store.study!r} began with"
        f"{f' ({differences})' if differences else ''}, so scores could not be compared: "
        "restore the data and [validation], or give the changed study another name"
    )


def keep_validation(
    folder: RunFolder, store: Store, public: Sequence[Example], private: Sequence[Example]
) -> None:
    """Freezes the validation set of a saved study at its first search; later it mends the files.

    Call it after :func:`check_validation` only: what is damaged is written again.
    """
    if not _frozen(folder):
        folder.save_examples("public", public)
        folder.save_examples("private", private)
    if store.validation_fingerprint() is None:
        store.save_validation(fingerprint(public, private))


def _mark(parts: dict[Part, Digests]) -> str:
    lines = [f"{part} {digest}" for part, rows in parts.items() for digest in rows.values()]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12]


def _frozen(folder: RunFolder) -> dict[Part, Digests]:
    """Digests of what the files hold; empty unless both parts are there and whole."""
    try:
        stored = {part: folder.example_digests(part) for part in PARTS}
    except DamagedError:
        return {}
    complete = {part: rows for part, rows in stored.items() if rows is not None}
    return complete if len(complete) == len(PARTS) else {}


def _check_damaged(folder: RunFolder, parts: Mapping[Part, Sequence[Example]]) -> None:
    """Refuses other data than those of files that are damaged, where nothing else knows them."""
    for part, examples in parts.items():
        path = folder.examples_path(part)
        text = "".join(map(to_line, examples))
        other = sum_beside(path) not in (None, hashlib.sha256(text.encode()).hexdigest())
        if path.is_file() and damage_beside(path) is not None and other:
            raise DataError(
                f"{path} is damaged, and the data are not those that it was written from: restore "
                "the file, the study's database, or the data"
            )


def _difference(part: str, before: Digests, after: Digests) -> str:
    removed, added = len(before.keys() - after.keys()), len(after.keys() - before.keys())
    changed = sum(after[key] != before[key] for key in before.keys() & after.keys())
    return f"{part}: of {len(before)} questions {removed} gone, {changed} changed, {added} new"
