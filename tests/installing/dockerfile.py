"""A Dockerfile's steps, read and carried out below a folder in place of an image's root.

Where no daemon builds images, this is what can be known of a Dockerfile: every step does what it
should with the Python at hand. All stages share one root, as what is copied between them keeps its
path; the base image is the machine. Understood is what ``Dockerfile`` uses, all else is an error.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

_PATH = re.compile(r"(?<![\w./:$}-])/(?=[a-z])")
"""The slash that an absolute path begins with."""


@dataclass(frozen=True)
class Step:
    """An instruction: ``RUN``, and what follows it on its lines."""

    instruction: str
    value: str


@dataclass
class Container:
    """What the steps have made.

    Attributes:
        root: The folder that stands for ``/``.
        folder: Where commands run.
        variables: Of the environment.
        entrypoint: The command, before its arguments.
        stages: Names that later stages may copy from.
    """

    root: Path
    folder: Path
    variables: dict[str, str]
    entrypoint: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """Absolute paths moved below the root."""
        return _PATH.sub(f"{self.root}/", text)


def steps(text: str) -> list[Step]:
    """The instructions in their order, lines that go on joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines()]


def ignored(path: str, patterns: str) -> bool:
    """Whether ``.dockerignore`` leaves out a path of the context.

    The last pattern that fits it, or a folder above it, decides.

    Args:
        path: Such as ``autoqa/cli/main.py``.
        patterns: The file's text; ``*`` stays within a folder, ``**/`` is any number of them.
    """
    out = False
    parents = [path, *map(str, Path(path).parents)][:-1]
    for line in patterns.splitlines():
        if not line or line.startswith("#"):
            continue
        regex = re.escape(line.removeprefix("!"))
        regex = regex.replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
        if any(re.fullmatch(regex, each) for each in parents):
            out = not line.startswith("!")
    return out


def carry_out(text: str, context: Path, root: Path, arguments: Mapping[str, str]) -> Container:
    """Carries out all stages.

    Args:
        text: The Dockerfile's.
        context: The folder that ``COPY`` takes from.
        root: An empty folder.
        arguments: As by ``--build-arg``.

    Raises:
        CalledProcessError: A command failed; what it printed went to stdout and stderr.
        ValueError: An instruction or stage is not known.
    """
    python = Path(sys.base_prefix) / "bin"
    variables = {"PATH": f"{python}{os.pathsep}{os.defpath}"}
    container = Container(root, root, variables)
    for step in steps(text):
        if step.instruction == "COPY":
            _copy(step.value, context, container)
        elif step.instruction == "RUN":
            command = ["sh", "-euc", container.inside(step.value)]
            surroundings = os.environ | container.variables
            surroundings.pop("PYTHONPATH", None)
            subprocess.run(command, cwd=container.folder, env=surroundings, check=True)
        else:
            _set(step, container, arguments)
    return container


def _set(step: Step, container: Container, arguments: Mapping[str, str]) -> None:
    """An instruction that runs nothing."""
    name, _, value = step.value.partition("=")
    match step.instruction:
        case "ARG":
            container.variables[name] = arguments.get(name, value)
        case "ENV":
            value = Template(container.inside(value)).substitute(container.variables)
            container.variables[name] = value
        case "FROM":
            container.folder = container.root
            container.stages += re.findall(r" AS (\w+)$", step.value)
        case "WORKDIR":
            container.folder = Path(container.inside(step.value))
            container.folder.mkdir(parents=True, exist_ok=True)
        case "ENTRYPOINT":
            container.entrypoint = json.loads(step.value)
        case "USER" | "VOLUME" | "EXPOSE" | "CMD":
            pass
        case _:
            raise ValueError(f"{step.instruction} {step.value}: not known here")


def _copy(value: str, context: Path, container: Container) -> None:
    """``COPY [--from=STAGE] SOURCE ... TARGET``."""
    *sources, target = value.split()
    if sources[0].startswith("--from="):
        stage = sources.pop(0).removeprefix("--from=")
        if stage not in container.stages or sources != [target]:
            raise ValueError(f"COPY {value}: no such stage, or another path than there")
        return
    patterns = (context / ".dockerignore").read_text(encoding="utf-8")

    def left_out(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).relative_to(context)
        return {name for name in names if ignored(str(inside / name), patterns)}

    for source in sources:
        if ignored(source, patterns):
            raise ValueError(f"COPY {source}: .dockerignore leaves it out")
        if (context / source).is_dir():
            shutil.copytree(context / source, container.folder / target, ignore=left_out)
        else:
            shutil.copy(context / source, container.folder / target)
