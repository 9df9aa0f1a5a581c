"""What the frozen layers make of each window: from the cache, else computed and kept there."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import torch
import transformers

from autoqa.api import TrainingProtocol
from autoqa.features.activations import KEY_BYTES, ActivationRows, Activations
from autoqa.features.cache import FeatureCache
from autoqa.modeling.load import embedding_modules, encoder_layers, resolve_precision
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch


class LowerLayers:
    """Fills batches with the output of a model's frozen layers.

    Every window goes through the frozen layers by itself, not in a batch: sums are rounded by the
    shapes they are taken over, and a run must train the same whether it finds a window in the cache
    or computes it.

    Args:
        model: With :attr:`autoqa.modeling.model.SpanModel.frozen`.
        dtype: What matrix products are computed in.
        open_cache: The cache for a key and a width.
        depth: How many layers are frozen.
    """

    def __init__(
        self,
        model: SpanModel,
        dtype: torch.dtype,
        open_cache: Callable[[str, int], Activations],
        depth: int,
    ) -> None:
        self._model, self._dtype = model, dtype
        width = int(model.inner.config.hidden_size)
        self._cache = open_cache(_key(model, depth, dtype), width)

    @classmethod
    def of(
        cls, model: SpanModel, protocol: TrainingProtocol, cache: FeatureCache
    ) -> "LowerLayers | None":
        """What gives the output of a model's frozen layers, if that is kept; else ``None``."""
        if model.frozen is None:
            return None
        dtype = resolve_precision(protocol.precision, model.device)
        return cls(model, dtype, cache.activations, protocol.frozen_layers)

    def fill(self, batch: Batch) -> Batch:
        """The batch with :attr:`autoqa.modeling.packing.Batch.lower`."""
        parts: list[torch.Tensor] = []
        made: dict[bytes, ActivationRows] = {}
        for number in range(len(batch.lengths)):
            window = batch.window(number)
            key = _window_key(window)
            rows = made.get(key)
            if rows is None:
                rows = self._cache.get(key)
            if rows is None:
                rows = made[key] = self._compute(window)
            parts.append(torch.tensor(rows))
        self._cache.add(made)
        return replace(batch, lower=torch.cat(parts).to(self._model.device))

    def _compute(self, window: Batch) -> ActivationRows:
        device = self._model.device
        with torch.autocast(device.type, self._dtype, self._dtype != torch.float32):
            rows: ActivationRows = self._model.lower(window).cpu().numpy()
        return rows


def _window_key(window: Batch) -> bytes:
    ids = torch.stack([window.input_ids, window.type_ids]).cpu().numpy()
    return hashlib.blake2b(ids.astype("<i4").tobytes(), digest_size=KEY_BYTES).digest()


def _key(model: SpanModel, depth: int, dtype: torch.dtype) -> str:
    """Forty hex digits of all that the output depends on beside the window.

    Processors, numbers of threads and versions round differently, so each has an entry of its own.
    """
    device = model.device
    facts = (
        device.type if device.type == "cpu" else torch.cuda.get_device_name(device),
        torch.backends.cpu.get_cpu_capability(),
        torch.get_num_threads(),
        torch.__version__,
        transformers.__version__,
        dtype,
        depth,
        model.packs,
        type(model.inner).__name__,
        model.inner.config.to_json_string(),
    )
    digest = hashlib.sha256(repr(facts).encode())
    frozen = [*embedding_modules(model), *encoder_layers(model)[:depth]]
    for module in frozen:
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(f"{name} {tuple(tensor.shape)}".encode())
            digest.update(tensor.cpu().contiguous().numpy().data)
    return digest.hexdigest()[:40]
