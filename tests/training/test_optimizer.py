from pathlib import Path

import pytest

from autoqa.api import TrainingProtocol
from autoqa.modeling.heads.conditional_end import ConditionalEnd
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.training.optimizer import make_optimizer
from tests.modeling.conftest import save_tiny


def test_rates_decay_by_layer_and_norms_have_no_weight_decay(tmp_path: Path) -> None:
    protocol = TrainingProtocol(layer_decay=0.5, head_multiplier=10, weight_decay=0.1)
    model = load_for_training(save_tiny(tmp_path), protocol, seed=0)
    optimizer = make_optimizer(model, protocol, 1e-3)
    rates = {
        id(p): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for p in group["params"]
    }
    named = dict(model.inner.named_parameters())
    top = "bert.encoder.layer.1.attention.self.query"
    assert rates[id(named[f"{top}.weight"])] == (pytest.approx(1e-3), 0.1)
    assert rates[id(named[f"{top}.bias"])] == (pytest.approx(1e-3), 0.0)
    low = named["bert.encoder.layer.0.output.dense.weight"]
    assert rates[id(low)][0] == pytest.approx(5e-4)
    assert rates[id(named["bert.embeddings.word_embeddings.weight"])][0] == pytest.approx(2.5e-4)
    assert rates[id(named["qa_outputs.weight"])][0] == pytest.approx(1e-2)
    assert len(rates) == sum(1 for _ in model.parameters())


def test_an_extra_head_learns_at_the_heads_rate(tmp_path: Path) -> None:
    protocol = TrainingProtocol(layer_decay=0.5, head_multiplier=10, weight_decay=0.1)
    method = Method(head="conditional")
    model = load_for_training(save_tiny(tmp_path), protocol, seed=0, method=method)
    groups = make_optimizer(model, protocol, 1e-3).param_groups
    rates = {
        id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]
    }
    assert isinstance(model.head, ConditionalEnd)
    assert rates[id(model.head.join.weight)] == (pytest.approx(1e-2), 0.1)
    assert rates[id(model.head.norm.weight)] == (pytest.approx(1e-2), 0.0)
    assert len(rates) == sum(1 for _ in model.parameters())
