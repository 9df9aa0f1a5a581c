"""What a run's results depend on besides its data: the versions of the code that trains it."""

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autoqa import env
from autoqa.entry_points import installed
from autoqa.registry.records import GROUPS

LIBRARIES = ("torch", "transformers")
"""Packages by whose version a run may end differently."""


def environment() -> dict[str, str]:
    """Versions of Python, autoqa, torch, transformers and all plugin packages; imports none.

    Returns:
        Name to version. autoqa's has a digest of its source files, because a checkout changes
        while its version stays.
    """
    found = {
        "python": platform.python_version(),
        "autoqa": f"{version('autoqa')} (code {code_digest(Path(env.__file__).parent)})",
    }
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    plugins = {
        point.dist.name: point.dist.version
        for point in installed(*GROUPS.values())
        if point.dist is not None
    }
    return found | dict(sorted(plugins.items()))


def gone_plugins(there: Mapping[str, str]) -> dict[str, str]:
    """Plugin packages of another environment that are not installed here, with their versions.

    Those of which another version is here are named where none is gone.

    Args:
        there: Its :func:`environment`.
    """
    here = environment()
    plugins = {k: v for k, v in there.items() if k not in ("python", "autoqa", *LIBRARIES)}
    gone = {name: version for name, version in plugins.items() if name not in here}
    return gone or {name: v for name, v in plugins.items() if here[name] != v}


def code_digest(package: Path) -> str:
    """Twelve hex digits of all Python files below a folder, with their names."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(package).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def differences(
    where: str, there: Mapping[str, str], own: Mapping[str, str], *, here: str = "this search"
) -> list[str]:
    """One sentence, without a full stop, for each version that differs.

    Args:
        where: What people call the other place, such as ``node 10.0.0.7``.
        there: Its :func:`environment`.
        own: The environment of this process.
        here: What people call it.
    """
    found = []
    for name in [*own, *sorted(there.keys() - own.keys())]:
        if there.get(name) != own.get(name):
            has = f"has {name} {there[name]}" if name in there else f"does not have {name}"
            found.append(f"{where} {has}, {here} {own.get(name, 'does not')}")
    return found
