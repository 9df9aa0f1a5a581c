from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from autoqa.api import TrainingProtocol
from autoqa.features.windows import SoftTargets
from autoqa.modeling.loss import (
    TEMPERATURE,
    chance_loss,
    distillation_loss,
    divergence,
    jaccard_loss,
    jaccard_targets,
    span_loss,
    training_loss,
)
from autoqa.modeling.packing import Batch, make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from tests.modeling.conftest import make_windows

CPU = torch.device("cpu")


def labelled(lengths: list[int], label: list[list[int]]) -> Batch:
    batch = make_batch(make_windows(lengths), CPU)
    batch.label.copy_(torch.tensor(label))
    return batch


def test_the_loss_of_a_hand_computed_case() -> None:
    """Two windows; three and two candidates; logits 0 make every candidate equally likely."""
    windows = make_windows([6, 7])
    batch = make_batch(windows, CPU)
    zeros = torch.zeros(13)
    # window 0: first token + 2 context tokens; window 1: first token + 3 context tokens
    expected = (torch.log(torch.tensor(3.0)) + torch.log(torch.tensor(4.0))) / 2
    assert span_loss(zeros, zeros, batch).item() == pytest.approx(expected.item())


def test_question_tokens_do_not_change_the_loss() -> None:
    batch = make_batch(make_windows([12, 15]), CPU)
    logits = torch.randn(27, generator=torch.Generator().manual_seed(0))
    moved = torch.where(batch.allowed, logits, logits + 50)
    assert span_loss(logits, logits, batch).item() == span_loss(moved, moved, batch).item()


def test_the_loss_of_a_model_that_knows_nothing() -> None:
    batch = make_batch(make_windows([6, 7]), CPU)  # 3 and 4 tokens are allowed
    assert chance_loss(batch) == pytest.approx((log(3) + log(4)) / 2)
    zeros = torch.zeros(13)
    assert chance_loss(batch) == pytest.approx(span_loss(zeros, zeros, batch).item())


def test_jaccard_targets_of_a_hand_computed_case() -> None:
    """Context is tokens 4 to 9, the answer tokens 5 to 7.

    Starts 4, 5, 6, 7 make spans with overlaps 3/4, 1, 2/3, 1/3: the last is too small, the others
    sum to 29/12. Ends 5, 6, 7, 8, 9 make overlaps 1/3, 2/3, 1, 3/4, 3/5, which sum to 181/60
    without the first. Half of each target is on the label.
    """
    start, end = jaccard_targets(labelled([10, 6], [[5, 7], [0, 0]]))
    assert start[0].tolist() == pytest.approx(
        [0, 0, 0, 0, 9 / 58, 1 / 2 + 12 / 58, 8 / 58, 0, 0, 0]
    )
    assert end[0].tolist() == pytest.approx(
        [0, 0, 0, 0, 0, 0, 40 / 362, 1 / 2 + 60 / 362, 45 / 362, 36 / 362]
    )
    # without an answer, and in the padding, nothing is softened
    assert start[1].tolist() == end[1].tolist() == [1] + 9 * [0]


def test_the_jaccard_loss_of_a_hand_computed_case() -> None:
    """Six tokens, the answer is token 4 of context 4 to 5: an end at 5 has an overlap of 1/2.

    Allowed are tokens 0, 4 and 5. Ends: (1, 1/2) / (3/2) half mixed with the label gives 5/6 and
    1/6; starts: token 5 lies behind the end, so the label stands alone.
    """
    batch = labelled([6], [[4, 4]])
    start = torch.tensor([0, 9, 9, 9, log(2), 0])  # P = 1/4, 1/2, 1/4
    end = torch.tensor([0, 9, 9, 9, log(6), log(3)])  # P = 1/10, 6/10, 3/10
    expected = (log(2) - 5 / 6 * log(0.6) - 1 / 6 * log(0.3)) / 2
    assert jaccard_loss(start, end, batch).item() == pytest.approx(expected)


@given(st.data())
def test_jaccard_targets_are_distributions_over_possible_ends_with_the_label_on_top(
    data: st.DataObject,
) -> None:
    lengths = data.draw(st.lists(st.integers(6, 24), min_size=1, max_size=4))
    label = []
    for length in lengths:
        first = data.draw(st.integers(4, length - 1))
        last = data.draw(st.integers(first, length - 1))
        label.append(data.draw(st.sampled_from([[0, 0], [first, last]])))
    batch = labelled(lengths, label)
    allowed = batch.pad(batch.allowed, False)
    inside = batch.pad(batch.positions, -1)
    first, last = batch.label[:, :1], batch.label[:, 1:]
    start, end = jaccard_targets(batch)
    for target, labels, possible in ((start, first, inside <= last), (end, last, inside >= first)):
        torch.testing.assert_close(target.sum(1), torch.ones(len(lengths)))
        assert not target[~(allowed & possible)].any()
        assert torch.equal(target.argmax(1), labels[:, 0])


