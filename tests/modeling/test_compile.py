"""Training through torch.compile: equal where it works; uncompiled, with a note, where not."""

import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
import torch._dynamo
import torch._inductor.config

from autoqa.api import TrainingProtocol
from autoqa.modeling.forward import predict
from autoqa.modeling.loss import training_loss
from autoqa.modeling.model import SpanModel
from autoqa.modeling.packing import make_batch
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from tests.modeling.conftest import make_windows

PLAIN = TrainingProtocol(dropout=0.0, precision="fp32")
COMPILED = PLAIN.model_copy(update={"compile": True})


@pytest.fixture(autouse=True)
def fresh_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is taken from caches, and nothing stays in memory."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    torch._dynamo.reset()


def step(model: SpanModel, lengths: list[int]) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    loss = training_loss(model, make_batch(make_windows(lengths), model.device), Method())
    loss.backward()
    return loss.item(), torch.cat(
        [p.grad.ravel() for p in model.parameters() if p.grad is not None]
    )


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
@pytest.mark.parametrize("adapter_rank", [0, 4])
def test_a_compiled_model_gives_equal_losses_and_gradients(
    tiny_bert: Path, adapter_rank: int
) -> None:
    model, plain = (
        load_for_training(tiny_bert, p.model_copy(update={"adapter_rank": adapter_rank}), seed=1)
        for p in (COMPILED, PLAIN)
    )
    assert model.compiled
    assert model.notes == ()
    assert model.state().keys() == plain.state().keys()
    for lengths in ([20, 9, 31], [12, 14], [9, 9, 9, 40]):
        loss, gradient = step(model, lengths)
        expected, expected_gradient = step(plain, lengths)
        assert loss == pytest.approx(expected, rel=1e-5)
        torch.testing.assert_close(gradient, expected_gradient, atol=1e-5, rtol=1e-3)
    # Other numbers and lengths of windows run what was compiled already.
    with torch.compiler.set_stance("fail_on_recompile"):
        step(model, [17, 18, 19, 20, 21])
    # Evaluation runs what an exported model will run.
    model.eval()
    plain.eval()
    windows = make_windows([20, 9, 31])
    for a, b in zip(
        predict(model, windows, precision="fp32"), predict(plain, windows, precision="fp32"),
        strict=True,
    ):  # fmt: skip
        assert (a == b).all()


@torch._inductor.config.patch({"cpp.cxx": ("/no/such/compiler",)})
def test_without_a_compiler_it_is_trained_uncompiled_and_a_note_says_so(tiny_bert: Path) -> None:
    model, plain = (load_for_training(tiny_bert, p, seed=1) for p in (COMPILED, PLAIN))
    assert not model.compiled
    (note,) = model.notes
    assert note.startswith("torch.compile failed (")
    assert note.endswith("the model is trained uncompiled.")
    assert step(model, [20, 9])[0] == step(plain, [20, 9])[0]


@torch._inductor.config.patch({"cpp.cxx": ("/no/such/compiler",)})
def test_a_failure_at_a_later_step_falls_back_too(tiny_bert: Path) -> None:
    """The first step is the first time that the encoder is compiled here."""
    model, plain = (load_for_training(tiny_bert, PLAIN, seed=1) for _ in range(2))
    model.compile_encoder()
    assert step(model, [20, 9])[0] == step(plain, [20, 9])[0]
    assert not model.compiled
    assert len(model.notes) == 1


def refuse(*_: object, **__: object) -> None:
    raise OSError("no space left")


def test_a_backward_pass_that_does_not_compile_falls_back(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    monkeypatch.setattr("torch.autograd.backward", refuse)
    model = load_for_training(tiny_bert, COMPILED, seed=1)
    monkeypatch.undo()
    assert not model.compiled
    assert "OSError: no space left" in model.notes[0]
    step(model, [20, 9])


@torch._inductor.config.patch({"cpp.cxx": ("/no/such/compiler",)})
def test_what_fails_uncompiled_too_is_no_fault_of_the_compiler(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.autograd.backward", refuse)
    with pytest.raises(OSError, match="no space left"):
        load_for_training(tiny_bert, COMPILED, seed=1)
