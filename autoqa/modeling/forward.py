"""Logits for many windows: the one inference loop that training and the bundle share."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch

from autoqa.api import Precision
from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.modeling.load import resolve_precision
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import make_batch
from autoqa.types import ProgressCallback


def budget_batches(
    lengths: npt.NDArray[np.int64], order: npt.NDArray[np.int64], token_budget: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Cuts an order of windows into runs of at most ``token_budget`` tokens, at least one each."""
    begin, tokens = 0, 0
    for i, window in enumerate(order):
        tokens += int(lengths[window])
        if tokens > token_budget and i > begin:
            yield order[begin:i]
            begin, tokens = i, int(lengths[window])
    if begin < len(order):
        yield order[begin:]


_BEGINNINGS = 4
"""Windows that count as one where texts are generated: several beginnings of each are held at once,
with keys and values of all layers."""


def predict(
    model: SpanModel,
    windows: Windows,
    *,
    precision: Precision = "auto",
    token_budget: int = 4096,
    progress: ProgressCallback | None = None,
    share: tuple[int, int] = (0, 1),
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Start and end logits of every token.

    Args:
        model: A model in evaluation mode.
        windows: W windows with T tokens.
        precision: What matrix products are computed in.
        token_budget: Tokens per forward pass.
        progress: Called with windows done and windows in all.
        share: Number and count of those who do a part of the forward passes each, in turn.

    Returns:
        Two float32 arrays ``[T]``, aligned with ``windows.input_ids``; zeros where others predict.
    """
    if model.generates:
        token_budget //= _BEGINNINGS
    device = model.device
    dtype = resolve_precision(precision, device)
    order = np.argsort(-windows.lengths, kind="stable")
    start, end = (np.zeros(len(windows.input_ids), np.float32) for _ in range(2))
    done = 0
    autocast = torch.autocast(device.type, dtype, dtype != torch.float32)
    with torch.inference_mode(), autocast, _residuals_in(model, dtype):
        for number, rows in enumerate(budget_batches(windows.lengths, order, token_budget)):
            done += len(rows)
            if number % share[1] != share[0]:
                continue
            logits = model(make_batch(take(windows, rows), device))
            where = np.concatenate(
                [np.arange(windows.bounds[w], windows.bounds[w + 1]) for w in rows]
            )
            start[where], end[where] = (part.cpu().numpy() for part in logits)
            if progress is not None:
                progress(done, len(windows))
    return start, end


@contextmanager
def _residuals_in(model: SpanModel, dtype: torch.dtype) -> Iterator[None]:
    """Sums between layers in the precision of the matrix products, where a CPU computes.

    Autocasting leaves them in single precision: each product then casts its input anew, and
    normalisation moves twice the bytes. What the embeddings give decides on all of them.
    """
    embeddings = getattr(model.inner.base_model, "embeddings", None)
    if dtype == torch.float32 or model.device.type != "cpu" or embeddings is None:
        yield
        return
    hook = embeddings.register_forward_hook(lambda _, __, output: output.to(dtype))
    try:
        yield
    finally:
        hook.remove()