def test_multi_sample_dropout_is_the_mean_of_the_losses_of_its_masks(tiny_bert: Path) -> None:
    method = Method(dropout_samples=3)
    model = load_for_training(tiny_bert, TrainingProtocol(dropout=0.0), seed=1, method=method)
    batch = make_batch(make_windows([20, 9]), CPU)
    torch.manual_seed(7)
    loss = training_loss(model, batch, method)
    hidden = model.inner.bert(
        input_ids=batch.input_ids[None],
        position_ids=batch.positions[None],
        segments=torch.tensor(batch.lengths),
    )[0][0]
    torch.manual_seed(7)
    losses = []
    for _ in range(3):
        mask = nn.functional.dropout(torch.ones_like(hidden), 0.5)
        assert set(mask.unique().tolist()) == {0.0, 2.0}
        start, end = model.inner.qa_outputs(hidden * mask).unbind(-1)
        losses.append(span_loss(start, end, batch).item())
    assert len(set(losses)) == 3
    assert loss.item() == pytest.approx(sum(losses) / 3, rel=1e-5)


def test_dropout_masks_with_the_same_logits_leave_the_plain_loss(tiny_bert: Path) -> None:
    """With all weights of the head zero no mask matters: the loss is that of chance."""
    method = Method(dropout_samples=2)
    model = load_for_training(tiny_bert, TrainingProtocol(), seed=1, method=method)
    nn.init.zeros_(model.inner.qa_outputs.weight)
    batch = make_batch(make_windows([6, 7]), CPU)
    expected = (log(3) + log(4)) / 2
    assert training_loss(model, batch, method).item() == pytest.approx(expected)


def test_the_divergence_of_a_hand_computed_case() -> None:
    """One window of six tokens; 0, 4 and 5 are allowed; ends are as likely in both passes.

    P = (1/2, 1/4, 1/4), Q = (1/4, 1/2, 1/4): KL(P || Q) = KL(Q || P) = 1/4 log 2, of which the
    equal ends leave half.
    """
    batch = labelled([6], [[4, 4]])
    one = torch.tensor([log(2), 9, -9, 9, 0, 0])
    other = torch.tensor([0, -9, 9, 9, log(2), 0])
    ends = torch.zeros(6)
    assert divergence((one, ends), (other, ends), batch).item() == pytest.approx(log(2) / 8)
    assert divergence((one, ends), (one, ends), batch).item() == 0


def relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    return float((p * np.log(p / q)).sum())


