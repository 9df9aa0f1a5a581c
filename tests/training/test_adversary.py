"""Adversaries against cases computed by hand, and inside a step."""

from pathlib import Path

import pytest
import torch
from torch import nn

from autoqa.api import TrainingProtocol
from autoqa.errors import TrainingError
from autoqa.modeling.loss import training_loss
from autoqa.modeling.packing import Batch, make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Adversary, Method
from autoqa.training.adversary import (
    EmbeddingPerturbation,
    Perturbation,
    WeightPerturbation,
    make_adversary,
)
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate
from tests.modeling.conftest import make_windows, save_tiny

CPU = torch.device("cpu")
STILL = TrainingProtocol(dropout=0.0, precision="fp32", warmup_ratio=0.0, max_grad_norm=1e9)


def linear(weights: list[float], gradient: list[float] | None) -> nn.Linear:
    """y = w1 x1 + w2 x2, after a pass that gave the gradient."""
    layer = nn.Linear(2, 1, bias=False)
    layer.weight.data = torch.tensor([weights])
    layer.weight.grad = None if gradient is None else torch.tensor([gradient])
    return layer


def moved(layer: nn.Linear, reach: float, rate: float) -> list[float]:
    adversary = WeightPerturbation(list(layer.parameters()), reach, rate)
    before = layer.weight.detach().clone()
    with adversary.watching():
        pass
    with adversary.perturbing([]):
        inside: list[float] = layer.weight.detach()[0].tolist()
    assert torch.equal(layer.weight, before)
    return inside


@pytest.mark.parametrize(
    "gradient, reach, rate, expected",
    [
        ([6.0, 8.0], 1.0, 0.1, [3.3, 4.4]),  # 0.1 * 5 * (6, 8) / 10
        ([6.0, -8.0], 1.0, 0.1, [3.3, 3.6]),
        ([6.0, 8.0], 0.05, 0.1, [3.15, 4.2]),  # at most a twentieth of each weight
        ([0.0, -1.0], 0.05, 0.1, [3.0, 3.8]),
        ([0.0, 0.0], 0.05, 0.1, [3.0, 4.0]),
        ([float("inf"), 1.0], 0.05, 0.1, [3.0, 4.0]),
        (None, 0.05, 0.1, [3.0, 4.0]),
    ],
)
def test_weights_move_along_their_gradient(
    gradient: list[float] | None, reach: float, rate: float, expected: list[float]
) -> None:
    assert moved(linear([3.0, 4.0], gradient), reach, rate) == pytest.approx(expected)


def test_weights_come_back_after_an_error() -> None:
    layer = linear([3.0, 4.0], [6.0, 8.0])
    with (
        pytest.raises(RuntimeError, match="no memory"),
        WeightPerturbation([layer.weight], 0.05).perturbing([]),
    ):
        raise RuntimeError("no memory")
    assert layer.weight.tolist() == [[3.0, 4.0]]


def of_lengths(lengths: list[int]) -> Batch:
    return make_batch(make_windows(lengths), CPU)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("packed", [True, False])
def test_embeddings_move_by_the_norm_in_each_window(packed: bool, frozen: bool) -> None:
    """A loss that is linear in the embeddings has the gradients that it was made of.

    Window 0 has two tokens and gradients (3, 0) and (0, 4), of norm 5; window 1 has one token and
    (0, -2), and padding, where it is padded, has none.
    """
    table = nn.Embedding(4, 2)
    table.weight.requires_grad_(not frozen)
    gradient = torch.tensor([[[3.0, 0.0], [0.0, 4.0]], [[0.0, -2.0], [0.0, 0.0]]])
    ids = torch.tensor([[0, 1], [2, 3]])
    if packed:
        gradient, ids = gradient.reshape(1, 4, 2)[:, :3], ids.reshape(1, 4)[:, :3]
    batch = Batch(*torch.zeros(2, 3, dtype=torch.int64), [2, 1], *torch.zeros(3, 3))
    adversary = EmbeddingPerturbation(table, norm=0.5)
    with adversary.watching():
        (table(ids) * gradient).sum().backward()
    plain = table(ids)
    with adversary.perturbing([batch]):
        step = (table(ids) - plain).reshape(-1, 2).tolist()
    expected = [[0.3, 0.0], [0.0, 0.4], [0.0, -0.5], [0.0, 0.0]]
    assert step == [pytest.approx(each, abs=1e-6) for each in expected[: len(step)]]
    assert torch.equal(table(ids), plain)


def test_a_pass_without_word_embeddings_is_no_plain_step() -> None:
    adversary = EmbeddingPerturbation(nn.Embedding(2, 1), norm=1.0)
    with adversary.watching():
        pass
    with (
        pytest.raises(TrainingError, match='adversary = "fgm" found no word embeddings to perturb'),
        adversary.perturbing([of_lengths([6])]),
    ):
        pass


def test_passes_get_the_step_of_their_own_batch() -> None:
    """Two batches of one window, and a loss that takes two passes over each."""
    table = nn.Embedding(2, 1)
    adversary = EmbeddingPerturbation(table, norm=1.0)
    batches = [of_lengths([6]), of_lengths([7])]
    passes = [torch.zeros(1, 6, dtype=int)] * 2 + [torch.ones(1, 7, dtype=int)] * 2
    with adversary.watching():
        for sign, ids in zip((1, -1, -1, 1), passes, strict=True):
            (sign * table(ids)).sum().backward()
    plain = [table(ids) for ids in passes]
    with adversary.perturbing(batches):
        steps = [table(ids) - before for ids, before in zip(passes, plain, strict=True)]
    assert [step.sign().unique().tolist() for step in steps] == [[1], [-1], [-1], [1]]
    assert [step.norm().item() for step in steps] == pytest.approx([1.0] * 4)


