"""Entry points of plugins: which may be used, and what loading one gives, whatever it does."""

import contextlib
import os
import re
import sys
import time
import traceback
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

SWITCH = "AUTOQA_PLUGINS"
"""Environment variable: comma-separated distributions whose plugins are used; "" for none."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What an entry point leads to.

    Attributes:
        value: The object; ``None`` where it could not be imported.
        failure: Why it could not, or ``None``.
        seconds: What importing it took.
    """

    value: Any = None
    failure: str | None = None
    seconds: float = 0.0


def load(point: EntryPoint) -> Loaded:
    """Imports what an entry point names; whatever goes wrong there becomes a sentence."""
    begin = time.perf_counter()
    try:
        # What a module prints while it is imported must not get into data on stdout.
        with contextlib.redirect_stdout(sys.stderr):
            value = point.load()
    except (Exception, SystemExit) as error:
        return Loaded(failure=_cause(error), seconds=time.perf_counter() - begin)
    return Loaded(value=value, seconds=time.perf_counter() - begin)


def _cause(error: BaseException) -> str:
    """The error and the last line of code before it, since the traceback is not shown."""
    text = " ".join(f"{type(error).__name__}: {error}".rstrip(": ").split())
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "importlib" not in frame.filename and frame.filename != __file__
    ]
    return f"{text} ({frames[-1].filename}, line {frames[-1].lineno})" if frames else text


def allowed() -> dict[str, str] | None:
    """Normalised names of allowed distributions and how they were written; None for all."""
    value = os.environ.get(SWITCH)
    if value is None:
        return None
    names = [name.strip() for name in value.split(",")]
    return {normal(name): name for name in names if name}


def normal(name: str) -> str:
    """Package names are compared the way package indexes do (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wrong_version(version: object, distribution: str, current: int) -> str | None:
    """Why a plugin of another version of the API cannot be used; ``None`` where it is this one.

    Args:
        version: What the plugin states.
        distribution: The package that brought it.
        current: The version of this autoqa.
    """
    if version == current:
        return None
    older = isinstance(version, int) and version < current
    remedy = f"a newer {distribution}" if older else "a newer autoqa"
    return (
        f"it was written for version {version} of the plugin API, but this autoqa has "
        f"version {current}; install {remedy}"
    )
