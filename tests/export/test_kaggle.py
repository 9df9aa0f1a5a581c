"""The kit holds what a notebook without network needs, and says what it lacks."""

import base64
import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autoqa
from autoqa.analysis.finished_run import open_run
from autoqa.analysis.selection import candidate_seat
from autoqa.bundle.manifest import NAME, parse_manifest
from autoqa.bundle.verify import verify
from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.export.assemble import assemble
from autoqa.export.kaggle import kit, wheels
from autoqa.export.kaggle.hours import CHARACTERS, QUESTIONS, Hours, estimate
from autoqa.export.kaggle.notebook import render_notebook
from autoqa.export.kaggle.wheels import Missing, missing_wheels, needed_pins, write_autoqa_wheel
from autoqa.export.write import write_bundle
from autoqa.features.files import load_windows
from tests import bundle_kit

HOURS = Hours(windows=1000, searched=12.0, t4=6.0)


@pytest.fixture
def own(bundle: Path, tmp_path: Path) -> Path:
    """A bundle with room beside it."""
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


# The wheel of autoqa


def test_the_own_wheel_is_the_running_code_and_installs(tmp_path: Path) -> None:
    path = write_autoqa_wheel(tmp_path)
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--target", str(target), str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    root = Path(autoqa.__file__).parent
    for source in root.rglob("*.py"):
        assert (target / "autoqa" / source.relative_to(root)).read_bytes() == source.read_bytes()
    assert (target / "autoqa" / "py.typed").is_file()
    (installed,) = target.glob("autoqa-*.dist-info")
    assert installed.name == f"autoqa-{autoqa.__version__}.dist-info"
    assert "autoqa.cli.main:main" in (installed / "entry_points.txt").read_text()
    assert "Apache License" in (installed / "licenses" / "LICENSE").read_text()


def test_the_record_of_the_own_wheel_is_right_and_its_bytes_repeat(tmp_path: Path) -> None:
    first = write_autoqa_wheel(tmp_path)
    before = first.read_bytes()
    assert write_autoqa_wheel(tmp_path).read_bytes() == before
    with zipfile.ZipFile(first) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert [row[0] for row in rows] == archive.namelist()
        for name, digest, size in rows[:-1]:
            data = archive.read(name)
            raw = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={raw}", str(len(data)))
    assert not any("__pycache__" in row[0] for row in rows)


# The other wheels


def test_what_is_needed_is_what_is_installed_less_the_image() -> None:
    pins = dict(pin.split("==") for pin in needed_pins())
    assert {"transformers", "tokenizers", "safetensors", "huggingface-hub"} <= set(pins)
    assert not {"torch", "numpy", "pydantic", "optuna", "sqlalchemy", "click"} & set(pins)
    assert all(found == version(name) for name, found in pins.items())


def test_a_needed_package_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "_ROOTS", ("no-such-package",))
    with pytest.raises(MissingAssetError, match="pip install no-such-package"):
        needed_pins()