def engine(
    folder: Path, method: Method, protocol: TrainingProtocol = STILL, **more: float
) -> Engine:
    """Steps as plain descent: Adam's go by the sign of gradients that are next to nothing."""
    model = load_for_training(folder, protocol, seed=1, method=method)
    rates = LearningRate(method, (4,), protocol.warmup_ratio)
    made = Engine(model, protocol, 1e-3, rates, seed=5, **more)  # type: ignore[arg-type]
    trained = [p for p in model.parameters() if p.requires_grad]
    plain = torch.optim.SGD([{"params": trained, "lr": 1.0, "peak": 1.0}])
    made._optimizer = plain  # type: ignore[assignment]
    return made


def weights(some: Engine) -> torch.Tensor:
    return torch.cat([p.detach().ravel() for p in some.model.parameters()])


WINDOWS = make_windows([20, 9, 31, 14])


def by_hand(folder: Path, method: Method, protocol: TrainingProtocol) -> torch.Tensor:
    """One step: the mean of both passes' gradients, both over all windows at once."""
    some = engine(folder, method, protocol)
    adversary = make_adversary(some.model, method)
    assert adversary is not None
    batch = make_batch(WINDOWS, CPU)
    with adversary.watching():
        (training_loss(some.model, batch, method) / 2).backward()
    with adversary.perturbing([batch]):
        (training_loss(some.model, batch, method) / 2).backward()
    some._optimizer.param_groups[0]["lr"] = some.rates.factor(0)
    some._optimizer.step()
    return weights(some)


@pytest.mark.parametrize("adversary", ["awp", "fgm"])
@pytest.mark.parametrize("family", ["bert", "deberta-v2"], ids=["packed", "padded"])
@pytest.mark.parametrize("frozen", [False, True])
def test_a_step_is_the_same_however_many_forward_passes_it_takes(
    tmp_path: Path, adversary: Adversary, family: str, frozen: bool
) -> None:
    folder = save_tiny(tmp_path, family)
    method = Method(adversary=adversary, adversary_size=3.0)
    protocol = STILL.model_copy(update={"freeze_embeddings": frozen})
    expected = by_hand(folder, method, protocol)
    plain = engine(folder, Method(), protocol)
    plain_loss = plain.train(WINDOWS).loss
    for scale in (1.0, 0.005):
        some = engine(folder, method, protocol, micro_scale=scale)
        assert some.train(WINDOWS).loss == pytest.approx(plain_loss, rel=1e-4)
        torch.testing.assert_close(weights(some), expected, atol=1e-5, rtol=1e-3)
        assert not torch.allclose(weights(some), weights(plain), atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("adversary", ["awp", "fgm"])
def test_scaled_gradients_in_half_precision_are_perturbed_alike(
    tmp_path: Path, adversary: Adversary
) -> None:
    folder, method = save_tiny(tmp_path), Method(adversary=adversary)
    half = engine(folder, method, STILL.model_copy(update={"precision": "fp16"}))
    scale = half._scaler.get_scale()
    half.train(WINDOWS)
    assert half._scaler.get_scale() == scale > 1000, "nothing overflowed"
    expected, begin = by_hand(folder, method, STILL), weights(engine(folder, method))
    moved = torch.linalg.vector_norm(expected - begin)
    assert torch.linalg.vector_norm(weights(half) - expected) < 0.02 * moved


@pytest.mark.parametrize("adversary", ["awp", "fgm"])
def test_a_step_whose_scaled_gradients_overflow_changes_nothing(
    tmp_path: Path, adversary: Adversary
) -> None:
    fp16 = STILL.model_copy(update={"precision": "fp16"})
    half = engine(save_tiny(tmp_path), Method(adversary=adversary), fp16)
    half._scaler = torch.amp.GradScaler("cpu", init_scale=2.0**40)
    before = weights(half)
    half.train(WINDOWS)
    assert torch.equal(weights(half), before)
    assert half._scaler.get_scale() == 2.0**39


def test_without_an_adversary_nothing_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_tiny(tmp_path)
    calls: list[int] = []

    def counted(model: nn.Module, batch: Batch, method: Method) -> torch.Tensor:
        calls.append(len(batch.lengths))
        return training_loss(model, batch, method)  # type: ignore[arg-type]

    monkeypatch.setattr("autoqa.training.engine.training_loss", counted)
    engine(folder, Method()).train(WINDOWS)
    assert calls == [4]
    engine(folder, Method(adversary="awp")).train(WINDOWS)
    assert calls == [4, 4, 4]


def test_a_scaled_gradient_that_overflows_moves_nothing(tmp_path: Path) -> None:
    some = engine(save_tiny(tmp_path), Method(adversary="awp"))
    adversary: Perturbation | None = some._adversary
    assert adversary is not None
    for parameter in some.model.parameters():
        parameter.grad = torch.full_like(parameter, float("nan"))
    before = weights(some)
    with adversary.perturbing([]):
        assert torch.equal(weights(some), before)
