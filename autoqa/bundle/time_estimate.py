"""How long a bundle will take, from one forward pass of its first model."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoqa.bundle.loading import Forward
from autoqa.bundle.manifest import Manifest
from autoqa.features.select import take
from autoqa.features.windows import Windows

_PROBE = 4096
"""Most tokens of the trial pass: what a forward pass of many windows holds."""
_GENERATED = 0.1
"""Tokens that are generated, of a window's: five steps of eight beams for a window of 384."""
_GENERATING = ("decoder.", "lm_head.", "shared.")
"""Beginnings of the names of what they meet."""
_SHARE = 0.05
"""Most of the first block's work that the trial may cost."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What answering will take.

    Attributes:
        questions: Rows.
        windows: Windows that go through a model, over all models; beyond the first block taken to
            be as many per character as there.
        models: Members of the ensemble.
        seconds: Time for all of it.
    """

    questions: int
    windows: int
    models: int
    seconds: float


def seconds_of_passes(
    folder: Path, manifest: Manifest, windows: Mapping[str, Windows], forward: Forward
) -> float:
    """Seconds that all members need for these windows, without loading.

    A short pass of the first member is timed. The others are taken to need as long per token as
    their encoder has more weights (two operations per weight and token; attention and differences
    in precision are left out).

    Args:
        folder: The bundle.
        manifest: Its manifest.
        windows: Windows by group.
        forward: The first member, loaded.
    """
    first = manifest.members[0]
    weights = {
        member.id: member.encoder_weights or encoder_weights(folder / member.folder)
        for member in manifest.members
    }
    work = sum(weights[m.id] * len(windows[m.group].input_ids) for m in manifest.members)
    if not work:
        return 0.0
    probe = _probe(windows[first.group], _SHARE * work / weights[first.id])
    forward(probe)  # a library's first call sets it up
    begin = time.perf_counter()
    forward(probe)
    spent = time.perf_counter() - begin
    return spent * work / (weights[first.id] * len(probe.input_ids))


def seconds_of_loading(manifest: Manifest, first: float) -> float:
    """Seconds to load every member once, from those of the first and the sizes of the files."""
    sizes = [manifest.files[m.model_file].size for m in manifest.members]
    return first * sum(sizes) / sizes[0]


def _probe(windows: Windows, tokens: float) -> Windows:
    """Windows of every length, one at least, of so many tokens."""
    share = min(tokens, _PROBE) / len(windows.input_ids)
    count = max(1, math.floor(share * len(windows)))
    order = np.argsort(windows.lengths, kind="stable")
    places = np.linspace(0, len(order) - 1, count + 2)[1:-1]
    return take(windows, order[places.round().astype(int)])


def encoder_weights(folder: Path) -> int:
    """How many weights a token is multiplied with: all but those of embeddings.

    Those of a model that generates, and the scores of its words, meet fewer tokens than a window
    has.
    """
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="np") as file:
        sizes: dict[str, int] = {
            name: math.prod(file.get_slice(name).get_shape())
            for name in file.keys()  # noqa: SIM118
            if "embeddings" not in name
        }
    if "lm_head.weight" in sizes:  # else the shared table scores words, too
        sizes.pop("shared.weight", None)
    generated: int = sum(size for name, size in sizes.items() if name.startswith(_GENERATING))
    return sum(sizes.values()) - generated + round(_GENERATED * generated)
