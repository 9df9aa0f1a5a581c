"""Converted models compute what torch computes, or are refused with the way out."""

import sys
from pathlib import Path

import numpy as np
import pytest

from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.export import onnx_convert as module
from autoqa.export.onnx_convert import check_model, convert, require_packages
from autoqa.modeling import forward
from autoqa.modeling import onnx_runtime as onnx
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from tests import bundle_kit
from tests.modeling.conftest import make_windows, save_tiny

WINDOWS = make_windows([20, 9, 31, 9, 5, 40])


def save_whole(folder: Path, family: str = "bert") -> Path:
    """A tiny model with an answer head that is the same whenever it is loaded."""
    headless = save_tiny(folder / "headless", family)
    model = load_for_inference(headless, "cpu")
    save_model(model, rounded_state(model), headless, folder / "whole")
    return folder / "whole"


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_whole(tmp_path_factory.mktemp("tiny-bert"))


@pytest.mark.parametrize("family", ["xlm-roberta", "distilbert"])
def test_families_give_torchs_logits(family: str, tmp_path: Path) -> None:
    source = save_whole(tmp_path / "model", family)
    convert(source, tmp_path / "onnx", "onnx", WINDOWS)
    model = load_for_inference(source, "cpu")
    others = make_windows([3, 33, 64, 12], seed=1)  # lengths that the exporter has not seen
    expected = forward.predict(model, others, precision="fp32")
    found = onnx.predict(onnx.load(tmp_path / "onnx" / "model.onnx"), others)
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_the_same_model_makes_the_same_bytes_without_a_word(
    tiny_bert: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "other"):
        convert(tiny_bert, tmp_path / name, "onnx-int8", WINDOWS)
    assert capfd.readouterr() == ("", "")
    one, other = (tmp_path / name / "model.onnx" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    assert {path.name for path in one.parent.iterdir()} == {"config.json", "model.onnx"}
    for place in (Path(module.__file__).parent, tmp_path, tiny_bert):
        assert str(place).encode() not in one.read_bytes()  # paths of the machine stay behind


def test_a_head_of_its_own_is_refused(tmp_path: Path) -> None:
    bundle_kit.write_tokenizer(tmp_path / "tokenizer")
    bundle_kit.write_model(tmp_path / "model", tmp_path / "tokenizer", 1, conditional=True)
    with pytest.raises(ConfigError, match=r"t1 has a conditional answer head.* --weights fp16"):
        check_model(tmp_path / "model", "t1")


def test_what_an_onnx_file_cannot_hold_is_refused(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_model(tiny_bert, "t1")
    monkeypatch.setattr(module, "_MOST_BYTES", 50_000)
    with pytest.raises(ConfigError, match=r"t1 has 0\.0 GB of weights .* less than 2 GiB: export"):
        check_model(tiny_bert, "t1")


@pytest.mark.parametrize("name", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    require_packages()
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingAssetError, match=rf"{name}, .*pip install 'autoqa\[onnx\]'"):
        require_packages()


def test_a_file_that_computes_something_else_is_refused(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = module._plain

    def damaged(proto: object) -> bytes:
        for tensor in proto.graph.initializer:  # type: ignore[attr-defined]
            if "qa_outputs" in tensor.name and "bias" in tensor.name:
                tensor.raw_data = np.full(2, 0.5, np.float32).tobytes()
        return original(proto)

    monkeypatch.setattr(module, "_plain", damaged)
    with pytest.raises(AutoqaError, match=r"something else as ONNX: logits differ by up to 0\.5"):
        convert(tiny_bert, tmp_path / "onnx", "onnx", WINDOWS)


def test_what_cannot_be_traced_is_said(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(model: object) -> bytes:
        raise RuntimeError("no such operator\nand forty lines of graph")

    monkeypatch.setattr(module, "_exported", fail)
    with pytest.raises(AutoqaError) as caught:
        convert(tiny_bert, tmp_path / "onnx", "onnx", WINDOWS)
    sentence = str(caught.value)
    assert sentence.startswith("BertForQuestionAnswering in ")
    assert "cannot be converted to ONNX (RuntimeError: no such operator): export" in sentence
    assert "forty" not in sentence
