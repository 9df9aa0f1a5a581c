"""Backbones prepared in processes of their own, some of which are killed on the way.

Run as ``python -m autoqa.testing.preparation``, this prepares one.
"""

import hashlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
"""What the folder of a backbone holds."""


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each of the :data:`FILES` that a folder holds."""
    found = {}
    for name in FILES:
        if (folder / name).is_file():
            with (folder / name).open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


@dataclass(frozen=True)
class Prepared:
    """What a process has prepared.

    Attributes:
        folder: The folder.
        files: Its :func:`digests` at the moment when it was handed over.
    """

    folder: Path
    files: dict[str, str]


def start(location: str, options_json: str, cache: Path) -> "subprocess.Popen[str]":
    """A process that is ready to prepare a backbone, and does when :func:`release` says so.

    Args:
        location: ``module:attribute`` of the spec.
        options_json: Its options.
        cache: The cache folder.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    work = json.dumps([location, options_json, str(cache)])
    return subprocess.Popen(
        [sys.executable, "-m", "autoqa.testing.preparation", work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def release(processes: Sequence["subprocess.Popen[str]"]) -> None:
    """Lets processes prepare as soon as all of them are ready."""
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has failed, as its outcome says
            process.stdin.write("\n")
            process.stdin.flush()


def outcomes(
    processes: Sequence["subprocess.Popen[str]"],
) -> tuple[list[Prepared], list[str]]:
    """Waits for processes.

    Returns:
        What they prepared, and the last lines of those that failed.
    """
    done, failures = [], []
    for process in processes:
        output, errors = process.communicate()
        if process.returncode:
            failures.append(next(iter(errors.strip().splitlines()[-1:]), "no message"))
        else:
            folder, files = json.loads(output.strip().splitlines()[-1])
            done.append(Prepared(Path(folder), files))
    return done, failures


def main(work: str) -> None:
    """Prepares a backbone and says where it is, and what is there by then."""
    location, options_json, cache = json.loads(work)
    module, _, attribute = location.partition(":")
    spec = getattr(importlib.import_module(module), attribute)
    options = spec.options.model_validate_json(options_json, strict=True)
    sys.stdout.write("\n")
    sys.stdout.flush()
    sys.stdin.readline()
    folder = Path(spec.prepare(options, Path(cache)))
    sys.stdout.write(f"\n{json.dumps([str(folder), digests(folder)])}\n")


if __name__ == "__main__":
    main(sys.argv[1])
