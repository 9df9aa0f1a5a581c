"""Entry points of plugins: which may be used, and what loading one gives, whatever it does."""

import os
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

SWITCH = "AUTOQA_PLUGINS"
"""Environment variable: comma-separated distributions whose plugins are used; "" for none."""


GROUPS_OF_PLUGINS = "autoqa."
"""What the names of groups of plugins begin with."""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The plugins that packages offer.

    Attributes:
        points: Their entry points; each knows its package.
        unreadable: A sentence for each package whose entry points cannot be read.
    """

    points: tuple[EntryPoint, ...]
    unreadable: tuple[str, ...]

    def of(self, group: str, name: str | None = None) -> tuple[EntryPoint, ...]:
        """Those of a group, or of a name in it."""
        return tuple(
            point for point in self.points if point.group == group and name in (None, point.name)
        )


def installed() -> Installed:
    """Reads which plugins there are; imports none.

    One package whose entry points are damaged hides no other's, as it does for
    :func:`importlib.metadata.entry_points`; and only packages with plugins are read any further.
    """
    points: list[EntryPoint] = []
    unreadable, seen = [], set()
    for distribution in distributions():
        try:
            if not _offers(distribution):
                continue
            name = normal(distribution.name)
            if name in seen:  # one that is hidden by another earlier on the path
                continue
            seen.add(name)
            offered = distribution.entry_points
            points += [each for each in offered if each.group.startswith(GROUPS_OF_PLUGINS)]
        except Exception as error:  # whatever damaged files make of the standard library
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            unreadable.append(
                f"the entry points of {_called(distribution)} cannot be read ({cause}); install "
                "that package again, or uninstall it"
            )
    return Installed(points=tuple(points), unreadable=tuple(unreadable))


def _offers(distribution: Distribution) -> bool:
    text = distribution.read_text("entry_points.txt")
    return text is not None and f"[{GROUPS_OF_PLUGINS}" in text


def _called(distribution: Distribution) -> str:
    try:
        return distribution.name or "a package"
    except Exception:  # its metadata is damaged, too
        return "a package"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What an entry point leads to.

    Attributes:
        value: The object; ``None`` where it could not be imported.
        failure: Why it could not, or ``None``.
        seconds: What importing it took, by :func:`own_seconds`.
    """

    value: Any = None
    failure: str | None = None
    seconds: float = 0.0


def own_seconds() -> float:
    """A clock that stands still while this process waits for a processor that others use.

    What a module computes and what it waits for, a file or a server, counts; a busy machine does
    not. Where the system does not tell (all but Linux), it is the usual clock.
    """
    try:
        queued = int(_QUEUED.read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        queued = 0.0
    return time.perf_counter() - queued


_QUEUED = Path("/proc/self/schedstat")


def load(point: EntryPoint) -> Loaded:
    """Imports what an entry point names; whatever goes wrong there becomes a sentence."""
    begin = own_seconds()
    if point.pattern.match(point.value) is None:
        return Loaded(
            failure=f"the entry point {point.name!r} is {point.value!r}, not module:attribute"
        )
    try:
        with _stdout_to_stderr():
            value = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return Loaded(failure=_cause(error), seconds=own_seconds() - begin)
    return Loaded(value=value, seconds=own_seconds() - begin)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """What a module prints must not get into data on stdout, be it by Python, C or a process."""
    with redirect_stdout(sys.stderr):
        try:
            saved = os.dup(1)
            os.dup2(2, 1)
        except OSError:  # this process was started without
            yield
            return
        try:
            yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)


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
