"""``autoqa plugins show``, ``check`` and ``new``."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.plugin_kit import METRIC, write_distribution

Command = Callable[..., subprocess.CompletedProcess[str]]

CODE = """
class Base(Options):
    \"\"\"Keys.

    Attributes:
        seed: Decides the rows. See :class:`autoqa.api.Options`, and ``length``.
    \"\"\"

    seed: int = 0

class TownOptions(Base):
    \"\"\"Keys.

    Attributes:
        length: How long
            they are.
    \"\"\"

    length: float = Field(default=0.5, ge=0, lt=1)
    order: str = Field(description="Which order.")

    @field_validator("order")
    @classmethod
    def known(cls, order):
        if order == "chaos":
            raise RuntimeError("no order")
        return order

def load(options):
    number = options.seed if options.order == "right" else 9
    return [Example("1", "Where?", "In Rome.", (Answer("Rome", 3 + number),), "en", "1")]

spec = SourceSpec(name="towns", summary="Towns", options=TownOptions, load=load,
    missing=lambda o: "copy the rows to /rows" if o.order == "none" else None,
    licence=lambda o: "CC0-1.0", citation=lambda o: "Ansel, 1874")

def mask(self, batch, rng):
    return batch.input_ids

augmentation = AugmentationSpec(name="towns", summary="Nothing", options=Options,
    build=lambda o: type("Nothing", (Augmentation,), {"mask": mask})())
