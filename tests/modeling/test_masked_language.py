"""Masked-language training: what is hidden, what it costs, and that nothing of it stays."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch

from autoqa.api import TrainingProtocol
from autoqa.modeling.masked_language import (
    MASKED,
    RANDOM,
    SHARE,
    mask,
    masked_language_head,
    masked_language_loss,
)
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import Batch, make_batch
from autoqa.modeling.training_setup import load_for_training
from tests.modeling.conftest import make_windows, save_tiny

CPU = torch.device("cpu")
MASK = 0
TOKENS = torch.arange(2, 60)


def batch_of(lengths: list[int], every: int = 1) -> Batch:
    """Windows whose words have so many tokens each."""
    windows = make_windows(lengths)
    batch = make_batch(windows, CPU)
    inside = batch.positions
    return replace(batch, starts_word=(inside >= 4) & ((inside - 4) % every == 0))


def test_only_context_is_hidden_in_the_usual_shares() -> None:
    batch = batch_of([400] * 60)
    torch.manual_seed(0)
    hidden, told = mask(batch, MASK, TOKENS)
    context = batch.positions >= 4
    assert not told[~context].any()
    assert torch.equal(hidden.input_ids[~told], batch.input_ids[~told])
    assert told[context].float().mean().item() == pytest.approx(SHARE, abs=0.01)
    masked = (hidden.input_ids == MASK)[told].float().mean().item()
    same = (hidden.input_ids == batch.input_ids)[told].float().mean().item()
    assert masked == pytest.approx(MASKED, abs=0.03)
    # One of 58 that are drawn at random is the token itself.
    assert same == pytest.approx(1 - MASKED - RANDOM + RANDOM / 58, abs=0.03)
    assert hidden.input_ids[told].unique().numel() > 20


def test_words_are_hidden_whole() -> None:
    batch = batch_of([394] * 20, every=3)
    torch.manual_seed(0)
    _, told = mask(batch, MASK, TOKENS, whole_words=True)
    words = told.view(20, 394)[:, 4:].reshape(20, 130, 3)
    assert torch.equal(words.all(2), words.any(2))
    assert words.float().mean().item() == pytest.approx(SHARE, abs=0.03)


@pytest.fixture(params=["bert", "albert", "deberta-v2"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> SpanModel:
    """Packed; with embeddings smaller than the encoder's output; padded."""
    folder = save_tiny(tmp_path, request.param)
    return load_for_training(folder, TrainingProtocol(dropout=0.0), seed=1)


def test_a_head_that_knows_nothing_loses_what_guessing_loses(model: SpanModel) -> None:
    tokens = torch.unique(torch.arange(2, 60))
    names = set(model.state())
    with masked_language_head(model, tokens, seed=1) as head:
        torch.nn.init.zeros_(head.norm.weight)
        torch.manual_seed(3)
        loss = masked_language_loss(batch_of([60, 40]), model, head, MASK)
        assert any("masked_language" in name for name, _ in model.named_parameters())
    assert loss.item() == pytest.approx(log(58), rel=1e-5)
    assert not any("masked_language" in name for name, _ in model.named_parameters())
    assert set(model.state()) == names


def test_the_loss_is_the_mean_over_tokens_in_a_window_then_over_windows(
    model: SpanModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of([20, 9, 12])
    told = torch.zeros(41, dtype=torch.bool)
    told[[5, 8, 25]] = True  # two of the first window, one of the second, none of the third
    monkeypatch.setattr(
        "autoqa.modeling.masked_language.mask", lambda batch, *_, **__: (batch, told)
    )
    with masked_language_head(model, TOKENS, seed=1) as head, torch.no_grad():
        loss = masked_language_loss(batch, model, head, MASK).item()
        table = model.inner.get_input_embeddings().weight[TOKENS]
        joined = head.norm(torch.nn.functional.gelu(head.join(model.hidden(batch)[told])))
        shares = (joined @ table.T + head.bias).softmax(1)
        wanted = (batch.input_ids[told] - 2).tolist()
        one, two, three = (-log(share[token]) for share, token in zip(shares, wanted, strict=True))
    assert loss == pytest.approx(((one + two) / 2 + three) / 3, rel=1e-5)


def test_the_encoder_learns_from_it_and_a_frozen_table_stays(tmp_path: Path) -> None:
    folder = save_tiny(tmp_path)
    protocol = TrainingProtocol(dropout=0.0, freeze_embeddings=True)
    model = load_for_training(folder, protocol, seed=1)
    with masked_language_head(model, TOKENS, seed=1) as head:
        torch.manual_seed(0)
        masked_language_loss(batch_of([60, 40]), model, head, MASK).backward()
        assert head.join.weight.grad is not None
    learns = {name for name, p in model.named_parameters() if p.grad is not None}
    assert any(".layer.0." in name for name in learns)
    assert not any("embeddings" in name or "qa_outputs" in name for name in learns)
