"""What a model bears is found out on made-up windows, not taken from lists of architectures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import nn

from autoqa.modeling.packing import Batch

WindowLayout = Literal["packed", "masked", "padded", "single"]
"""How windows go through a model: back to back in one row (``masked``: with a mask of ones, which
some architectures need so as not to look for borders themselves); padded, one row each; or one
after the other."""

PACKED: tuple[WindowLayout, ...] = ("packed", "masked")

_LENGTHS = (5, 7)  # the longer one not first, where its mask would fit by chance
_FARTHEST = 600
"""Longest neighbourhood that a probe goes beyond; farther ones would make loading slow."""

_EXACT = 1e-4
"""How far logits may differ by rounding."""

_SHARE = 0.02
"""The same as a share of what one token of a window changes in the others' logits: where windows
see each other, or padding, the difference is of that order, however small a model's numbers are."""

Logits = tuple[torch.Tensor, torch.Tensor]


def made_up_batch(config: Any, device: torch.device, lengths: tuple[int, ...] = _LENGTHS) -> Batch:
    """Windows of different length, to probe a model with.

    Args:
        config: The model's transformers configuration.
        device: Where the tensors go.
        lengths: Tokens of each window.
    """
    # Padding has no position of its own in some families, so the padding token is not among them.
    pad_id = config.pad_token_id or 0
    size = config.vocab_size
    ids = torch.arange(sum(lengths), device=device) % (size - 1) + 1
    ids = (ids + pad_id) % size
    label = torch.zeros(len(lengths), 2, dtype=torch.int64, device=device)
    return Batch(ids, torch.zeros_like(ids), list(lengths), ids >= 0, label, ids >= 0)


def telling_lengths(config: Any) -> tuple[int, ...]:
    """Lengths of windows, one of them longer than tokens of a local attention see."""
    reach = 0
    for name in ("sliding_window", "local_attention"):
        value = getattr(config, name, None)
        reach = max(reach, value if isinstance(value, int) else 0)
    room = getattr(config, "max_position_embeddings", None) or _FARTHEST
    if not reach or reach > _FARTHEST or reach + _LENGTHS[1] > room:
        return _LENGTHS
    return (_LENGTHS[0], reach + _LENGTHS[1])


def choose_layout(
    run: Callable[[WindowLayout, Batch], Logits], batch: Batch, *, dispatches: bool
) -> tuple[WindowLayout, str]:
    """The fastest way for windows that gives what each gives alone.

    Args:
        run: Logits of windows in any layout.
        batch: Some windows.
        dispatches: Whether the model's attention is ours, without which nothing can be packed.

    Returns:
        The layout, and why it is none that is faster: goes on from the model's name; empty where
        it is the fastest.

    Raises:
        Exception: What the model raises for windows one after the other.
    """
    expected = run("single", batch)
    influence = _influence(lambda windows: run("single", windows), batch, expected, at=-1)
    allowed = min(_EXACT, max(_SHARE * influence, _EXACT / 1000))
    why = "" if dispatches else "has an attention of its own"
    layouts: tuple[WindowLayout, ...] = (*(PACKED if dispatches else ()), "padded")
    for layout in layouts:
        try:
            difference = _difference(run(layout, batch), expected)
        except NotImplementedError as error:  # our own attention says what it cannot do
            reason = str(error)
        except Exception as error:  # whatever an architecture raises for what it is not made for
            reason = f"fails then ({told(error)})"
        else:
            # Padding makes sums longer, which moves rounding errors of large numbers more.
            if difference <= (max(allowed, _SHARE * influence) if layout == "padded" else allowed):
                return layout, "" if layout in PACKED else why
            reason = f"gives other logits then, by up to {difference:.2g}"
        if layout == "padded":
            return "single", f"{reason} where windows are padded"
        why = why or reason
    raise AssertionError("padded is the last layout tried")


def reads_left_to_right(run: Callable[[Batch], Logits], batch: Batch) -> bool:
    """Whether tokens of a model depend on those before them and on none of those after.

    Args:
        run: Logits of windows.
        batch: Some windows.
    """
    expected = run(batch)
    return (
        not _influence(run, batch, expected, at=-1) and _influence(run, batch, expected, at=0) > 0
    )


_ENDS: tuple[Literal[0, -1], ...] = (0, -1)


def _influence(
    run: Callable[[Batch], Logits], batch: Batch, expected: Logits, *, at: Literal[0, -1]
) -> float:
    """By how much the first or the last token of each window moves the others' logits."""
    lengths = torch.tensor(batch.lengths)
    where = batch.tokens(torch.zeros_like(lengths) if at == 0 else lengths - 1)
    ids = batch.input_ids.clone()
    ids[where] = ids[where + (2 if at == 0 else -2)]
    return _difference(expected, run(replace(batch, input_ids=ids)), ids == batch.input_ids)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """No dropout, no gradients; the module is as it was afterwards."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(was_training)


def close(
    some: tuple[torch.Tensor, ...], others: tuple[torch.Tensor, ...], allowed: float = _EXACT
) -> bool:
    """Whether all numbers agree up to rounding."""
    return all(torch.allclose(a, b, atol=allowed) for a, b in zip(some, others, strict=True))


def told(error: Exception) -> str:
    """An exception in half a line."""
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line:.200}"


def _difference(some: Logits, others: Logits, where: torch.Tensor | None = None) -> float:
    where = torch.ones_like(some[0], dtype=torch.bool) if where is None else where
    return max(
        float((a - b).nan_to_num(nan=float("inf"))[where].abs().max())
        for a, b in zip(some, others, strict=True)
    )
