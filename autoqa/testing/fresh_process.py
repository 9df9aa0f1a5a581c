"""What importing and asking a plugin costs, found out in a process that has imported nothing else.

Run as ``python -m autoqa.testing.fresh_process``, this is that process.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from autoqa.entry_points import own_seconds

HEAVY = (
    "accelerate",
    "catboost",
    "datasets",
    "jax",
    "keras",
    "lightgbm",
    "matplotlib",
    "nltk",
    "onnxruntime",
    "optuna",
    "pandas",
    "peft",
    "pyarrow",
    "ray",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "spacy",
    "tensorflow",
    "torch",
    "transformers",
)
"""Packages whose import takes long; sorted."""

_LIMIT = 120.0
"""Seconds after which the process is given up."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a step costs.

    Attributes:
        seconds: Its time, without that in which others had the processor.
        heavy: The packages of :data:`HEAVY` that it was the first to import.
        failure: What it raised; empty where it did not.
    """

    seconds: float
    heavy: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class FreshRun:
    """What was seen of the process.

    Attributes:
        costs: Of ``"import"`` and of each function that was asked.
        printed: What stood on stdout after the import.
        ending: How the process ended where it did not as it should; else empty.
    """

    costs: dict[str, Cost] = field(default_factory=dict)
    printed: str = ""
    ending: str = ""


def measure(location: str, options_json: str | None, functions: Sequence[str]) -> FreshRun:
    """Imports a plugin in a fresh process, and calls functions of its spec with its options.

    Args:
        location: ``module:attribute`` of the spec.
        options_json: Its options, or ``None`` to call nothing.
        functions: Names of attributes of the spec, called in this order where its ``missing``
            says that nothing is.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.jsonl"
        work = json.dumps([location, options_json, list(functions), str(report)])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "autoqa.testing.fresh_process", work],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                env=environment,
                timeout=_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return FreshRun(ending=f"the process was not done after {_LIMIT:.0f} seconds")
        lines = report.read_text(encoding="utf-8").splitlines() if report.exists() else []
    costs = {name: Cost(**cost) for name, cost in map(json.loads, lines)}
    ending = ""
    if done.returncode:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), "no message")
        ending = f"the process ended with exit code {done.returncode}: {last}"
    return FreshRun(costs=costs, printed=done.stdout, ending=ending)


class _Log:
    """Writes down what each step costs, as soon as it is over."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def step(self, name: str, action: Any) -> Any:
        before, begin, failure, result = set(sys.modules), own_seconds(), "", None
        try:
            result = action()
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
        seconds = own_seconds() - begin
        heavy = [package for package in HEAVY if package in sys.modules.keys() - before]
        line = json.dumps([name, {"seconds": seconds, "heavy": heavy, "failure": failure}])
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        return result


def main(work: str) -> None:
    """Does in this process what :func:`measure` wants to know of."""
    import autoqa.api  # noqa: F401  what every plugin imports is not what it costs

    location, options_json, functions, path = json.loads(work)
    log = _Log(Path(path))
    module, _, attribute = location.partition(":")
    spec = log.step("import", lambda: getattr(importlib.import_module(module), attribute))
    if spec is None or options_json is None:
        return
    options = spec.options.model_validate_json(options_json, strict=True)
    if log.step("missing", partial(spec.missing, options)) is not None:
        return
    for name in functions:
        log.step(name, partial(getattr(spec, name), options))


if __name__ == "__main__":
    main(sys.argv[1])
