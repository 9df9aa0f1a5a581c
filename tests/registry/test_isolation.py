"""A package that misbehaves is named, and hides nothing of the others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autoqa.api import BackboneSpec
from autoqa.errors import PluginError
from autoqa.registry import discover
from tests.plugin_kit import write_distribution

SOURCE = "spec = SourceSpec(name={0!r}, summary='Rows', options=Options, load=list, missing=str)\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("AUTOQA_PLUGINS", "odd-one,healthy")
    write_distribution(
        tmp_path, "healthy", {"sources": {"healthy": "spec"}}, SOURCE.format("healthy")
    )
    for name in ("odd_one", "healthy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "code, cause",
    [
        ("class Away(BaseException): pass\nraise Away('gone')", "Away: gone ("),
        ("import asyncio\nraise asyncio.CancelledError", "CancelledError ("),
        ("raise GeneratorExit", "GeneratorExit ("),
        ("def endless(): endless()\nendless()", "RecursionError: maximum recursion depth"),
        (
            "class Odd(SourceSpec):\n"
            "    def __getattribute__(self, name):\n        raise KeyError(name)\n"
            "spec = object.__new__(Odd)",
            "KeyError: 'api_version'",
        ),
        (
            "spec = SourceSpec(name='odd', summary='', options=7, load=list, missing=str)",
            "options are 7",
        ),
        ("class Odd(Options):\n    rows: 'Unknown'\n    other: int = 'x' + 1", "TypeError: "),
    ],
)
def test_whatever_a_module_does_stays_its_own_failure(site: Path, code: str, cause: str) -> None:
    write_distribution(site, "odd-one", {"sources": {"odd": "spec"}}, code + "\n")
    catalogue = discover()
    failures = {record.name: record.failure for record in catalogue.records}
    assert failures["healthy"] is None
    assert cause in (failures["odd"] or "")
    with pytest.raises(
        PluginError, match=r"the source plugin 'odd' of odd-one 1\.0 cannot be used"
    ):
        catalogue.source("odd", "here")


def test_an_entry_point_names_an_object(site: Path) -> None:
    write_distribution(site, "odd-one", {"sources": {"odd": "spec"}})
    (site / "odd_one-1.0.dist-info" / "entry_points.txt").write_text("[autoqa.sources]\nodd = \n")
    failures = {record.name: record.failure for record in discover().records}
    assert failures == {"healthy": None, "odd": "the entry point 'odd' is '', not module:attribute"}


def test_an_interrupt_is_no_failure_of_a_plugin(site: Path) -> None:
    write_distribution(site, "odd-one", {"sources": {"odd": "spec"}}, "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        discover()


@pytest.mark.parametrize(
    "code",
    [
        "print('loud')\n",
        "os.write(1, b'loud\\n')\n",
        "import subprocess\nsubprocess.run(['echo', 'loud'])\n",
    ],
)
def test_stdout_is_for_data(site: Path, code: str) -> None:
    write_distribution(site, "odd-one", {"sources": {"odd": "spec"}}, code + SOURCE.format("odd"))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from autoqa.cli.main import main; main()",
            "plugins",
            "list",
            "--json",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert [row["name"] for row in json.loads(done.stdout)] == ["healthy", "odd"]
    assert "loud" in done.stderr


def test_a_hundred_packages_are_listed_fast(tmp_path: Path) -> None:
    """Measured as the processor's time, in terms of a bare look at all entry points."""
    for number in range(100):
        name = f"plug-{number}"
        code = (
            "class PlugOptions(Options):\n    size: int = 3\n    path: str = ''\n"
            f"spec = SourceSpec(name={name!r}, summary='Rows', options=PlugOptions, load=list, "
            "missing=str)\n"
        )
        write_distribution(tmp_path, name, {"sources": {name: "spec"}}, code)

    def seconds(code: str, *words: str) -> float:
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        environment.pop("AUTOQA_PLUGINS", None)
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words], env=environment, stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0
        return used.ru_utime + used.ru_stime

    command = "from autoqa.cli.main import main; main()"
    listing = min(seconds(command, "plugins", "list") for _ in range(2))
    bare = min(seconds("import importlib.metadata as m; m.entry_points()") for _ in range(3))
    assert listing < 30 * bare, f"{listing:.2f} s, and a bare look at entry points {bare:.2f} s"


def test_a_kind_is_no_matter_of_the_group(site: Path) -> None:
    write_distribution(site, "odd-one", {"backbones": {"odd": "spec"}}, SOURCE.format("odd"))
    (odd,) = [record for record in discover().records if record.name == "odd"]
    assert odd.failure == f"odd_one:spec is of type SourceSpec, not {BackboneSpec.__name__}"
