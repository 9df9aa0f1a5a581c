"""A bundle is read only if every byte is as it was written."""

import hashlib
import json
import os
from pathlib import Path

from autoqa.bundle.entries import FileEntry
from autoqa.bundle.manifest import NAME, Manifest, parse_manifest
from autoqa.errors import BundleError

_WAY_OUT = "copy the bundle again from where it came, or export it again"


def verify(folder: Path) -> Manifest:
    """Reads a bundle's manifest and compares every file with it.

    Raises:
        BundleError: The folder is no bundle, of another format version, a file was changed,
            added or removed, or a file could reach outside the bundle.
    """
    if not (folder / NAME).is_file():
        what = f"has no {NAME}" if folder.is_dir() else "is no folder"
        raise BundleError(f"{folder} is no bundle: it {what}; make one with `autoqa export`.")
    manifest = parse_manifest((folder / NAME).read_bytes(), str(folder / NAME))
    paths = file_paths(folder) - {NAME}
    for path in sorted(paths - manifest.files.keys()):
        raise BundleError(
            f"{folder / path} is not listed in the bundle's manifest: remove it, or {_WAY_OUT}."
        )
    for path, entry in manifest.files.items():
        if path not in paths:
            raise BundleError(f"{folder / path} is missing from the bundle: {_WAY_OUT}.")
        if file_entry(folder / path) != entry:
            raise BundleError(
                f"{folder / path} was changed after the bundle was written (its checksum "
                f"differs): {_WAY_OUT}."
            )
    for member in manifest.members:
        _refuse_code(folder / member.config_file)
    return manifest


def file_paths(folder: Path) -> set[str]:
    """Every file below a folder, as paths with ``/``; symbolic links are refused."""
    paths = set()
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(root) / name
            if path.is_symlink():
                raise BundleError(
                    f"{path} is a symbolic link, which could lead out of the bundle: copy the "
                    "bundle with `cp -RL`."
                )
            if name in names:
                paths.add(path.relative_to(folder).as_posix())
    return paths


def file_entry(path: Path) -> FileEntry:
    """Checksum and size of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(sha256=digest, size=path.stat().st_size)


def _refuse_code(path: Path) -> None:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"{path} is no JSON ({error}): {_WAY_OUT}.") from error
    if not isinstance(config, dict) or "auto_map" in config:
        raise BundleError(f"{path} asks for code from elsewhere (auto_map), which is never run.")
