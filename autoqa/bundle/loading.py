"""A bundle's models, loaded by whatever computes them.

Half-precision weights are torch's, on any device; ONNX files are ONNX Runtime's, on the CPU, and
answer without torch being imported.
"""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from autoqa.bundle.entries import MemberEntry
from autoqa.bundle.manifest import Manifest
from autoqa.ensemble.joining.mean_logits import LogitPair
from autoqa.errors import ConfigError
from autoqa.features.windows import Windows
from autoqa.modeling import onnx_runtime as onnx

_DEVICE = re.compile(r"auto|cpu|cuda(:(?P<index>\d+))?")


class Forward(Protocol):
    """A loaded model."""

    def __call__(
        self, windows: Windows, *, progress: Callable[[int, int], None] | None = None
    ) -> LogitPair:
        """Start and end logits of every token, float32 ``[T]`` each.

        Args:
            windows: W windows with T tokens.
            progress: Called with windows done and windows in all.
        """
        ...


def load_member(folder: Path, member: MemberEntry, device: str) -> Forward:
    """Loads a member's model.

    Args:
        folder: The bundle.
        member: Which member.
        device: ``auto``, ``cpu``, ``cuda``...

    Raises:
        MissingAssetError: The package that computes it is not installed.
        BundleError: The model cannot be loaded.
    """
    if member.weights == "fp16":
        from autoqa.modeling.forward import predict
        from autoqa.modeling.load import load_for_inference

        model = load_for_inference(folder / member.folder, device)
        return partial(predict, model, precision=member.precision)
    return partial(onnx.predict, onnx.load(folder / member.model_file))


def check_device(device: str, manifest: Manifest) -> None:
    """Says whether a bundle's models can be computed here, before anything is asked.

    Args:
        device: ``auto``, ``cpu``, ``cuda``...
        manifest: The bundle's.

    Raises:
        ConfigError: There is no such device, or the models do not run on it.
        MissingAssetError: The package that computes the models is not installed.
    """
    match = _DEVICE.fullmatch(device)
    if match is None:
        raise ConfigError(f"device {device!r} is unknown: write auto, cpu, cuda, or cuda:1.")
    wants_gpu = device.startswith("cuda")
    if any(member.weights != "fp16" for member in manifest.members):
        if wants_gpu:
            raise ConfigError(
                f"device {device!r}: the bundle's models are ONNX files, which run on the CPU; "
                "write auto or cpu, or export the ensemble with --weights fp16."
            )
        onnx.require_runtime()
    elif wants_gpu:
        import torch

        if int(match["index"] or 0) >= torch.cuda.device_count():
            raise ConfigError(
                f"device {device!r} is not there: torch sees {torch.cuda.device_count()} CUDA "
                "devices; write auto or cpu."
            )
