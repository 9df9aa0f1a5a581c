"""The Dockerfile, read: what it copies, names and runs; and how its steps are carried out."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.installing.dockerfile import carry_out, ignored, steps
from tests.installing.projects import PACKAGES, ROOT, files, project

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STEPS = steps(TEXT)
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8")


def values(instruction: str) -> list[str]:
    return [step.value for step in STEPS if step.instruction == instruction]


def test_the_image_gets_what_wheels_are_made_of_and_nothing_else() -> None:
    copied = {
        source
        for value in values("COPY")
        if not value.startswith("--from=")
        for source in value.split()[:-1]
    }
    assert all((ROOT / source).exists() and not ignored(source, IGNORED) for source in copied)
    top = {path.name for path in ROOT.iterdir()}
    assert {name for name in top if not ignored(name, IGNORED)} == copied
    for package in PACKAGES:
        above = package.parent.relative_to(ROOT)
        assert not [name for name in files(package) if ignored(str(above / name), IGNORED)]


@pytest.mark.parametrize(
    "path, out",
    [
        ("autoqa", False),
        ("autoqa/cli/main.py", False),
        ("autoqa/cli/__pycache__/main.cpython-311.pyc", True),
        ("plugins/autoqa-sources/autoqa_sources.egg-info", True),
        ("tests/conftest.py", True),
        (".venv", True),
        (".git/config", True),
    ],
)
def test_what_docker_ignores(path: str, out: bool) -> None:
    assert ignored(path, IGNORED) == out


def test_the_image_and_make_build_wheels_by_the_same_command() -> None:
    (build,) = [value for value in values("RUN") if " pip wheel " in value]
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "wheels"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert build.removeprefix("python3 ") in done.stdout.replace(" --quiet", "")


def test_everything_is_installed_in_the_versions_that_are_tested() -> None:
    installed = [value for value in values("RUN") if " pip install " in value]
    assert len(installed) == 2
    assert all(" -c constraints.txt " in value for value in installed)
    (extras,) = [value for value in values("ARG") if value.startswith("EXTRAS=")]
    asked = extras.partition("=")[2].split(",")
    assert set(asked) <= set(project(ROOT)["optional-dependencies"])


def test_the_image_runs_the_command_as_nobody_in_particular() -> None:
    (entrypoint,) = values("ENTRYPOINT")
    assert json.loads(entrypoint) == list(project(ROOT)["scripts"])
    assert values("USER") == ["1000:1000"]
    assert all(" AS " in value for value in values("FROM")[:-1])


def test_steps_are_carried_out_below_a_folder(tmp_path: Path) -> None:
    context, root = tmp_path / "context", tmp_path / "root"
    (context / "inner" / "deep").mkdir(parents=True)
    root.mkdir()
    (context / ".dockerignore").write_text("*\n!inner\n**/*.log\n")
    (context / "inner" / "deep" / "a.txt").write_text("a")
    (context / "inner" / "deep" / "a.log").write_text("a")
    text = """
    # a comment
    ARG BASE=python
    FROM $BASE AS build
    WORKDIR /src
    COPY inner inner
    ARG WORD=hello
    RUN mkdir /opt && \\
        echo "$WORD" > /opt/said && python3 -c 'import sys; print(sys.prefix)' > /opt/python
    FROM $BASE
    COPY --from=build /opt /opt
    ENV HOME=/opt
    WORKDIR /work
    ENTRYPOINT ["sh", "-c"]
    """.replace("\n    ", "\n")
    made = carry_out(text, context, root, {"WORD": "good morning"})
    assert (root / "opt" / "said").read_text() == "good morning\n"
    assert files(root / "src") == {"src/inner/deep/a.txt"}
    assert made.folder == root / "work"
    assert made.variables["HOME"] == f"{root}/opt"
    assert made.entrypoint == ["sh", "-c"]


@pytest.mark.parametrize(
    "line, error",
    [
        ("HEALTHCHECK CMD true", "HEALTHCHECK CMD true: not known here"),
        ("COPY --from=other /opt /opt", "no such stage"),
        ("COPY tests tests", r"COPY tests: .dockerignore leaves it out"),
    ],
)
def test_what_cannot_be_carried_out_is_an_error(tmp_path: Path, line: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        carry_out(f"FROM python AS build\n{line}", ROOT, tmp_path, {})


def test_a_step_that_fails_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        carry_out("FROM python\nRUN false\nRUN touch /made", ROOT, tmp_path, {})
    assert not (tmp_path / "made").exists()
