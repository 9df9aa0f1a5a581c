"""Windows through ONNX Runtime: the same logits in any company, and files that are refused."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from autoqa.errors import BundleError, MissingAssetError
from autoqa.export.onnx_convert import convert
from autoqa.features.select import take
from autoqa.modeling.onnx_runtime import OUTPUTS, load, predict
from tests.modeling.conftest import make_windows

WINDOWS = make_windows([20, 9, 31, 9, 5, 40, 17, 26])


@pytest.fixture(scope="module", params=["onnx", "onnx-int8"])
def session(request: pytest.FixtureRequest, tiny_bert: Path, tmp_path_factory: Any) -> Any:
    target = tmp_path_factory.mktemp("models") / "converted"
    convert(tiny_bert, target, request.param, WINDOWS)
    return load(target / "model.onnx")


@settings(max_examples=30, deadline=None)
@given(order=st.lists(st.integers(0, len(WINDOWS) - 1), min_size=1, max_size=12))
def test_other_windows_and_their_order_change_nothing(session: Any, order: list[int]) -> None:
    """Equal to the last bit: a pass holds one window."""
    alone = [predict(session, take(WINDOWS, [window])) for window in order]
    together = predict(session, take(WINDOWS, order))
    for side in range(2):
        assert np.array_equal(together[side], np.concatenate([one[side] for one in alone]))


@pytest.mark.parametrize("threads", ["1", "3"])
def test_threads_change_nothing(
    session: Any, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = predict(session, WINDOWS)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    seen: list[tuple[int, int]] = []
    found = predict(session, WINDOWS, progress=lambda *at: seen.append(at))
    assert all(np.array_equal(*sides) for sides in zip(found, expected, strict=True))
    assert seen == [(done + 1, len(WINDOWS)) for done in range(len(WINDOWS))]


def test_no_windows_no_logits(session: Any) -> None:
    assert [len(side) for side in predict(session, take(WINDOWS, []))] == [0, 0]


def write(path: Path, tensor: TensorProto, inputs: str = "input_ids") -> Path:
    """A file with one weight, which it returns twice."""
    given = helper.make_tensor_value_info(inputs, TensorProto.INT64, ["batch", "length"])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in OUTPUTS]
    nodes = [helper.make_node("Identity", [tensor.name], [name]) for name in OUTPUTS]
    graph = helper.make_graph(nodes, "graph", [given], outputs, [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path


def weight(location: str | None = None) -> TensorProto:
    tensor = onnx.numpy_helper.from_array(np.ones(4, np.float32), "weight")
    if location is not None:
        tensor.data_location = TensorProto.EXTERNAL
        tensor.ClearField("raw_data")
        entry = tensor.external_data.add()
        entry.key, entry.value = "location", location
    return tensor


def test_a_file_without_outside_data_is_loaded(tmp_path: Path) -> None:
    load(write(tmp_path / "model.onnx", weight()))


@pytest.mark.parametrize("outside", ["../secret.json", "{}/secret.json", "link.json", "gone.json"])
def test_data_outside_the_folder_is_never_read(tmp_path: Path, outside: str) -> None:
    """Bundles hold no symbolic links either, see :func:`autoqa.bundle.verify.verify`."""
    (tmp_path / "secret.json").write_bytes(bytes(16))
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    path = write(folder / "model.onnx", weight(outside.format(tmp_path)))
    with pytest.raises(BundleError, match=r"model\.onnx cannot be loaded by ONNX Runtime"):
        load(path)


def other_inputs(path: Path) -> None:
    write(path, weight(), inputs="pixels")


FAULTS: list[tuple[Callable[[Path], Any], str]] = [
    (lambda path: path.write_bytes(b"no model"), "cannot be loaded by ONNX Runtime"),
    (lambda path: path.write_bytes(b""), "cannot be loaded by ONNX Runtime"),
    (lambda path: None, "cannot be loaded by ONNX Runtime"),
    (other_inputs, "takes pixels and gives end_logits, start_logits, but a model that finds"),
]


@pytest.mark.parametrize("fault, expected", FAULTS)
def test_what_is_no_model_is_refused(
    tmp_path: Path, fault: Callable[[Path], Any], expected: str, capfd: Any
) -> None:
    fault(tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=expected):
        load(tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")


def test_a_missing_runtime_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingAssetError, match=r"pip install 'autoqa\[onnx\]'"):
        load(tmp_path / "model.onnx")
