"""The README is run: its study file, its plugin, its commands, and the quickstart end to end."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autoqa import errors
from autoqa.api import SourceSpec
from autoqa.config.study import StudyFile

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^<!-- test -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)]+)\)")


def blocks(language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(README) if kind == language]


def commands() -> list[tuple[str, list[str]]]:
    """(command, lines it should print) of all console blocks."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif line != "...":
            found[-1][1].append(line)
    return found


def run(command: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Runs a shell command with this Python's scripts in front and runs of its own."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "AUTOQA_HOME": str(home / "runs")}
    environment.pop("AUTOQA_PLUGINS", None)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("command,expected", commands(), ids=[each for each, _ in commands()])
def test_commands_do_what_the_readme_shows(
    command: str, expected: list[str], tmp_path: Path
) -> None:
    done = run(command, ROOT, tmp_path)
    assert done.returncode == 0, done.stderr
    rest = plain(done.stdout)
    for line in expected:
        _, found, rest = rest.partition(plain(line))
        assert found, f"{line!r} is not where the README shows it in:\n{done.stdout}{done.stderr}"


def test_every_command_that_is_listed_exists(tmp_path: Path) -> None:
    listed = set(re.findall(r"^\| `autoqa (\w+)", README, re.MULTILINE))
    done = run("autoqa --help", ROOT, tmp_path)
    section = done.stdout.partition("Commands:")[2]
    assert listed == set(re.findall(r"^  (\w+)  ", section, re.MULTILINE))
    for command in sorted(listed):
        assert run(f"autoqa {command} --help", ROOT, tmp_path).returncode == 0


def test_the_study_file_is_one_and_short() -> None:
    (text,) = blocks("toml")
    assert len(text.splitlines()) <= 25
    assert StudyFile.model_validate(tomllib.loads(text)).validation.source == "target"


def test_the_plugin_is_one() -> None:
    (text,) = blocks("python")
    space: dict[str, object] = {"__name__": "my_package"}
    exec(compile(text, "README.md", "exec"), space)
    spec = space["spec"]
    assert isinstance(spec, SourceSpec)
    made = list(spec.load(spec.options(rows=2)))
    assert len(made) == 2
    for example in made:
        for answer in example.answers:
            assert example.context[answer.start : answer.end] == answer.text


def test_every_exit_code_is_explained() -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    raised = {each.exit_code for each in kinds if issubclass(each, errors.AutoqaError)}
    assert explained == raised | {0, 130}


def test_links_lead_somewhere() -> None:
    for text in (README, (ROOT / "studies" / "README.md").read_text(encoding="utf-8")):
        for target in LINK.findall(text):
            assert target.startswith("https://") or (ROOT / target).exists(), target


def quickstart_commands() -> list[str]:
    """What ``make quickstart`` runs once everything is installed."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "BIN=BIN", "quickstart"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.removeprefix("BIN/") for line in done.stdout.splitlines()]
    return [line for line in lines if line.startswith("autoqa ")]


def test_quickstart_searches_exports_and_asks() -> None:
    done = [command.split()[1] for command in quickstart_commands()]
    assert done == ["search", "leaderboard", "export", "predict"]


@pytest.mark.slow
def test_quickstart_works_twice_and_its_bundle_answers(tmp_path: Path) -> None:
    """Each backbone's protocol only; the rest of the search takes longer, not other ways."""
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    steps = quickstart_commands()
    steps[0] += " --trials 2 --quiet"
    for command in [*steps, *steps]:
        done = run(command, tmp_path, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    questions = tmp_path / "studies" / "quickstart-questions.csv"
    with questions.open(encoding="utf-8", newline="") as file:
        contexts = {row["id"]: row["context"] for row in csv.DictReader(file)}
    answers = {row["id"]: row["answer"] for row in csv.DictReader(done.stdout.splitlines())}
    assert list(answers) == list(contexts)
    assert all(answers[key] and answers[key] in contexts[key] for key in contexts)

    board = json.loads(run("autoqa leaderboard quickstart --json", tmp_path, tmp_path).stdout)
    assert {each["backbone"] for each in board["candidates"]} == {"e5", "minilm"}
    chosen = run("autoqa select quickstart", tmp_path, tmp_path)
    assert chosen.returncode == 0, chosen.stderr
    scored = run(f"autoqa evaluate bundle {questions} --json", tmp_path, tmp_path)
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["n"] == len(contexts)
