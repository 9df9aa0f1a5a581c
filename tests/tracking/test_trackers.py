"""Trackers with their real packages, and what they may do wrong."""

import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from autoqa.config.load import load_study
from autoqa.errors import ConfigError
from autoqa.recipes import Portion, Recipe, Stage, TrainingRun
from autoqa.tracking.base import TrackerPlace
from autoqa.tracking.outlet import Outlet, TimeLimits
from autoqa.tracking.trackers import Trackers
from autoqa.training.messages import Progress
from tests.searching import fakes

RUN = TrainingRun(Recipe((Stage((Portion("squad", ("en",)),), 384, 128),)), 3e-5, 0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    for name in ("MLFLOW_TRACKING_URI", "WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # where a key may lie
    return tmp_path


def with_trackers(text: str) -> str:
    return fakes.STUDY.replace("trials = 4", f"trials = 2\ntrackers = {text}")


def searched(folder: Path, trackers: str) -> list[str]:
    events = fakes.Events()
    result = fakes.search(folder, fakes.good, with_trackers(trackers), display=events)
    assert result.finished == 2
    return [line for line in events.lines if "tracker" in line.replace(str(folder), "")]


def test_tensorboard_reads_what_a_search_wrote(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="pip install 'autoqa[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert searched(tmp_path, '["tensorboard"]') == []
    folder = fakes.run_folder().path / "trackers" / "tensorboard"
    assert sorted(each.name for each in folder.iterdir()) == ["trial-0000", "trial-0001"]
    events = EventAccumulator(str(folder / "trial-0000"))
    events.Reload()
    score = events.Scalars("public_jaccard")[-1]
    record = fakes.run_folder().read_record("t0000-100")
    assert score.value == pytest.approx(record.score)
    (end,) = events.Tensors("end.txt")
    assert b"finished" in end.tensor_proto.string_val[0]
    (kept,) = events.Tensors("candidate-t0000-100.json")
    assert b'"id": "t0000-100"' in kept.tensor_proto.string_val[0]


def test_mlflow_has_runs_with_parameters_metrics_and_artifacts(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="pip install 'autoqa[mlflow]'")

    assert searched(tmp_path, '{ mlflow = { experiment = "towns" } }') == []
    folder = fakes.run_folder().path / "trackers"
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("towns")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.run_name for run in runs} == {
        f"small trial {n} ({client.get_run(r.info.run_id).data.tags['backbone']})"
        for n, r in zip((1, 0), runs, strict=True)
    }
    first = runs[-1]
    assert first.info.status == "FINISHED"
    assert float(first.data.params["learning_rate"]) > 0
    score = fakes.run_folder().read_record("t0000-100").score
    assert first.data.metrics["public_jaccard"] == pytest.approx(score)
    path = folder / "mlflow-artifacts" / first.info.run_id / "artifacts"
    assert json.loads((path / "candidate-t0000-100.json").read_text())["id"] == "t0000-100"


def test_wandb_writes_runs_offline(tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="pip install 'autoqa[wandb]'")

    assert searched(tmp_path, '{ wandb = { mode = "offline", project = "towns" } }') == []
    files = sorted((fakes.run_folder().path / "trackers" / "wandb").glob("offline-run-*/*.wandb"))
    assert len(files) == 2
    values: dict[str, float] = {}
    names, artifacts, codes = set(), set(), set()
    for record in (each for path in files for each in wandb_records(path)):
        match record.WhichOneof("record_type"):
            case "run":
                names.add((record.run.project, record.run.run_group, record.run.display_name[:11]))
            case "history":
                for item in record.history.item:
                    values[item.key or ".".join(item.nested_key)] = json.loads(item.value_json)
            case "artifact":
                artifacts.add(record.artifact.name)
            case "exit":
                codes.add(record.exit.exit_code)
    assert names == {("towns", "small", "small trial")}
    assert values["public_em"] == 0.5
    assert "small-trial-0-candidate-t0000-100" in artifacts | requested(files)
    assert codes == {0}


def requested(files: list[Path]) -> set[str]:
    """Names of artifacts that are requested of a server later."""
    return {
        record.request.log_artifact.artifact.name
        for path in files
        for record in wandb_records(path)
        if record.WhichOneof("record_type") == "request"
    }


def wandb_records(path: Path) -> list[Any]:
    """The records of an offline run: a log as LevelDB has it, in blocks of 32 KiB."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, part, found = path.read_bytes(), 7, b"", []
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        part += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last of several
            record = Record()
            record.ParseFromString(part)
            found.append(record)
            part = b""
    return found


@pytest.mark.parametrize(
    ("trackers", "package", "reason"),
    [
        ('["wandb"]', "wandb", "No API key configured"),
        ('{ mlflow = { uri = "sqlite:////dev/null/x.db" } }', "mlflow", "mlflow is off"),
        ('{ tensorboard = { folder = "/dev/null/x" } }', "tensorboard", "NotADirectoryError"),
    ],
)
def test_a_tracker_that_fails_is_off_after_one_warning(
    tmp_path: Path, trackers: str, package: str, reason: str
) -> None:
    pytest.importorskip(package)
    (warning,) = searched(tmp_path, trackers)
    assert reason in warning
    assert "the search goes on" in warning


def outlet(folder: Path, name: str = "mlflow", **options: Any) -> Outlet:
    given = {"uri": None, "experiment": None, "folder": None, **options}
    limits = TimeLimits(call=2.0, close=2.0)
    return Outlet(name, TrackerPlace("small", folder / "trackers", given), folder / "x.log", limits)


def shimmed(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    (folder / "shim" / "mlflow").mkdir(parents=True)
    (folder / "shim" / "mlflow" / "__init__.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder / "shim"))


def told(trackers: Trackers, seconds: float = 60) -> None:
    """Tells of a trial's progress until a warning comes."""
    warned: list[str] = []
    trackers.warn = warned.append
    trackers.began(0, "e5", RUN, {"e5.learning_rate": 3e-5})
    until = time.monotonic() + seconds
    step = 0
    while not warned and time.monotonic() < until:
        step += 1
        begun = time.monotonic()
        trackers.progress(0, Progress(0, "training", 1, 1, step, 10**6, 2.5, 30.0))
        assert time.monotonic() - begun < 1.0
        time.sleep(0.05)
    trackers.close()
    assert len(warned) == 1
    raise AssertionError(warned[0])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ModuleNotFoundError('no', name='mlflow')", r"pip install 'autoqa\[mlflow\]'"),
        ("import time; time.sleep(1000)", "has not answered for 2 seconds"),
        ("import os; print('noise'); os._exit(3)", "its process ended with 3"),
    ],
)
def test_packages_that_are_missing_hang_or_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    shimmed(tmp_path, monkeypatch, code)
    with pytest.raises(AssertionError, match=reason):
        told(Trackers("small", [outlet(tmp_path)]))


