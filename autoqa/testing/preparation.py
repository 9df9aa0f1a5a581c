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


def start(location: str, options_json: str, cache: Path) -> subprocess.Popen[str]:
    """Begins to prepare a backbone in a process of its own.

    Args:
        location: ``module:attribute`` of the spec.
        options_json: Its options.
        cache: The cache folder.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    work = json.dumps([location, options_json, str(cache)])
    return subprocess.Popen(
        [sys.executable, "-m", "autoqa.testing.preparation", work],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def outcomes(processes: Sequence[subprocess.Popen[str]]) -> tuple[list[Path], list[str]]:
    """Waits for processes.

    Returns:
        The folders that they prepared, and the last lines of those that failed.
    """
    folders, failures = [], []
    for process in processes:
        output, errors = process.communicate()
        if process.returncode:
            failures.append(next(iter(errors.strip().splitlines()[-1:]), "no message"))
        else:
            folders.append(Path(output.strip().splitlines()[-1]))
    return folders, failures


def main(work: str) -> None:
    """Prepares a backbone and prints where it is."""
    location, options_json, cache = json.loads(work)
    module, _, attribute = location.partition(":")
    spec = getattr(importlib.import_module(module), attribute)
    options = spec.options.model_validate_json(options_json, strict=True)
    sys.stdout.write("\n")  # says that the plugin begins
    sys.stdout.flush()
    sys.stdout.write(f"{spec.prepare(options, Path(cache))}\n")


if __name__ == "__main__":
    main(sys.argv[1])
