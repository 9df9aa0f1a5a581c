"""The pages README.md, docs/*.md and studies/README.md, and how their marked blocks are run.

``<!-- test -->`` above a block: it is run by itself, in a folder that holds ``studies/``; what its
commands print contains the lines shown, in their order, with any others where a line says ``...``.
``<!-- test after quickstart -->``: it is run where the quickstart has run with fewer trials, and
any number may stand for a number shown.
``<!-- test in order -->``: the marked blocks of the page are run one after the other in one folder.
Which model is best may differ from machine to machine, so any number may stand for a number, any
backbone for a backbone, and the ladder's arrow anywhere. With a file's name behind
(``in order: first.toml``) a block is that file.

A command that ends in ``&`` runs beside the next ones; one that ends in a backslash goes on in the
next line, which begins with ``>``.
"""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        ROOT / "studies" / "README.md",
    )
}
BLOCK = re.compile(
    r"^<!-- test ?(?P<when>after quickstart|in order)?(?:: (?P<file>[\w.-]+))? ?-->\n"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.M | re.S,
)
When = Literal["", "after quickstart", "in order"]
BACKBONE = re.compile(r"\b(minilm-l6|minilm|e5-small|wide|narrow)\b")
"""What pages that are run in order call theirs."""
NUMBER = re.compile(r"[+-]?(\d[\d,]*(\.\d+)?|\.\d+)")


@dataclass(frozen=True)
class Block:
    """A marked block of a page."""

    page: str
    number: int
    when: When
    language: str
    text: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"


def blocks(language: str, *, after_quickstart: bool = False) -> list[Block]:
    wanted = "after quickstart" if after_quickstart else ""
    return [
        block
        for page in PAGES
        for block in blocks_of(page)
        if (block.when, block.language) == (wanted, language)
    ]


def blocks_of(page: str) -> list[Block]:
    return [
        Block(page, number, match["when"] or "", match["language"], match["text"], match["file"])
        for number, match in enumerate(BLOCK.finditer(PAGES[page]), 1)
    ]


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """(command, lines it should print) of a console block."""
    made: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            made.append((line.removeprefix("$ "), []))
        elif line.startswith("> ") and made[-1][0].endswith("\\"):
            made[-1] = (made[-1][0].removesuffix("\\") + line.removeprefix("> "), [])
        elif line != "...":
            made[-1][1].append(line)
    return made


def environment(home: Path) -> dict[str, str]:
    """This Python's scripts in front, runs of its own, all plugins."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "AUTOQA_HOME": str(home / "runs")}
    variables.pop("AUTOQA_PLUGINS", None)
    return variables


def run(command: str, folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def running(command: str, folder: Path) -> Iterator[None]:
    """A command that runs beside the next ones of its block."""
    shell = ["bash", "-c", f"exec {command}"]
    process = subprocess.Popen(shell, cwd=folder, env=environment(folder))
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def plain(text: str) -> str:
    return " ".join(text.split())


def check_commands(block: Block, folder: Path) -> list[tuple[str, float]]:
    """Runs a block; its lines stand in what the commands print, in their order.

    Returns:
        (command, seconds) of those that were waited for.
    """
    taken = []

    def comparable(text: str) -> str:
        if block.when == "in order":
            text = BACKBONE.sub("@", text.replace("→", "").replace("–", "0"))
        return plain(NUMBER.sub("#", text) if block.when else text)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port = str(listener.getsockname()[1])
    with ExitStack() as servers:
        for shown, expected in commands(block):
            command = shown.replace("8080", free_port)
            if command.endswith(" &"):
                servers.enter_context(running(command.removesuffix(" &"), folder))
                continue
            started = time.monotonic()
            done = run(command, folder, folder)
            taken.append((shown, time.monotonic() - started))
            assert done.returncode == 0, done.stderr
            rest = comparable(done.stdout)
            for line in expected:
                _, separator, rest = rest.partition(comparable(line))
                assert separator, (
                    f"{line!r} is not where {block.page} shows it in:\n{done.stdout}{done.stderr}"
                )
    return taken


def walk(page: str, folder: Path) -> list[tuple[str, float]]:
    """Runs the blocks of a page that are marked ``in order``, in one folder.

    Returns:
        (command, seconds) of all.
    """
    taken = []
    for block in blocks_of(page):
        if block.when != "in order":
            continue
        started = time.monotonic()
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            run_python(block, folder)
            taken.append(("python", time.monotonic() - started))
        else:
            taken += check_commands(block, folder)
    return taken


def run_python(block: Block, folder: Path) -> None:
    """It ends without an error, and prints something."""
    done = subprocess.run(
        [sys.executable, "-c", block.text],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
