"""``export --weights``: what comes out, what it says, and that it answers the same everywhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import autoqa
from autoqa.bundle.input_rows import Row, read_rows
from autoqa.bundle.time_estimate import Estimate
from autoqa.bundle.verify import verify
from autoqa.errors import ConfigError, MissingAssetError
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests import bundle_kit
from tests.conftest import Run

LINE = re.compile(
    r"(?P<weights>onnx|onnx-int8): public (?P<before>\S+) -> (?P<after>\S+) "
    r"\([+-]\S+ ± \S+\), (?P<differing>\d+) of 16 answers differ; weights \S+ MB instead of \S+ MB"
)
ROWS = [Row(e.id, e.question, e.context) for e in bundle_kit.examples(12)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs; the study's ensemble has both groups and no conditional head."""
    home = tmp_path_factory.mktemp("runs")
    folder = bundle_kit.write_run(home)
    folder.study_file.write_text(bundle_kit.STUDY + 'rule = "mean"\n')
    shutil.move(folder.candidate("t0004-100"), home / "conditional")
    return home


@pytest.fixture(autouse=True)
def _environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_HOME", str(home))


def openings(home: Path) -> int:
    with Store(RunFolder(home / "toy").store_url(), "toy") as store:
        return len(store.openings())


@pytest.fixture(scope="module", params=["onnx", "onnx-int8"])
def exported(
    request: pytest.FixtureRequest, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    """A bundle, and what making it wrote to stdout and stderr."""
    target = tmp_path_factory.mktemp("bundles") / request.param
    command = [sys.executable, "-c", "from autoqa.cli.main import main; main()", "export", "toy"]
    done = subprocess.run(
        [*command, "--to", str(target), "--weights", request.param],
        env={**os.environ, "AUTOQA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target, done.stdout, done.stderr


def test_the_change_is_measured_and_said(exported: tuple[Path, str, str]) -> None:
    target, out, err = exported
    manifest = verify(target)
    lines = out.splitlines()
    assert len(lines) == 3
    said = LINE.fullmatch(lines[2])
    assert said is not None, lines[2]
    change = manifest.conversion
    assert change is not None
    assert said["weights"] == change.weights == target.name
    assert said["differing"] == str(change.differing)
    assert change.gain == pytest.approx(change.after.score - change.before.score)
    assert change.low <= change.gain <= change.high
    assert manifest.public == change.after
    assert lines[1].startswith(f"public {change.after}, private ")
    if target.name == "onnx":
        assert (change.differing, change.gain) == (0, 0)
        assert change.after == change.before
    sizes = [entry.size for path, entry in manifest.files.items() if path.endswith(".onnx")]
    assert change.bytes_after == sum(sizes)
    members = ", ".join(f"Converting {m.id} to {target.name}." for m in manifest.members)
    notes = [line for line in err.splitlines() if not line.startswith(("Selecting", "The private"))]
    assert ", ".join(notes) == members  # nothing of what exporters print


def test_manifest_and_card_say_what_it_is(exported: tuple[Path, str, str]) -> None:
    target, _, _ = exported
    manifest = verify(target)
    assert manifest.format == "1.3"
    assert len(manifest.members) > 1
    for member in manifest.members:
        assert member.weights == target.name
        assert member.encoder_weights > 0
        assert member.model_file in manifest.files
    assert not [path for path in manifest.files if path.endswith(".safetensors")]
    assert {"onnx", "onnxruntime"} <= manifest.versions.keys()
    card = (target / "README.md").read_text()
    assert f"changed Jaccard {manifest.conversion and manifest.conversion.change}, and" in card
    assert "The private score was measured with the weights in half precision." in card
    assert "pip install 'autoqa[onnx]'" in card


def test_the_manifests_public_score_is_that_of_the_bundles_answers(
    exported: tuple[Path, str, str], tmp_path: Path, run: Run
) -> None:
    target, _, _ = exported
    path = bundle_kit.write_squad(tmp_path / "public.json", bundle_kit.examples(16))
    code, out, _ = run("evaluate", target, path, "--json")
    assert code == 0
    public = verify(target).public
    assert json.loads(out)["jaccard"] == pytest.approx(public.score, abs=1e-9)
    assert json.loads(out)["em"] == pytest.approx(public.scores["em"], abs=1e-9)


def test_command_server_and_python_give_identical_answers(
    exported: tuple[Path, str, str], tmp_path: Path, run: Run
) -> None:
    testclient = pytest.importorskip("fastapi.testclient")
    from autoqa.bundle.server import RequestLimits, make_app

    target, _, _ = exported
    ensemble = autoqa.load(target)
    expected = ensemble.predict(ROWS)
    assert [ensemble(question=r.question, context=r.context) for r in ROWS] == expected
    assert ensemble.predict(ROWS[::-1])[::-1] == expected  # to the last bit: no batches
    objects = [{"id": r.id, "question": r.question, "context": r.context} for r in ROWS]
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(item) + "\n" for item in objects))
    code, out, err = run("predict", target, questions, "--format", "json")
    assert code == 0
    assert re.fullmatch(r"12 questions, \d+ windows, \d models: about \d+ s\n", err)
    found = json.loads(out)
    client = testclient.TestClient(make_app(ensemble, RequestLimits(10**6, 100)))
    assert client.post("/answer", json=objects).json() == found
    assert [(f["answer"], f["start"], f["end"], f["score"]) for f in found] == [
        (p.answer, p.start, p.end, p.score) for p in expected
    ]


SCRIPT = """
import json, sys
from pathlib import Path
import autoqa
from autoqa.bundle.input_rows import read_rows

ensemble = autoqa.load(sys.argv[1])
told = []
found = ensemble.predict(read_rows(Path(sys.argv[2])).good, announce=told.append)
print(json.dumps([each.answer for each in found]))
heavy = {"torch", "transformers", "safetensors", "onnx", "onnxscript"} & sys.modules.keys()
assert not heavy, heavy
assert told[0].seconds > 0
"""


def test_it_answers_without_torch(exported: tuple[Path, str, str], tmp_path: Path) -> None:
    target, _, _ = exported
    path = bundle_kit.write_squad(tmp_path / "rows.json", bundle_kit.examples(4))
    command = [sys.executable, "-c", SCRIPT, str(target), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    here = autoqa.load(target).predict(read_rows(path).good)
    assert json.loads(done.stdout) == [each.answer for each in here]
    assert any(json.loads(done.stdout))


def test_what_it_will_take_is_estimated(exported: tuple[Path, str, str]) -> None:
    told: list[Estimate] = []
    seen: list[tuple[int, int]] = []
    ensemble = autoqa.load(exported[0], resident=False)
    ensemble.predict(ROWS, announce=told.append, progress=lambda *at: seen.append(at))
    assert told[0].models == len(ensemble.manifest.members)
    assert seen[-1] == (told[0].windows, told[0].windows)


def test_there_is_no_gpu_for_it(exported: tuple[Path, str, str]) -> None:
    with pytest.raises(ConfigError, match=r"device 'cuda': .*ONNX files, which run on the CPU"):
        autoqa.load(exported[0], device="cuda")
    autoqa.load(exported[0], device="auto")


def test_without_the_runtime_loading_says_the_way_out(
    exported: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingAssetError, match="onnxruntime"):
        autoqa.load(exported[0])
    path = bundle_kit.write_squad(tmp_path / "rows.json", bundle_kit.examples(2))
    code, out, err = run("predict", exported[0], path)
    assert (code, out) == (4, "")
    assert "pip install 'autoqa[onnx]'" in err


def test_half_precision_is_what_it_was(home: Path, tmp_path: Path, run: Run) -> None:
    code, out, _ = run("export", "toy", "--to", tmp_path / "bundle")
    assert code == 0
    assert len(out.splitlines()) == 2
    manifest = verify(tmp_path / "bundle")
    assert {member.weights for member in manifest.members} == {"fp16"}
    assert manifest.conversion is None
    assert "ONNX" not in (tmp_path / "bundle" / "README.md").read_text()


def test_a_kit_takes_half_precision_only(tmp_path: Path, run: Run) -> None:
    for weights in ("onnx", "onnx-int8"):
        both = ("--kaggle", "--weights", weights)
        code, out, err = run("export", "toy", "--to", tmp_path / "bundle", *both)
        assert (code, out) == (2, "")
        assert f"--kaggle and --weights {weights} exclude each other" in err


def test_what_cannot_be_converted_opens_nothing(
    home: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(home, tmp_path / "runs")
    folder = RunFolder(tmp_path / "runs" / "toy")
    shutil.copytree(home / "conditional", folder.candidate("t0004-100"))
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    before = openings(tmp_path / "runs")
    command = ("export", "toy", "--to", tmp_path / "bundle", "--weights", "onnx")
    code, out, err = run(*command, "--candidate", "t0004-100")
    assert (code, out) == (2, "")
    assert "t0004-100 has a conditional answer head" in err
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    code, out, err = run(*command, "--candidate", "t0001-100")
    assert (code, out) == (4, "")
    assert "pip install 'autoqa[onnx]'" in err
    assert openings(tmp_path / "runs") == before
    assert not (tmp_path / "bundle").exists()
