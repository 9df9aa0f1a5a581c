"""The notebook of a kit, executed as Kaggle does: no network, only what its image has.

torch takes minutes to install, so the environment is a bare one that sees the packages of Kaggle's
image (torch, numpy, pydantic and what they ask for) through links to this environment's. autoqa,
transformers and all else that the kit ships come from its wheels alone.
"""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autoqa.bundle.input_rows import Row
from autoqa.bundle.verify import verify
from autoqa.cli.main import main
from autoqa.export.kaggle import wheels
from autoqa.export.kaggle.hours import Hours
from autoqa.export.kaggle.kit import write_kit
from tests import bundle_kit

NAMESPACE = ("unshare", "--map-root-user", "--net")

RUNNER = """
import importlib.util, json, socket, sys

for name in ("optuna", "sqlalchemy", "transformers", "tokenizers", "autoqa"):
    assert importlib.util.find_spec(name) is None, f"{name} is there before the wheels are"
try:
    socket.create_connection(("1.1.1.1", 443), timeout=5)
except OSError:
    pass
else:
    sys.exit("there is a network")
space = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
"""


def closure(*roots: str) -> Iterator[Distribution]:
    """Distributions with all that they require here."""
    waiting, seen = list(roots), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        yield found
        required = [Requirement(line) for line in found.requires or ()]
        waiting += [r.name for r in required if not r.marker or r.marker.evaluate({"extra": ""})]


def link_image(folder: Path) -> None:
    """Links the packages that Kaggle's image has, and no others."""
    folder.mkdir()
    for package in closure("torch", *sorted(wheels._NOT_SHIPPED - {"typer", "hf-xet"})):
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            target = Path(str(package.locate_file(top)))
            if target.exists() and not (folder / top).exists():
                (folder / top).symlink_to(target)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python without site packages but pip and the image's."""
    if shutil.which("unshare") is None:
        pytest.skip("no command unshare, which takes the network away")
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("unshare may not make a network namespace here")
    folder = tmp_path_factory.mktemp("kaggle")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    link_image(folder / "image")
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "image.pth").write_text(f"{folder / 'image'}\n")
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def kit(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit of an ensemble of four models in three groups."""
    own = Path(shutil.copytree(bundle, tmp_path_factory.mktemp("export") / "bundle"))
    made = write_kit(own, verify(own), Hours(windows=1, searched=1.0, t4=1.0))
    if made.missing:
        pytest.skip(f"no package index has {', '.join(map(str, made.missing))}")
    return made.folder


def write_test(path: Path) -> None:
    """Rows as Kaggle has them, some of them awkward."""
    rows = [Row(e.id, e.question, e.context, e.language) for e in bundle_kit.examples(12)]
    rows += [
        Row('quo"ted,', 'Who said "hi", and\nwhy ?', "Ada  said  nothing ,\nBose lives in Oslo ."),
        Row("long", "why " * 40, "Ada lives in Rome . " * 9),
        Row("empty", "Who ?", " "),
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "context", "question", "language"])
        writer.writerows([row.id, row.context, row.question, row.language] for row in rows)


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.slow
def test_the_notebook_answers_as_predict_does(
    python: Path, kit: Path, bundle: Path, tmp_path: Path
) -> None:
    inputs, working = tmp_path / "input", tmp_path / "working"
    shutil.copytree(kit, inputs / "autoqa-toy", ignore=shutil.ignore_patterns("notebook.ipynb"))
    (inputs / "competition").mkdir()
    working.mkdir()
    test = inputs / "competition" / "test.csv"
    write_test(test)
    (tmp_path / "runner.py").write_text(RUNNER)
    done = subprocess.run(
        [*NAMESPACE, str(python), str(tmp_path / "runner.py"), str(kit / "notebook.ipynb")],
        cwd=working,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "14 of 15 questions can be asked" in done.stdout
    assert "context is empty" in done.stdout
    assert "read to their beginning, too long: 1 questions" in done.stdout

    expected = tmp_path / "expected.csv"
    with pytest.raises(SystemExit) as caught:
        main(["predict", str(bundle), str(test), "--skip-bad", "--output", str(expected)])
    assert caught.value.code == 1
    header, *answers = read(working / "submission.csv")
    assert header == ["id", "PredictionString"]
    assert answers == read(expected)[1:]
    assert answers[-1] == ["empty", ""]
    assert sum(bool(answer) for _, answer in answers) > 6
