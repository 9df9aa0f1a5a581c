"""The notebook of a kit: plain Python cells, no magics, so that any runner can execute them."""

from autoqa.errors import MissingAssetError

_INTRODUCTION = """\
# Answers of the ensemble "{study}"

Needs no internet. It installs the wheels of the attached dataset, answers every question of
`test.csv`, and writes `submission.csv` with the columns `id` and `PredictionString`.

Attach two inputs: the dataset that this notebook came with, and the competition's data.
"""

_FIND = '''\
from pathlib import Path

INPUT = Path("../input")


def only(pattern):
    """The one path below INPUT that matches; write a path in its place where several do."""
    matches = sorted(INPUT.rglob(pattern))
    if len(matches) != 1:
        raise FileNotFoundError(f"{len(matches)} files match {pattern} below {INPUT}: {matches}")
    return matches[0]


KIT = only("bundle/manifest.json").parents[1]
TEST = only("test.csv")
print(f"kit: {KIT}, questions: {TEST}")
'''

_INSTALL = """\
import subprocess
import sys

wheels = KIT / "wheels"
subprocess.run(
    [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    + ["--no-index", "--no-deps", "--find-links", wheels, "-r", wheels / "requirements.txt"],
    check=True,
)
"""

_LOAD = """\
import autoqa

ensemble = autoqa.load(KIT / "bundle", resident=False)  # one model in memory at a time
manifest = ensemble.manifest
print(f"{len(manifest.members)} models; public {manifest.public}, private {manifest.private}")
"""

_READ = """\
import csv
import sys

from autoqa.bundle.input_rows import read_rows

rows = read_rows(TEST)
for problem in rows.problems:
    print("left empty:", problem)

csv.field_size_limit(sys.maxsize)
with TEST.open(encoding="utf-8-sig", newline="") as file:
    ids = [row["id"] for row in csv.DictReader(file)]
print(f"{len(rows.good)} of {len(ids)} questions can be asked")
"""

_PREDICT = """\
from tqdm import tqdm

with tqdm(unit=" steps") as bar:

    def advance(done, total):
        bar.total = total
        bar.update(done - bar.n)

    predictions = ensemble.predict(
        rows.good,
        progress=advance,
        shortened=lambda ids: print(f"read to their beginning, too long: {len(ids)} questions"),
    )
"""

_WRITE = """\
answers = {row.id: prediction.answer for row, prediction in zip(rows.good, predictions)}
with open("submission.csv", "w", encoding="utf-8", newline="") as file:
    writer = csv.writer(file, lineterminator="\\n")
    writer.writerow(["id", "PredictionString"])
    writer.writerows([each, answers.get(each, "")] for each in ids)
print(f"submission.csv: {len(ids)} rows")
"""


def render_notebook(study: str) -> str:
    """The notebook as JSON; the same study gives the same bytes.

    Args:
        study: Name of the study.

    Raises:
        MissingAssetError: nbformat is not installed.
    """
    try:
        import nbformat
        from nbformat import v4
    except ImportError as error:
        raise MissingAssetError(
            "--kaggle needs the package nbformat, which is not installed: "
            "pip install 'autoqa[kaggle]'"
        ) from error
    code = [v4.new_code_cell(cell.rstrip()) for cell in _CODE]
    cells = [v4.new_markdown_cell(_INTRODUCTION.format(study=study).rstrip()), *code]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = v4.new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"


_CODE = (_FIND, _INSTALL, _LOAD, _READ, _PREDICT, _WRITE)
