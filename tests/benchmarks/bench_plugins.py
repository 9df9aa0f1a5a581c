"""What it costs to look at a hundred installed plugin packages.

The practice starts an interpreter and asks importlib.metadata for entry points, which imports none.
autoqa imports all modules, checks what is in them and prints a table.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.plugin_kit import write_distribution

from .harness import compare

PACKAGES, ROUNDS = 100, 5
CODE = """
class PlugOptions(Options):
    size: int = 3
    path: str = ''

spec = SourceSpec(name={name!r}, summary='Rows', options=PlugOptions, load=list, missing=str)
"""
BARE = (
    "from importlib.metadata import entry_points\n"
    "print(*(point.name for point in entry_points(group='autoqa.sources')))"
)
LISTING = "from autoqa.cli.main import main; main(['plugins', 'list', '--json'])"


def test_plugins_list(tmp_path: Path) -> None:
    names = [f"plug-{number}" for number in range(PACKAGES)]
    for name in names:
        write_distribution(tmp_path, name, {"sources": {name: "spec"}}, CODE.format(name=name))

    def found(code: str) -> bool:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return all(name in done.stdout for name in names)

    line = compare(
        "plugins_list",
        lambda: found(BARE),
        lambda: found(LISTING),
        rounds=ROUNDS,
        unit="lists/s",
        equal=lambda one, other: one and other,
    )
    print(f"\nplugins list with {PACKAGES} packages: {1 / line.b:.2f} s")
