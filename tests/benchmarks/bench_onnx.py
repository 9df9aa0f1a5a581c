"""Windows to logits: autoqa's packed forward pass in single precision against its ONNX files.

The practice is here autoqa's own (``infer_fp32`` compares it with what is usually done); B is the
converted model, one window a pass. Both have the same weights: a pretrained encoder with a head
drawn at random. Equal are the answers. 8-bit integers give others to some questions, more than a
fine-tuned model would, for a head that knows nothing has many rivals that are almost as good; the
share of equal answers is printed.
"""

from pathlib import Path

import pytest

from autoqa.api import TrainingProtocol
from autoqa.arrays import LogitPair
from autoqa.bundle.entries import MODEL_FILES
from autoqa.decoding.decoder import best_span
from autoqa.env import cache_folder
from autoqa.export.onnx_convert import convert
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.modeling import forward
from autoqa.modeling import onnx_runtime as onnx
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from autoqa.modeling.training_setup import load_for_training
from autoqa.types import WeightFormat

from .bench_inference import LENGTH, QUESTIONS, STRIDE
from .harness import compare
from .studies import minilm
from .texts import paragraphs


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    backbone = minilm(cache_folder())
    model = load_for_training(backbone, TrainingProtocol(), seed=0, device="cpu")
    target = tmp_path_factory.mktemp("models") / "fp16"
    save_model(model, rounded_state(model), backbone, target)
    return target


@pytest.mark.parametrize("name, weights", [("", "onnx"), ("_int8", "onnx-int8")])
def test_infer_onnx(source: Path, name: str, weights: WeightFormat, tmp_path: Path) -> None:
    examples = paragraphs()[:QUESTIONS]
    windows = cut(encode(QATokenizer.from_folder(source), examples), LENGTH, STRIDE)
    convert(source, tmp_path / "converted", weights, windows)
    path = tmp_path / "converted" / MODEL_FILES[weights]
    before, after = (source / MODEL_FILES["fp16"]).stat().st_size, path.stat().st_size
    model, session = load_for_inference(source, "cpu"), onnx.load(path)
    contexts = [example.context for example in examples]

    def equal(packed: LogitPair, converted: LogitPair) -> bool:
        ours, theirs = (best_span(*side, windows, contexts) for side in (packed, converted))
        same = sum(a.text == b.text for a, b in zip(ours, theirs, strict=True))
        print(
            f"\n{weights}: {same} of {len(examples)} answers equal; "
            f"{after / 1e6:.1f} MB, half precision {before / 1e6:.1f} MB"
        )
        return same == len(examples)

    compare(
        f"infer_onnx{name}",
        lambda: forward.predict(model, windows, precision="fp32"),
        lambda: onnx.predict(session, windows),
        rounds=3,
        unit="windows/s",
        equal=equal,
        amount=lambda _: len(windows),
    )
