from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from autoqa.api import TrainingProtocol
from autoqa.modeling.loss import training_loss
from autoqa.modeling.packing import make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from tests.modeling.conftest import make_windows, save_tiny

PROTOCOL = TrainingProtocol(
    dropout=0.0, freeze_embeddings=True, frozen_layers=1, cache_frozen=True, precision="fp32"
)


@pytest.mark.parametrize(
    "family, method",
    [
        *((family, Method()) for family in ("bert", "xlm-roberta", "modernbert", "deberta-v2")),
        ("distilbert", Method(head="conditional", dropout_samples=2)),
    ],
)
def test_from_the_frozen_layers_on_loss_and_gradients_are_the_same(
    tmp_path: Path, family: str, method: Method
) -> None:
    model = load_for_training(save_tiny(tmp_path, family), PROTOCOL, seed=1, method=method)
    assert model.frozen is not None
    batch = make_batch(make_windows([20, 9, 31, 9]), model.device)
    apart = replace(batch, lower=torch.cat([model.lower(batch.window(n)) for n in range(4)]))
    results = []
    for each in (batch, apart):
        model.zero_grad()
        torch.manual_seed(5)
        loss = training_loss(model, each, method)
        loss.backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        results.append((loss.item(), gradients))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    assert results[0][1].keys() == results[1][1].keys()
    found, expected = (torch.cat([g.ravel() for g in r[1].values()]) for r in results)
    assert (found - expected).norm() / expected.norm() < 1e-4


def test_the_whole_model_is_run_as_ever_afterwards(tiny_bert: Path) -> None:
    model = load_for_training(tiny_bert, PROTOCOL, seed=1).eval()
    batch = make_batch(make_windows([20, 9]), model.device)
    with torch.no_grad():
        before = torch.cat(model(batch))
        wrong = replace(batch, lower=torch.zeros_like(model.lower(batch)))
        assert not torch.allclose(torch.cat(model(wrong)), before, atol=1e-3)
        torch.testing.assert_close(torch.cat(model(batch)), before, rtol=0, atol=0)


def test_what_does_not_run_from_the_middle_trains_whole_and_says_so(tmp_path: Path) -> None:
    model = load_for_training(save_tiny(tmp_path, "albert"), PROTOCOL, seed=1)
    assert model.frozen is None
    assert model.notes == (
        "what the frozen layers give is not kept: AlbertForQuestionAnswering does not run from the "
        "middle",
    )


def test_dropout_in_the_frozen_layers_is_told(tiny_bert: Path) -> None:
    protocol = PROTOCOL.model_copy(update={"dropout": 0.1})
    model = load_for_training(tiny_bert, protocol, seed=1)
    assert model.frozen is None
    assert "set dropout = 0" in model.notes[0]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"frozen_layers": 0}, "cache_frozen = true needs .*here true and 0"),
        ({"freeze_embeddings": False}, "cache_frozen = true needs .*here false and 1"),
        ({"compile": True}, "cache_frozen = true and compile = true exclude each other"),
    ],
)
def test_a_protocol_with_nothing_to_keep_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TrainingProtocol(**{**PROTOCOL.model_dump(), **changes})
