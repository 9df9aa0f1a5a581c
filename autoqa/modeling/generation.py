"""Beam search over the fragments of contexts, with the probability of every text it comes across.

transformers' ``generate`` returns the probabilities of its n best only together with those of the
whole vocabulary at every step, which for a vocabulary of 250,000 takes gigabytes; and it looks at
texts only once they are finished, while here each beginning is a text that could end there.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache, EncoderDecoderCache

from autoqa.modeling.context_automaton import ContextAutomaton, Prefix

BEAMS = 8
"""Beginnings of each window that are continued."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What a model says of one window.

    Attributes:
        nothing: Log-probability of the empty text.
        texts: Log-probabilities of fragments of its context, by their tokens. They are sums over
            tokens and over the end, never divided by a length: then a fragment and the empty text
            are events of one distribution, in this window and in others.
    """

    nothing: float
    texts: dict[Prefix, float]


@dataclass(frozen=True, slots=True)
class _Beam:
    """A beginning: its window, its tokens, its log-probability, and the row it was computed in."""

    window: int
    tokens: Prefix
    total: float
    row: int


def generate(
    model: Any,
    encoded: torch.Tensor,
    mask: torch.Tensor,
    fragments: Sequence[ContextAutomaton],
    *,
    most: int,
    beams: int = BEAMS,
) -> list[Generated]:
    """The likeliest fragments of each window's context.

    A window's search ends when no beginning is as likely as its worst of ``beams`` finished texts,
    for what is added makes a text less likely.

    Args:
        model: A sequence-to-sequence model of transformers, in evaluation mode.
        encoded: The encoder's output ``[W, longest, H]``.
        mask: 1 for tokens of the window, 0 for padding, ``[W, longest]``.
        fragments: What may be generated for each window.
        most: Most tokens in a text.
        beams: Beginnings of each window that are continued.

    Returns:
        One for each window.
    """
    start, end = int(model.config.decoder_start_token_id), _end(model)
    found = [Generated(0.0, {}) for _ in fragments]
    cache = EncoderDecoderCache(
        DynamicCache(config=model.config), DynamicCache(config=model.config)
    )
    rows = [_Beam(window, (), 0.0, window) for window in range(len(fragments))]
    while rows:
        windows = torch.tensor([beam.window for beam in rows], device=encoded.device)
        if rows[0].tokens:
            cache.batch_select_indices(
                torch.tensor([beam.row for beam in rows], device=encoded.device)
            )
        last = torch.tensor([beam.tokens[-1] if beam.tokens else start for beam in rows])
        logits = model(
            encoder_outputs=(encoded[windows],),
            attention_mask=mask[windows],
            decoder_input_ids=last[:, None].to(encoded.device),
            past_key_values=cache,
            use_cache=True,
        ).logits[:, -1]
        choices = [
            fragments[beam.window].following(beam.tokens) if len(beam.tokens) < most else []
            for beam in rows
        ]
        ends, following = _log_probabilities(logits, end, choices)
        for beam, value in zip(rows, ends, strict=True):
            if beam.tokens:
                found[beam.window].texts[beam.tokens] = beam.total + value
            else:
                found[beam.window] = Generated(value, {})
        rows = _continued(rows, choices, following, found, beams)
    return found


def _end(model: Any) -> int:
    end = model.config.eos_token_id
    return int(end[0] if isinstance(end, list) else end)


def _log_probabilities(
    logits: torch.Tensor, end: int, choices: Sequence[Sequence[int]]
) -> tuple[list[float], list[list[float]]]:
    """Log-probabilities of the end, and of each row's choices, among the whole vocabulary."""
    logs = logits.float().log_softmax(-1)
    longest = max(map(len, choices))
    picked = torch.tensor([[end, *each, *[end] * (longest - len(each))] for each in choices])
    values = logs.gather(1, picked.to(logs.device)).tolist()
    return [row[0] for row in values], [
        row[1 : 1 + len(each)] for row, each in zip(values, choices, strict=True)
    ]


def _continued(
    rows: Sequence[_Beam],
    choices: Sequence[Sequence[int]],
    following: Sequence[Sequence[float]],
    found: Sequence[Generated],
    beams: int,
) -> list[_Beam]:
    """The likeliest longer beginnings of each window that could still be among its best texts."""
    longer: list[list[_Beam]] = [[] for _ in found]
    for row, (beam, ids, values) in enumerate(zip(rows, choices, following, strict=True)):
        longer[beam.window] += [
            _Beam(beam.window, (*beam.tokens, token), beam.total + value, row)
            for token, value in zip(ids, values, strict=True)
        ]
    kept: list[_Beam] = []
    for window, candidates in enumerate(longer):
        best = heapq.nlargest(beams, found[window].texts.values())
        bound = best[-1] if len(best) == beams else float("-inf")
        leading = heapq.nlargest(beams, candidates, key=lambda beam: beam.total)
        kept += [beam for beam in leading if beam.total > bound]
    return kept
