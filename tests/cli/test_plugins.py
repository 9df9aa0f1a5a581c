"""``autoqa plugins list`` on really installed packages."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HELP = Path(__file__).parent / "help"


@pytest.fixture
def run(plugin_folder):
    def run(*arguments: str, plugins: str | None = "autoqa-plugin-example,autoqa-plugin-broken"):
        variables = {**os.environ, "PYTHONPATH": str(plugin_folder)}
        variables.pop("AUTOQA_PLUGINS", None)
        if plugins is not None:
            variables["AUTOQA_PLUGINS"] = plugins
        code = "from autoqa.cli.main import main; main()"
        command = [sys.executable, "-c", code, "plugins", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=variables)

    return run


def test_the_table_names_kind_package_and_cause(run, plugin_folder):
    result = run("list")
    assert result.returncode == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["kind", "name", "package", "summary"]
    assert rows[2][:4] == ["backbone", "example-encoder", "autoqa-plugin-example", "1.2.3"]
    assert [row[:2] for row in rows[2:]] == [
        ["backbone", "example-encoder"],
        ["source", "example-broken"],
        ["source", "example-lines"],
        ["augmentation", "example-blank"],
    ]
    broken = result.stdout.splitlines()[3]
    cause = f"({plugin_folder}/autoqa_plugin_broken.py, line 5)"
    assert f"failed: RuntimeError: the flux capacitor is empty {cause}" in broken


def test_json_is_nothing_but_json_even_if_a_plugin_prints(run):
    result = run("list", "--json")
    records = json.loads(result.stdout)
    assert records[0] == {
        "kind": "backbone",
        "name": "example-encoder",
        "distribution": "autoqa-plugin-example",
        "version": "1.2.3",
        "entry_point": "autoqa_plugin_example.backbone:spec",
        "summary": "An encoder in a folder",
        "failure": None,
    }
    assert records[1]["failure"].startswith("RuntimeError: the flux capacitor is empty")
    assert "this line must not get into data on stdout" in result.stderr


def test_the_switch(run):
    assert json.loads(run("list", "--json", plugins="").stdout) == []
    none = run("list", plugins="")
    assert (none.returncode, none.stdout) == (0, "")
    assert "Warning: no plugins" in none.stderr
    assert "AUTOQA_PLUGINS switches off: " in none.stderr

    some = run("list", plugins="autoqa-plugin-example")
    assert "example-broken" not in some.stdout
    assert "autoqa-plugin-broken" in some.stderr

    wrong = run("list", plugins="autoqa-plugin-exmaple")
    assert wrong.returncode == 0
    assert "did you mean 'autoqa-plugin-example'?" in wrong.stderr

    names = {row["name"] for row in json.loads(run("list", "--json", plugins=None).stdout)}
    assert {"example-encoder", "example-broken"} <= names


def test_colours_are_for_terminals_only(run):
    assert "\x1b" not in run("list").stdout


def test_help_is_what_it_was(run):
    """After a deliberate change: autoqa plugins [list] --help > the file."""
    assert run("--help").stdout == (HELP / "plugins.txt").read_text()
    assert run("list", "--help").stdout == (HELP / "plugins-list.txt").read_text()