def test_the_divergence_is_that_of_numpy() -> None:
    batch = labelled([12, 7], [[5, 6], [0, 0]])
    passes = torch.randn(2, 2, 19, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    total = 0.0
    for window in (slice(0, 12), slice(12, 19)):
        allowed = batch.allowed[window].numpy()
        for side in (0, 1):
            p, q = (np.exp(passes[i, side, window].numpy()[allowed]) for i in (0, 1))
            p, q = p / p.sum(), q / q.sum()
            total += (relative_entropy(p, q) + relative_entropy(q, p)) / 2
    found = divergence(tuple(passes[0]), tuple(passes[1]), batch)  # type: ignore[arg-type]
    assert found.item() == pytest.approx(total / 4, rel=1e-5)


@pytest.mark.parametrize("head", ["independent", "conditional"])
@pytest.mark.parametrize("samples", [1, 2])
def test_r_drop_is_the_mean_loss_of_two_passes_and_how_far_they_are_apart(
    tiny_bert: Path, head: str, samples: int
) -> None:
    method = Method(rdrop=0.5, head=head, dropout_samples=samples)
    model = load_for_training(tiny_bert, TrainingProtocol(dropout=0.3), seed=1, method=method)
    batch = make_batch(make_windows([20, 9]), CPU)
    torch.manual_seed(7)
    loss = training_loss(model, batch, method)
    torch.manual_seed(7)
    one, other = (list(model.training_logits(batch, samples)) for _ in range(2))
    losses = [span_loss(*pair, batch).item() for pair in one + other]
    assert len(set(losses)) == 2 * samples
    apart = [divergence(*pair, batch).item() for pair in zip(one, other, strict=True)]
    assert min(apart) > 0
    expected = sum(losses) / len(losses) + 0.5 * sum(apart) / samples
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    trained = [p.grad for p in model.parameters() if p.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in trained)


@pytest.mark.parametrize(
    "method",
    [Method(), Method(head="conditional", loss="jaccard", dropout_samples=2, rdrop=1.0)],
    ids=["plain", "all"],
)
def test_the_loss_is_in_full_precision_under_autocast(tiny_bert: Path, method: Method) -> None:
    model = load_for_training(tiny_bert, TrainingProtocol(), seed=1, method=method)
    with torch.autocast("cpu", torch.bfloat16):
        loss = training_loss(model, make_batch(make_windows([20, 9]), CPU), method)
    assert loss.dtype == torch.float32
    loss.backward()
    trained = [p for n, p in model.named_parameters() if "pooler" not in n]
    assert all(torch.isfinite(p.grad).all() for p in trained if p.grad is not None)


def taught(shares: list[list[float]], weight: list[tuple[float, float]]) -> Batch:
    """Windows of 3 and 4 allowed tokens whose teacher gives these shares to starts and ends."""
    windows = make_windows([6, 7])
    probability = np.zeros((13, 2))
    allowed = make_batch(windows, CPU).allowed.numpy()
    probability[allowed] = np.repeat(np.concatenate(shares)[:, None], 2, axis=1)
    with np.errstate(divide="ignore"):
        logs = np.log(probability).astype(np.float16)
    soft = SoftTargets(logs, np.array(weight, np.float32))
    return make_batch(replace(windows, soft=soft), CPU)


EVEN = [[1 / 3] * 3, [1 / 4] * 4]


def test_the_distillation_loss_of_a_hand_computed_case() -> None:
    """An even pupil: the label costs log n, and a teacher with all mass on one token T² log n."""
    batch = taught([[0, 1, 0], [0.25] * 4], [(0.5, 0.5), (1.0, 0.0)])
    zeros = torch.zeros(13)
    expected = (0.5 * log(3) + 0.5 * TEMPERATURE**2 * log(3) + log(4)) / 2
    assert distillation_loss(zeros, zeros, batch).item() == pytest.approx(expected, rel=1e-3)
    assert chance_loss(batch) == pytest.approx(expected, rel=1e-3)


def test_windows_without_label_are_learned_as_far_as_their_teacher_is_sure() -> None:
    zeros = torch.zeros(13)
    losses = [
        distillation_loss(
            zeros, zeros, taught([[0, 1, 0], EVEN[1]], [(0.0, sure), (0.0, 0.0)])
        ).item()
        for sure in (0.0, 0.3, 0.6)
    ]
    assert losses[0] == 0
    assert losses[2] == pytest.approx(2 * losses[1])


def test_a_pupil_that_says_what_its_teacher_says_loses_nothing_by_it() -> None:
    shares = [[0.2, 0.7, 0.1], [0.1, 0.2, 0.3, 0.4]]
    batch = taught(shares, [(0.0, 1.0)] * 2)
    logits = torch.zeros(13)
    logits[batch.allowed] = torch.tensor([x for row in shares for x in row]).log() + 3
    logits.requires_grad_()
    loss = distillation_loss(logits, logits, batch)
    assert loss.item() == pytest.approx(0, abs=1e-5)
    torch.autograd.backward(loss)
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-3
    moved = distillation_loss(logits * 2, logits, batch)
    assert moved.item() > 0.01


def test_impossible_tokens_cost_and_teach_nothing_wrong() -> None:
    """Minus infinity on both sides, in question and padding, leaves finite losses and gradients."""
    batch = taught([[1, 0, 0], [0, 0, 1, 0]], [(0.5, 0.5)] * 2)
    logits = torch.randn(13, generator=torch.Generator().manual_seed(1)).requires_grad_()
    loss = distillation_loss(logits, logits, batch)
    torch.autograd.backward(loss)
    assert logits.grad is not None
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[~batch.allowed].any()


def test_a_batch_with_a_teacher_is_trained_by_it(tiny_bert: Path) -> None:
    model = load_for_training(tiny_bert, TrainingProtocol(dropout=0.0), seed=0, device="cpu")
    batch = taught(EVEN, [(0.5, 0.5)] * 2)
    (pair,) = model.training_logits(batch)
    expected = distillation_loss(*pair, batch).item()
    assert training_loss(model, batch, Method()).item() == pytest.approx(expected)
