"""ONNX files answer without torch: ONNX Runtime on the CPU, one window per pass.

A pass of one window needs no padding, and its logits depend on nothing but the window: with
8-bit integers the range of a tensor decides how its values are rounded, so that in a batch every
window would change the others' logits. Processors are kept busy by several passes at once.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from autoqa.arrays import Floats
from autoqa.env import threads
from autoqa.errors import BundleError, MissingAssetError
from autoqa.features.windows import Windows
from autoqa.types import ProgressCallback

OUTPUTS = ("start_logits", "end_logits")
"""Names of a model's outputs, float32 ``[batch, length]`` each."""

_ERRORS = 3
"""ONNX Runtime's level of messages from which on they are shown."""


def require_runtime() -> None:
    """Raises MissingAssetError if ONNX Runtime is not installed."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise MissingAssetError(
            "the models are ONNX files, which need the package onnxruntime: "
            "pip install 'autoqa[onnx]'."
        ) from error


def load(path: Path) -> Any:
    """An ``onnxruntime.InferenceSession`` that computes in the thread that calls it.

    Args:
        path: The model. Data outside the file may lie in its folder only, which ONNX Runtime sees
            to.

    Raises:
        MissingAssetError: ONNX Runtime is not installed.
        BundleError: The file is no model, or not one that finds answers.
    """
    require_runtime()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS
    try:
        session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
        first_line = str(error).strip().partition("\n")[0]
        raise BundleError(
            f"{path} cannot be loaded by ONNX Runtime {onnxruntime.__version__} "
            f"({first_line:.200}): export it again, or install the version that the bundle's "
            "manifest names."
        ) from error
    known = {"input_ids", "attention_mask", "token_type_ids"}
    inputs = {each.name for each in session.get_inputs()}
    outputs = {each.name for each in session.get_outputs()}
    if not inputs <= known or not outputs >= set(OUTPUTS):
        raise BundleError(
            f"{path} takes {', '.join(sorted(inputs))} and gives {', '.join(sorted(outputs))}, "
            f"but a model that finds answers takes some of {', '.join(sorted(known))} and gives "
            f"{' and '.join(OUTPUTS)}: export it again."
        )
    return session


def predict(
    session: Any, windows: Windows, *, progress: ProgressCallback | None = None
) -> tuple[Floats, Floats]:
    """Start and end logits of every token; the same whatever other windows there are.

    Args:
        session: Made by :func:`load`.
        windows: W windows with T tokens.
        progress: Called with windows done and windows in all.

    Returns:
        Two float32 arrays ``[T]``, aligned with ``windows.input_ids``.
    """
    start, end = (np.zeros(len(windows.input_ids), np.float32) for _ in range(2))
    arrays = {
        "input_ids": windows.input_ids.astype(np.int64),
        "attention_mask": np.ones(len(windows.input_ids), np.int64),
        "token_type_ids": windows.type_ids.astype(np.int64),
    }
    inputs = {each.name: arrays[each.name] for each in session.get_inputs()}

    def run(window: int) -> None:
        where = slice(*windows.bounds[window : window + 2])
        feed = {name: values[None, where] for name, values in inputs.items()}
        start[where], end[where] = (logits[0] for logits in session.run(OUTPUTS, feed))

    pool = ThreadPoolExecutor(threads())
    try:
        longest_first = np.argsort(-windows.lengths, kind="stable")
        for done, _ in enumerate(pool.map(run, longest_first), start=1):
            if progress is not None:
                progress(done, len(windows))
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupted command ends after the pass under way
    return start, end
