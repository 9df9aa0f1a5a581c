"""Shells complete commands; the script is where they look for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def autoqa(*arguments: str, home: Path, shell: str = "") -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "HOME": str(home), "SHELL": shell}
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        variables.pop(name, None)
    command = [sys.executable, "-m", "autoqa", "completion", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=variables)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_bash_completes_from_what_was_installed(tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text("own=1")
    (tmp_path / "autoqa").write_text(f'#!/bin/sh\nexec {sys.executable} -m autoqa "$@"\n')
    (tmp_path / "autoqa").chmod(0o755)
    for _ in range(2):
        done = autoqa("--install", home=tmp_path, shell="/usr/bin/bash")
        assert done.returncode == 0, done.stderr
    lines = (tmp_path / ".bashrc").read_text().splitlines()
    assert lines[0] == "own=1"
    assert len(lines) == 2, "the line is added once"
    asked = (
        f'. "{tmp_path}/.bashrc"; COMP_WORDS=(autoqa leader); COMP_CWORD=1; '
        '_autoqa_completion autoqa; echo "${COMPREPLY[@]}"; COMPREPLY=(); '
        "COMP_WORDS=(autoqa leaderboard show --wi); COMP_CWORD=3; "
        '_autoqa_completion autoqa; echo "${COMPREPLY[@]}"'
    )
    variables = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    bash = ["bash", "--norc", "-c", asked]
    found = subprocess.run(bash, capture_output=True, text=True, env=variables)
    assert found.stdout.split() == ["leaderboard", "--wide"], found.stderr


@pytest.mark.parametrize(
    "shell, script, start_file",
    [
        ("zsh", ".local/share/autoqa/completion.zsh", ".zshrc"),
        ("fish", ".config/fish/completions/autoqa.fish", None),
    ],
)
def test_other_shells(tmp_path: Path, shell: str, script: str, start_file: str | None) -> None:
    printed = autoqa(shell, home=tmp_path)
    assert printed.returncode == 0
    assert "_AUTOQA_COMPLETE" in printed.stdout
    assert autoqa(shell, "--install", home=tmp_path).returncode == 0
    assert (tmp_path / script).read_text() == printed.stdout
    if start_file is not None:
        assert (tmp_path / start_file).read_text() == f'source "{tmp_path / script}"\n'


def test_an_unknown_shell_is_named(tmp_path: Path) -> None:
    done = autoqa(home=tmp_path, shell="/bin/tcsh")
    assert done.returncode == 2
    assert "SHELL is '/bin/tcsh', which is none of bash, zsh, fish" in done.stderr


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / ".local").write_text("a file")
    done = autoqa("bash", "--install", home=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    assert not (tmp_path / ".bashrc").exists()