@pytest.mark.parametrize(
    "files, expected",
    [
        (["a_b-1.0-py3-none-any.whl"], []),
        (["a_b-1.0-py2.py3-none-any.whl"], []),
        (["a_b-1.0-cp310-abi3-manylinux_2_17_x86_64.whl"], []),
        (["a_b-1.1-py3-none-any.whl"], ["a-b==1.0"]),
        ([], ["a-b==1.0"]),
        (
            ["a_b-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"],
            ["a-b==1.0 for Python 3.12, 3.13"],
        ),
        ([f"a_b-1.0-cp3{n}-cp3{n}-manylinux_2_17_x86_64.whl" for n in (11, 12, 13)], []),
    ],
)
def test_missing_wheels_are_told_by_python(
    files: list[str], expected: list[str], tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert [str(gap) for gap in missing_wheels(["a-b==1.0"], tmp_path)] == expected


@pytest.mark.usefixtures("no_index")
def test_without_an_index_the_kit_says_what_it_lacks(own: Path, tmp_path: Path) -> None:
    made = kit.write_kit(own, verify(own), HOURS)
    assert made.wheels == 1
    assert [gap.pin for gap in made.missing] == needed_pins()
    readme = (made.folder / "README.md").read_text()
    assert f"transformers=={version('transformers')}" in readme
    assert len(made.download_commands) == len(wheels.PYTHONS)
    for command in made.download_commands:
        assert f"    {command}\n" in readme
        assert str(made.folder / "wheels") in command


# The kit


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No downloads."""
    monkeypatch.setattr(kit, "write_wheels", lambda folder: write_autoqa_wheel(folder) and [])


@pytest.mark.usefixtures("quick")
def test_a_kit_is_complete_and_its_bundle_opens(own: Path, tmp_path: Path) -> None:
    made = kit.write_kit(own, verify(own), HOURS)
    assert made.folder == tmp_path / "bundle-kaggle"
    assert {path.name for path in made.folder.iterdir()} == {
        "bundle",
        "wheels",
        "notebook.ipynb",
        "dataset-metadata.json",
        "README.md",
    }
    assert verify(made.folder / "bundle") == verify(own)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "bundle-kaggle"]
    readme = (made.folder / "README.md").read_text()
    assert "About 6.0 h on one T4 (over a limit of 5 h; within a limit of 9 h)" in readme
    assert "Incomplete" not in readme


@pytest.mark.usefixtures("quick")
def test_a_kit_replaces_only_a_kit_and_only_if_forced(own: Path, tmp_path: Path) -> None:
    manifest = verify(own)
    target = kit.kit_folder(own)
    target.mkdir()
    (target / "thesis.txt").touch()
    with pytest.raises(ConfigError, match="other things than a Kaggle kit"):
        kit.write_kit(own, manifest, HOURS, force=True)
    (target / "thesis.txt").unlink()
    kit.write_kit(own, manifest, HOURS)
    (target / "old").touch()
    with pytest.raises(ConfigError, match="exists already"):
        kit.write_kit(own, manifest, HOURS)
    kit.write_kit(own, manifest, HOURS, force=True)
    assert not (target / "old").exists()


def test_a_full_disk_leaves_the_older_kit(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = kit.kit_folder(own)
    target.mkdir()
    (target / kit.METADATA).touch()

    def full(folder: Path) -> list[Missing]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kit, "write_wheels", full)
    with pytest.raises(AutoqaError, match="No space left"):
        kit.write_kit(own, verify(own), HOURS, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "bundle-kaggle"]
    assert [path.name for path in target.iterdir()] == [kit.METADATA]


def test_where_there_are_no_hard_links_files_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("weights")

    def refuse(*paths: str) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    kit._link(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").read_text() == "weights"


@given(st.from_regex(r"[a-z0-9][a-z0-9_-]{0,80}", fullmatch=True))
def test_the_metadata_is_within_kaggles_rules(bundle: Path, name: str) -> None:
    manifest = parse_manifest((bundle / NAME).read_bytes(), NAME)
    metadata = json.loads(json.dumps(kit._metadata(manifest.model_copy(update={"study": name}))))
    user, _, slug = metadata["id"].partition("/")
    assert user == kit.USER
    assert re.fullmatch(r"[a-z0-9-]{2,49}[a-z0-9]", slug)
    assert 6 <= len(metadata["title"]) <= 50
    assert metadata["licenses"] == [{"name": "other"}]
    assert "MIT" in metadata["description"]


# The notebook


def test_the_notebook_is_valid_plain_python_and_repeats() -> None:
    text = render_notebook("towns")
    assert text == render_notebook("towns")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert "towns" in notebook.cells[0].source
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    for source in code:
        compile(source, "cell", "exec")
    assert "--no-index" in "".join(code)
    assert "--no-deps" in "".join(code)


def test_without_nbformat_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(MissingAssetError, match=r"pip install 'autoqa\[kaggle\]'"):
        render_notebook("towns")


# The estimate


def test_the_estimate_counts_windows_tokens_and_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    bundle_kit.write_run(tmp_path)
    run = open_run("toy")
    seats = [candidate_seat(run, name) for name in ("t0001-100", "t0002-100")]
    target = tmp_path / "bundle"
    manifest = write_bundle(assemble(run, seats, seats[0].group, reason="test"), target)
    found = estimate(run, manifest, target)

    (group,) = manifest.groups
    # Toy words and the separators of sentences: a context of 10,000 characters has so many tokens.
    examples = run.folder.load_examples("public")
    tokens = CHARACTERS * sum(len(e.context.split()) for e in examples)
    tokens /= sum(len(e.context) + 1 for e in examples)
    step = group.length - 3 - 5 - group.stride  # 3 special tokens, questions of 5 words
    assert found.windows == pytest.approx(2 * QUESTIONS * tokens / step, rel=0.05)
    public = load_windows(run.folder.windows_path(group.id, "public"))
    speed = len(public.input_ids) / 0.1
    assert found.searched == pytest.approx(found.windows * group.length / speed / 3600, rel=0.02)
    # The toy encoder: per layer 4 projections of 32 x 32 and 2 of 32 x 64, biases and norms.
    layer = 4 * (32 * 32 + 32) + 2 * 32 * 64 + 64 + 32 + 4 * 32
    weights = 2 * layer + 2 * 32 + 2
    operations = 2 * weights * found.windows * group.length
    assert found.t4 == pytest.approx(operations / (0.4 * 8.1e12) / 3600, rel=0.02)
    half = [member.model_copy(update={"precision": "fp16"}) for member in manifest.members]
    faster = estimate(run, manifest.model_copy(update={"members": tuple(half)}), target)
    assert faster.t4 == pytest.approx(found.t4 * 8.1 / 65)
    assert faster.searched == found.searched

    # A question that fills the window leaves half of it, so that there are more windows.
    wordy = [replace(e, question="why " * 40) if i % 2 else e for i, e in enumerate(examples)]
    monkeypatch.setattr(type(run.folder), "load_examples", lambda *_: wordy)
    assert 1 < estimate(run, manifest, target).t4 / found.t4 < 2


def test_hours_are_said_with_limits_and_assumptions() -> None:
    said = " ".join(HOURS.sentences())
    assert "12.0 h at the speed of the search's device" in said
    assert "2,000 hidden questions with contexts of 10,000 characters" in said
    short = replace(HOURS, t4=0.001, searched=0.5).sentences()[0]
    assert short.startswith("About 1 min on one T4 (within a limit of 5 h; within")
    assert "30 min" in short
