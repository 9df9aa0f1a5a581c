"""Installed distributions made of files, for plugins that do what no package index would take."""

from collections.abc import Mapping
from pathlib import Path

OPENING = """
import os, sys, time
import numpy as np
from pydantic import BaseModel, Field, field_validator
from autoqa.api import *
"""


def write_distribution(
    folder: Path, distribution: str, points: Mapping[str, Mapping[str, str]], code: str = ""
) -> Path:
    """Writes a distribution of one module to a folder that is on ``sys.path``, or comes there.

    Args:
        folder: Where to.
        distribution: Its name; the module has the same with underscores.
        points: Group to (name of the entry point to the attribute of the module).
        code: The module, after imports of all that a plugin may need.
    """
    module = distribution.replace("-", "_")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
    (info / "METADATA").write_text(metadata)
    lines = []
    for group, names in points.items():
        lines += [f"[autoqa.{group}]", *(f"{n} = {module}:{a}" for n, a in names.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / f"{module}.py").write_text(OPENING + code)
    return folder


METRIC = """
def first_letters(prediction, reference, language):
    if not prediction or not reference:
        return float(prediction == reference)
    return float(prediction[0].casefold() == reference[0].casefold())

spec = MetricSpec(name="letters", summary="Equal first letters", function=first_letters)
"""
