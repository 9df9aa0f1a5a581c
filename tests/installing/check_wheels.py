"""What somebody gets who installs the wheels: ``make check-wheels``.

The steps of the Dockerfile build the wheels and install them into an empty environment, and a
study is searched, exported and asked there, in a folder of its own. Any file of this checkout that
is opened meanwhile, in whatever process, is an error.
"""

import csv
import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.installing.dockerfile import Container, carry_out
from tests.installing.projects import PACKAGES, PLUGINS, ROOT, VERSION, files, packed, project

GUARD = f"""
import os, sys
def guard(event, arguments):
    if event == "open" and str(arguments[0]).startswith({str(ROOT) + os.sep!r}):
        sys.stderr.write(f"opened {{arguments[0]}}, which is no file of the wheels\\n")
        sys.stderr.flush()
        os._exit(70)
sys.addaudithook(guard)
"""

STUDY = """
name = "tiny"
[sources.towns]
type = "demo"
languages = ["en"]
documents = 12
questions_per_document = 2
[sources.exam]
type = "demo"
languages = ["en"]
documents = 12
questions_per_document = 2
seed = 3
[backbones.e5]
type = "e5-small"
[[recipe.portions]]
source = "towns"
[[recipe.augmentations]]
type = "cutout"
[validation]
source = "exam"
[search]
trials = 1
"""

QUESTIONS = [
    ("id", "question", "context"),
    ("1", "Who founded Kimemport?", "Mabitin Kingsley founded Kimemport."),
    ("2", "Where is the mill?", "The mill stands in Tuchedey, above the ford."),
]


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """What the Dockerfile makes, with the torch that this machine's pip finds."""
    root = tmp_path_factory.mktemp("root")
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    try:
        made = carry_out(text, ROOT, root, {"TORCH_INDEX": ""})
        (packages,) = root.glob("opt/autoqa/lib/python*/site-packages")
        (packages / "guard_checkout.py").write_text(GUARD)
        (packages / "guard_checkout.pth").write_text("import guard_checkout")
        yield made
    finally:
        # More than a gigabyte in 30,000 files: nobody needs to wait until they are gone.
        subprocess.run(["sh", "-c", 'rm -rf "$1" &', "sh", str(root)], check=True)


def ask(container: Container, command: str, expected: int = 0) -> str:
    """What a command prints that runs in the container, as its entry point does."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*container.entrypoint, *command.split()],
        cwd=container.folder,
        env=own | container.variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == expected, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_wheels_hold_the_packages_and_nothing_else(container: Container) -> None:
    wheels = sorted((container.root / "src" / "build" / "wheels").iterdir())
    assert len(wheels) == len(PACKAGES)
    for package, wheel in zip(sorted(PACKAGES, key=lambda path: path.name), wheels, strict=True):
        assert wheel.name == f"{package.name}-{VERSION}-py3-none-any.whl"
        assert packed(wheel) == files(package)


def test_a_search_from_an_empty_folder_to_answers(container: Container) -> None:
    assert list(container.folder.iterdir()) == []
    assert ask(container, "--version") == f"autoqa {VERSION}\n"
    assert "Commands:" in ask(container, "--help")

    listed = json.loads(ask(container, "plugins list --json"))
    offered = {
        (group.removeprefix("autoqa.").removesuffix("s"), name)
        for plugin in PLUGINS
        for group, names in project(plugin)["entry-points"].items()
        for name in names
    }
    ours = [each for each in listed if each["distribution"] != "autoqa"]
    assert {(each["kind"], each["name"]) for each in ours} == offered
    assert [each["failure"] for each in listed if each["failure"]] == []
    assert " passed " in ask(container, "plugins check demo")
    assert ask(container, "plugins new source my-towns").count("my-towns/") >= 5

    (container.folder / "tiny.toml").write_text(STUDY, encoding="utf-8")
    with (container.folder / "questions.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(QUESTIONS)
    ask(container, "search tiny.toml --quiet")
    assert (container.root / "runs" / "tiny").is_dir()
    ask(container, "report tiny --to page.html")
    assert "</html>" in (container.folder / "page.html").read_text(encoding="utf-8")
    ask(container, "export tiny --to bundle")
    answers = csv.DictReader(ask(container, "predict bundle questions.csv").splitlines())
    contexts = {key: context for key, _, context in QUESTIONS[1:]}
    found = {row["id"]: row["answer"] for row in answers}
    assert found.keys() == contexts.keys()
    assert all(answer and answer in contexts[key] for key, answer in found.items())


def test_the_guard_ends_whoever_opens_a_file_of_the_checkout(container: Container) -> None:
    ask(container, f"evaluate bundle {ROOT / 'studies' / 'quickstart-questions.csv'}", expected=70)