"""
POINTS = {"sources": {"towns": "spec"}, "augmentations": {"towns": "augmentation"}}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_distribution(tmp_path / "site", "my-towns", POINTS, CODE)
    write_distribution(tmp_path / "site", "my-letters", {"metrics": {"letters": "spec"}}, METRIC)
    return tmp_path / "site"


@pytest.fixture
def command(site: Path, tmp_path: Path) -> Command:
    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": str(site), "AUTOQA_PLUGINS": ""}
        variables["AUTOQA_PLUGINS"] = "my-towns,my-letters,my-broken,my-new"
        code = "from autoqa.cli.main import main; main()"
        words = [sys.executable, "-c", code, "plugins", *map(str, arguments)]
        return subprocess.run(
            words, capture_output=True, text=True, env=variables, cwd=tmp_path, check=False
        )

    return command


def test_show_describes_options_and_what_depends_on_them(command: Command) -> None:
    done = command("show", "source", "towns", "--options", "order=right", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["options"] == [
        {
            "name": "seed",
            "type": "integer",
            "default": "0",
            "meaning": "Decides the rows. See `autoqa.api.Options`, and `length`.",
            "required": False,
        },
        {
            "name": "length",
            "type": "number 0 or more and below 1",
            "default": "0.5",
            "meaning": "How long they are.",
            "required": False,
        },
        {
            "name": "order",
            "type": "text",
            "default": None,
            "meaning": "Which order.",
            "required": True,
        },
    ]
    assert found["facts"] == {"licence": "CC0-1.0", "citation": "Ansel, 1874"}
    assert (found["missing"], found["unasked"], found["protocol"]) == (None, "", None)
    assert found["json_schema"]["properties"]["length"]["exclusiveMaximum"] == 1

    text = command("show", "source", "towns", "--options", "order=none").stdout
    assert "missing here: copy the rows to /rows" in text
    text = command("show", "source", "towns").stdout
    assert "not known yet: give --options order=..." in text
    assert "licence" not in text
    text = command("show", "letters").stdout
    assert text.startswith("metric letters\nEqual first letters\n")
    assert "scores: 0 to 1, higher is better" in text


def test_options_are_shown_where_the_defaults_alone_are_not_enough(run: Run) -> None:
    code, out, err = run("plugins", "show", "back-translation")
    assert code == 0, err
    assert "not known yet: give --options: the file: give table, or else forward" in out
    assert "paraphrases" in out
    code, _, err = run("plugins", "show", "back-translation", "--options", "share=0.2")
    assert code == 2
    assert "give table, or else forward" in err


@pytest.mark.parametrize(
    "words, code, sentence",
    [
        (("towns",), 3, "named 'towns': say `source towns` or `augmentation towns`"),
        (("town",), 3, "no plugin is named 'town'; did you mean 'towns'?"),
        (("metric", "towns"), 3, "no metric plugin is named 'towns'; 'towns' is the name of a"),
        (("sauce", "towns"), 2, "no kind of plugin is called 'sauce'; did you mean 'source'?"),
        (("a", "b", "c"), 2, "give one plugin's name, or its kind and its name, not 3 words"),
        (("source", "towns", "--options", "order"), 2, "--options order: write KEY=VALUE"),
        (
            ("source", "towns", "--options", "order=right", "--options", "order=2"),
            2,
            "--options order=2: order is given twice",
        ),
        (
            ("source", "towns", "--options", "oder=right"),
            2,
            "source 'towns': oder: unknown key; did you mean 'order'?",
        ),
        (
            ("source", "towns", "--options", "order=chaos"),
            3,
            "the plugin 'towns' failed: RuntimeError: no order",
        ),
    ],
)
def test_wrong_words_are_told(
    command: Command, words: tuple[str, ...], code: int, sentence: str
) -> None:
    done = command("show", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_show_imports_no_torch(command: Command, site: Path) -> None:
    code = (
        "import sys, atexit\n"
        "heavy = {'torch', 'transformers', 'optuna'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\n"
        "from autoqa.cli.main import main; main(['plugins', 'show', 'letters'])"
    )
    variables = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=variables
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_check_says_what_is_broken(command: Command) -> None:
    done = command("check", "source", "towns", "--options", "order=right")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["passed", "offsets", "answers", "stand", "at", "their", "offsets"] in lines
    assert lines[-1][1] == "passed,"

    done = command("check", "source", "towns", "--options", "order=right", "--options", "seed=1")
    assert done.returncode == 3
    assert "FAILED          offsets          row '1': context[4:8] is 'ome.', not" in done.stdout
    assert "Error: source towns: offsets: row '1': context[4:8] is 'ome.', not" in done.stderr
    exempt = ("--exempt", "offsets=shifted", "--exempt", "rows=shifted")
    options = ("--options", "order=right", "--options", "seed=1")
    done = command("check", "source", "towns", *options, *exempt, "--json")
    assert done.returncode == 0
    outcomes = {row["check"]: (row["outcome"], row["sentence"]) for row in json.loads(done.stdout)}
    assert outcomes["offsets"] == ("exempt", "shifted")


@pytest.mark.parametrize(
    "words, sentence",
    [
        ((), "give one plugin's name, or --all"),
        (("letters", "--all"), "give one plugin's name, or --all"),
        (("--all", "--options", "a=1"), "are about one plugin; give its name, not --all"),
        (("letters", "--exempt", "name"), "--exempt name: write CHECK=REASON"),
        (("letters", "--exempt", "nam=x"), "a metric has no check 'nam'; did you mean 'name'?"),
        (("letters", "--options", "a=1"), "the metric 'letters' has no options"),
    ],
)
def test_wrong_words_of_check(command: Command, words: tuple[str, ...], sentence: str) -> None:
    done = command("check", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_check_all_goes_over_everything(command: Command, site: Path) -> None:
    write_distribution(site, "my-broken", {"sources": {"broken": "spec"}}, "1 / 0")
    done = command("check", "--all")
    assert done.returncode == 3
    assert "metric letters\n  passed" in done.stdout
    assert "source broken: ZeroDivisionError: division by zero" in done.stderr
    note = (
        "Note: source towns needs options, so it is not checked (towns: options.order: is missing)"
    )
    assert note in done.stderr


def test_list_warns_of_slow_imports(command: Command, site: Path) -> None:
    write_distribution(site, "my-new", {"sources": {"slow": "spec"}}, "time.sleep(1.2)\n")
    done = command("list")
    assert done.returncode == 0
    assert "Warning: importing the source 'slow' of my-new 1.0 takes 1." in done.stderr
    assert "towns" in done.stdout


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("My Towns", "'My Towns' is no name for a package: take lower-case letters, digits"),
        ("towns-", "'towns-' is no name for a package"),
        ("class", "'class' is the name of another module of Python"),
        ("json", "'json' is the name of another module of Python"),
        ("autoqa", "'autoqa' is the name of another module"),
    ],
)
def test_new_refuses_names(command: Command, tmp_path: Path, name: str, sentence: str) -> None:
    done = command("new", "source", name, "--to", "there")
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    "kind, name, owner", [("source", "towns", "my-old 1.0"), ("metric", "jaccard", "autoqa 0.")]
)
def test_new_refuses_what_a_plugin_of_the_kind_is_called(
    command: Command, site: Path, tmp_path: Path, kind: str, name: str, owner: str
) -> None:
    write_distribution(site, "my-old", {"sources": {"towns": "spec"}})
    done = command("new", kind, name, "--to", "there")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the {kind} {name!r} is there already, by {owner}" in done.stderr
    assert f"take another name, such as 'my-{name}'" in done.stderr
    assert not (tmp_path / "there").exists()
    assert command("new", "backbone", "towns", "--to", "there").returncode == 0


def test_new_refuses_folders_that_exist(command: Command, tmp_path: Path) -> None:
    (tmp_path / "my-new").mkdir()
    done = command("new", "metric", "my-new")
    assert done.returncode == 2
    assert "my-new exists already; give another folder by --to" in done.stderr
    assert list((tmp_path / "my-new").iterdir()) == []


def installed(package: Path, site: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    done = subprocess.run([*pip, *options, str(package)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("backbone", marks=pytest.mark.slow),
        pytest.param("source", marks=pytest.mark.slow),
        pytest.param("augmentation", marks=pytest.mark.slow),
        pytest.param("metric", marks=pytest.mark.slow),
    ],
)
def test_what_new_writes_passes_its_own_tests_and_the_checks(
    command: Command, site: Path, tmp_path: Path, kind: str
) -> None:
    done = command("new", kind, "my-new", "--to", tmp_path / "package")
    assert done.returncode == 0, done.stderr
    assert str(tmp_path / "package" / "my_new" / f"{kind}.py") in done.stdout.splitlines()
    installed(tmp_path / "package", site)
    begin = time.perf_counter()
    done = command("check", "my-new")
    seconds = time.perf_counter() - begin
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"{kind}: checked in {seconds:.0f} s")
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "package")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )
    assert tests.returncode == 0, tests.stdout
