"""A fine-tuned model as one file for ONNX Runtime: in single precision, or with 8-bit integers.

The integers are those of ONNX Runtime's dynamic quantisation. Torch has one, too
(``torch.ao.quantization.quantize_dynamic``), but it is deprecated and will be removed, and its
models are no files without pickle.
"""

import io
import json
import logging
import math
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import nn

from autoqa.bundle.entries import CONFIG, MODEL_FILES
from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.modeling import forward
from autoqa.modeling import onnx_runtime as onnx
from autoqa.modeling.attention import ATTENTION
from autoqa.modeling.heads.registry import HEAD_KEY, head_class
from autoqa.modeling.load import TOKENIZER_FILES, load_for_inference
from autoqa.modeling.model import SpanModel
from autoqa.modeling.seq2seq import generates
from autoqa.types import WeightFormat

_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_WAY_OUT = "export the ensemble with --weights fp16, or without this candidate"

_MOST_BYTES = 2_000_000_000
"""An ONNX file is one protocol buffer, of less than 2 GiB; the graph itself takes little of it."""

_TOLERANCE = 1e-3
"""Most that a logit may differ from torch's. Both sum in single precision but in different order,
which is about 1e-5 for logits around 10; 1e-3 changes the odds of two answers by a thousandth. A
graph that computes something else is off by much more."""

_COMPARED = 8
"""Windows that are compared, evenly spread from the shortest to the longest."""


def require_packages() -> None:
    """Raises MissingAssetError if a package that converting needs is not installed."""
    for name in _PACKAGES:
        try:
            __import__(name)
        except ImportError as error:
            raise MissingAssetError(
                f"converting to ONNX needs the package {name}, which is not installed: "
                "pip install 'autoqa[onnx]'"
            ) from error


def check_model(folder: Path, name: str) -> None:
    """Refuses models that cannot be converted, before anything costly is done.

    Args:
        folder: The model in Hugging Face layout.
        name: What error messages call it.

    Raises:
        ConfigError: It generates answers, has an answer head of its own, or is too large for an
            ONNX file.
    """
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if generates(config.get("architectures")):
        raise ConfigError(
            f"candidate {name} generates its answers step by step, which is no graph of one pass: "
            f"{_WAY_OUT}"
        )
    head = config.get(HEAD_KEY)
    head_type = None if head is None else head_class(head)
    if head_type is not None:
        raise ConfigError(
            f"candidate {name} has a {head} answer head, {head_type.no_onnx}: {_WAY_OUT}"
        )
    with safe_open(folder / MODEL_FILES["fp16"], framework="np") as file:
        names = file.keys()
        size = 4 * sum(math.prod(file.get_slice(each).get_shape()) for each in names)
    if size > _MOST_BYTES:
        raise ConfigError(
            f"candidate {name} has {size / 1e9:.1f} GB of weights in single precision, but an ONNX "
            f"file holds less than 2 GiB: {_WAY_OUT}"
        )


def convert(source: Path, target: Path, weights: WeightFormat, windows: Windows) -> None:
    """Writes a model for ONNX Runtime beside its configuration and tokenizer.

    The model takes ``input_ids``, ``attention_mask`` and, where it knows them, ``token_type_ids``,
    int64 ``[batch, length]``, and gives ``start_logits`` and ``end_logits``, float32 of that shape.
    In single precision it is compared with torch before it counts as written.

    Args:
        source: The fine-tuned model, which :func:`check_model` lets pass.
        target: The folder to make.
        weights: ``onnx`` or ``onnx-int8``.
        windows: Real windows to compare on, one at least.

    Raises:
        AutoqaError: The model cannot be converted, or computes something else afterwards.
    """
    target.mkdir(parents=True)
    path = target / MODEL_FILES[weights]
    model = load_for_inference(source, "cpu")
    order = np.argsort(windows.lengths, kind="stable")
    sample = take(windows, order[np.linspace(0, len(order) - 1, _COMPARED).astype(int)])
    expected = forward.predict(model, sample, precision="fp32")
    try:
        with _quiet():
            path.write_bytes(_exported(model))
    except Exception as error:  # tracers and exporters raise what they like
        first_line = str(error).strip().partition("\n")[0]
        raise AutoqaError(
            f"{type(model.inner).__name__} in {source} cannot be converted to ONNX "
            f"({type(error).__name__}: {first_line:.200}): {_WAY_OUT}"
        ) from error
    computed = onnx.predict(onnx.load(path), sample)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(expected, computed, strict=True))
    if not difference <= _TOLERANCE:
        raise AutoqaError(
            f"{type(model.inner).__name__} in {source} computes something else as ONNX: logits "
            f"differ by up to {difference:.2g}, {_TOLERANCE:g} is allowed; {_WAY_OUT}"
        )
    if weights == "onnx-int8":
        with _quiet():
            _quantise(path)
    for name in (CONFIG, *TOKENIZER_FILES):
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


class _Logits(nn.Module):
    """A transformers model that returns nothing but logits."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner = inner

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.inner(input_ids=input_ids, attention_mask=attention_mask, **types)
        return output.start_logits, output.end_logits


def _exported(model: SpanModel) -> bytes:
    """The ONNX file of a model; the packed attention has no counterpart there and is left."""
    if model.attention == ATTENTION:
        model.inner.set_attn_implementation("sdpa")
    batch = model.made_up_batch()
    arguments = {
        "input_ids": batch.pad(batch.input_ids, model.inner.config.pad_token_id or 0),
        "attention_mask": batch.pad(torch.ones_like(batch.input_ids), 0),
    }
    if model.takes_types:
        arguments["token_type_ids"] = batch.pad(batch.type_ids, 0)
    program = torch.onnx.export(
        _Logits(model.inner).eval(),
        kwargs=arguments,
        dynamic_shapes={name: {0: "batch", 1: "length"} for name in arguments},
        output_names=onnx.OUTPUTS,
        verbose=False,
    )
    assert program is not None  # only the older exporter returns nothing
    return _plain(program.model_proto)


def _plain(proto: Any) -> bytes:
    """A model's bytes without what exporters note: it names files of this machine."""
    proto.ClearField("metadata_props")
    proto.graph.ClearField("metadata_props")
    for each in (*proto.graph.node, *proto.graph.value_info, *proto.functions):
        each.ClearField("metadata_props")
        each.ClearField("doc_string")
    serialized: bytes = proto.SerializeToString(deterministic=True)
    return serialized


def _quantise(path: Path) -> None:
    """Replaces a model by one with 8-bit integers."""
    import onnx as package
    from onnxruntime.quantization import QuantType, quantize_dynamic

    smaller = path.with_name("int8.onnx")
    quantize_dynamic(path, smaller, weight_type=QuantType.QInt8, per_channel=True)
    path.write_bytes(_plain(package.load(smaller)))
    smaller.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps to itself what exporters print, log and warn of; what fails, raises."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    shown = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(shown), redirect_stderr(shown):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
