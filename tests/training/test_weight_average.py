import pytest
import torch
from torch import nn

from autoqa.recipes import Averaging
from autoqa.training.weight_average import WeightAverage


class Number(nn.Module):
    """One trained number and a frozen one."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value]))
        self.frozen = nn.Parameter(torch.tensor([7.0]), requires_grad=False)


def follow(averaging: Averaging, values: list[float]) -> tuple[Number, WeightAverage]:
    model = Number()
    average = WeightAverage(model, averaging, steps=len(values))
    for step, value in enumerate(values, start=1):
        model.value.data.fill_(value)
        average.update(step)
    return model, average


def averaged(model: Number, average: WeightAverage) -> float:
    own = model.value.item()
    with average.swapped():
        found = model.value.item()
        assert model.frozen.item() == 7
    assert model.value.item() == own
    return found


def test_the_moving_average_of_a_hand_computed_case() -> None:
    """Decays 2/11 and 3/12: 0 * 2/11 + 11 * 9/11 = 9, then 9 * 1/4 + 12 * 3/4 = 11.25."""
    assert averaged(*follow("ema", [11])) == pytest.approx(9)
    assert averaged(*follow("ema", [11, 12])) == pytest.approx(11.25)


def test_the_moving_average_forgets_a_thousandth_per_step_in_the_end() -> None:
    model = Number()
    average = WeightAverage(model, "ema", steps=10**6)
    model.value.data.fill_(1000.0)
    average.update(10**5)
    assert averaged(model, average) == pytest.approx(1)


def test_the_plain_mean_is_over_the_last_quarter() -> None:
    """Eight steps: the weights after the seventh and the eighth."""
    values = [9.0, 9, 9, 9, 9, 2, 3, 5]
    assert averaged(*follow("swa", values)) == pytest.approx(4)
    model = Number()
    average = WeightAverage(model, "swa", steps=8)
    for step in range(1, 7):
        model.value.data.fill_(values[step - 1])
        average.update(step)
    assert averaged(model, average) == 2  # before the last quarter: as they stand
    assert average.tensors() == {}


def test_a_run_of_one_step_has_a_mean() -> None:
    assert averaged(*follow("swa", [3])) == 3


def test_no_average_keeps_nothing() -> None:
    model, average = follow("none", [1, 2, 3])
    assert averaged(model, average) == 3
    assert average.tensors() == {}


def test_frozen_weights_are_not_copied() -> None:
    _, average = follow("ema", [1])
    assert set(average.tensors()) == {"value"}


@pytest.mark.parametrize("averaging", ["ema", "swa"])
def test_a_restored_average_goes_on_as_if_nothing_had_happened(averaging: Averaging) -> None:
    torch.manual_seed(0)
    models = [nn.Linear(3, 2) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    whole, again = (WeightAverage(m, averaging, steps=8) for m in models)
    kept: dict[str, torch.Tensor] = {}
    for step in range(1, 9):
        if step == 8:
            # the order of a file is not that of the model
            kept = {n: t.clone() for n, t in sorted(whole.tensors().items())}
            models[1].load_state_dict(models[0].state_dict())
            again.restore(kept)
        change = [torch.randn_like(p) for p in models[0].parameters()]
        for model in models:
            for p, d in zip(model.parameters(), change, strict=True):
                p.data += d
        whole.update(step)
        if step == 8:
            again.update(step)
    assert len(kept) == 2
    for name, tensor in whole.tensors().items():
        assert torch.equal(tensor, again.tensors()[name])


def test_the_own_weights_come_back_after_a_failure() -> None:
    model, average = follow("ema", [11])
    with pytest.raises(KeyError), average.swapped():
        raise KeyError
    assert model.value.item() == 11


def test_training_goes_on_after_a_swap() -> None:
    """The optimizer's parameters are those of the model all the time."""
    model = Number(1.0)
    optimizer = torch.optim.SGD([model.value], lr=0.1)
    average = WeightAverage(model, "ema", steps=4)
    average.update(1)
    with average.swapped():
        pass
    model.value.sum().backward()
    optimizer.step()
    assert model.value.item() == pytest.approx(0.9)