def test_a_process_that_cannot_begin(tmp_path: Path) -> None:
    own = outlet(tmp_path)
    own.log = tmp_path / "no" / "such.log"
    with pytest.raises(AssertionError, match=r"cannot begin: .*such\.log"):
        told(Trackers("small", [own]))


def test_a_server_that_does_not_answer(tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(AssertionError, match="has not answered for 2 seconds"):
            told(Trackers("small", [outlet(tmp_path, uri=uri)]))


def test_what_a_slow_tracker_has_not_written_in_time_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shimmed(tmp_path, monkeypatch, "import time; time.sleep(1000)")
    warned: list[str] = []
    trackers = Trackers("small", [outlet(tmp_path)], warned.append)
    trackers.began(0, "e5", RUN, {})
    begun = time.monotonic()
    trackers.close()
    assert time.monotonic() - begun < 30
    assert "was not done 2 seconds after the search" in warned[0]


def test_a_tracker_ends_with_its_search(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    script = (
        "import os, sys, time; from pathlib import Path\n"
        "from tests.tracking.test_trackers import RUN, outlet\n"
        "from autoqa.tracking.trackers import Trackers\n"
        "own = outlet(Path(sys.argv[1]), 'tensorboard')\n"
        "Trackers('small', [own]).began(0, 'e5', RUN, {})\n"
        "while own._done < 1: time.sleep(0.05)\n"
        "os._exit(1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    events = EventAccumulator(str(tmp_path / "trackers" / "tensorboard" / "trial-0000"))
    until = time.monotonic() + 60
    while "end.txt" not in events.Reload().Tags()["tensors"] and time.monotonic() < until:
        time.sleep(0.1)
    assert b"interrupted" in events.Tensors("end.txt")[0].tensor_proto.string_val[0]


def test_curves_have_the_steps_of_the_run(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    own = outlet(tmp_path, "tensorboard")
    own.limits = TimeLimits()
    trackers = Trackers("small", [own], every=0.0)
    trackers.began(7, "e5", RUN, {"e5.squad.include": True})
    for step, loss in ((10, 3.0), (20, float("nan")), (30, 2.0)):
        trackers.progress(7, Progress(7, "training", 1, 1, step, 40, loss, 30.0))
    trackers.progress(7, Progress(7, "evaluating", 1, 1, 3, 40, 2.0, 30.0))
    trackers.card(7, ["stage 1", "rate"])
    trackers.every = 1000.0
    for step in (35, 36):  # too soon after the other
        trackers.progress(7, Progress(7, "training", 1, 1, step, 40, 1.0, 30.0))
    trackers.ended(7, "failed", "it diverged")
    trackers.ended(8, "failed", "never begun here")
    trackers.close()
    events = EventAccumulator(str(tmp_path / "trackers" / "tensorboard" / "trial-0007"))
    events.Reload()
    assert [(each.step, each.value) for each in events.Scalars("loss")] == [
        (10, 3.0),
        (30, 2.0),
        (35, 1.0),
    ]
    assert b"it diverged" in events.Tensors("reason.txt")[0].tensor_proto.string_val[0]
    assert b"stage 1\nrate" in events.Tensors("recipe-card.txt")[0].tensor_proto.string_val[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["mlfow"]', "mlfow"),
        ("{ wandb = { mode = 'sometimes' } }", "search.trackers.wandb.mode"),
        ("{ tensorboard = { path = 'x' } }", "path"),
        ('"mlflow"', "search.trackers"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "study.toml"
    path.write_text(with_trackers(text))
    with pytest.raises(ConfigError, match=said):
        load_study(path)
