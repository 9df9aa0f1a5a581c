"""What the model of a backbone has to do whose tokens get start and end logits.

Most of it a model that generates has to do, too (:mod:`autoqa.testing.text_model_checks`).
"""

import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from autoqa.api import ConfigError, TrainingProtocol
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.testing.backbone_checks import BackboneSubject, prepared, tokenizer_of
from autoqa.testing.check import Check, CheckFailedError, require
from autoqa.testing.samples import generated_examples

if TYPE_CHECKING:
    from autoqa.modeling.model import SpanModel
    from autoqa.training.engine import Engine

LEARNED_SHARE = 0.1
"""Of the first loss, what may be left when twenty examples are learned by heart."""

APART = 0.01
"""How far logits of a window may move with its neighbours, as a share of their range."""

_STEPS = 200
_FEW = 2
_RATE = 1e-4
"""Learning rate at which twenty examples are learned, where the protocol's is lower."""


def windows_of(backbone: BackboneSubject) -> Windows:
    """Those of twenty examples, as the protocol cuts them."""
    encoded = encode(tokenizer_of(backbone), generated_examples())
    protocol = backbone.spec.protocol(backbone.options)
    return cut(encoded, protocol.length, protocol.stride)


def _protocol(backbone: BackboneSubject) -> TrainingProtocol:
    """The backbone's own, with nothing random and nothing kept on disk."""
    own = backbone.spec.protocol(backbone.options)
    return own.model_copy(update={"dropout": 0.0, "cache_frozen": False, "compile": False})


def trainable(backbone: BackboneSubject, seed: int = 0) -> "SpanModel":
    """Its model as a run begins with it."""
    from autoqa.modeling.training_setup import load_for_training

    kind = backbone.spec.kind
    try:
        return load_for_training(prepared(backbone), _protocol(backbone), seed, kind=kind)
    except ConfigError as error:
        raise CheckFailedError(str(error)) from error


def _engine(backbone: BackboneSubject, rate: float, seed: int = 0) -> "Engine":
    from autoqa.parallel.peers import Alone
    from autoqa.recipes import Method
    from autoqa.training.engine_plan import EnginePlan
    from autoqa.training.schedule import LearningRate

    plan = EnginePlan(
        folder=prepared(backbone),
        protocol=_protocol(backbone),
        method=Method(),
        head_seed=seed,
        learning_rate=rate,
        rates=LearningRate(Method(), (_STEPS,), 0.02),
        seed=seed,
        micro_scale=1.0,
        kind=backbone.spec.kind,
    )
    return plan.plain(trainable(backbone, seed), Alone())


def check_positions(backbone: BackboneSubject) -> None:
    """The protocol's windows fit, and facts says how many positions there are."""
    from autoqa.modeling.load import check_length, most_positions

    try:
        check_length(prepared(backbone), _protocol(backbone).length, "the protocol")
    except ConfigError as error:
        raise CheckFailedError(str(error)) from error
    told = backbone.spec.facts(backbone.options).positions
    real = most_positions(prepared(backbone))
    require(
        told is None or told == real,
        f"facts says {told} positions, and the model has {real or 'no limit'}",
    )


def check_logits(backbone: BackboneSubject) -> None:
    """Each token gets a start and an end logit, and all gradients are finite."""
    import torch

    from autoqa.modeling.loss import training_loss
    from autoqa.modeling.packing import make_batch
    from autoqa.modeling.seq2seq import TextModel
    from autoqa.recipes import Method

    model, windows = trainable(backbone), take(windows_of(backbone), np.arange(4))
    batch = make_batch(windows, model.device)
    for logits in model(batch):
        wanted = (len(windows.input_ids),)
        require(
            tuple(logits.shape) == wanted,
            f"its logits have the shape {tuple(logits.shape)}, not {wanted}",
        )
        require(bool(torch.isfinite(logits).all()), "some of its logits are no finite numbers")
    if isinstance(model, TextModel):
        loss = model.loss(batch)
    else:
        loss = training_loss(model, batch, Method())
    torch.autograd.backward(loss)
    trained = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    wrong = [n for n, g in trained.items() if g is not None and not bool(torch.isfinite(g).all())]
    require(not wrong, f"gradients of {', '.join(wrong[:3])} are no finite numbers")
    require(
        any(g is not None and bool((g != 0).any()) for g in trained.values()),
        "no weight has a gradient, so nothing can be learned",
    )


def check_saving(backbone: BackboneSubject) -> None:
    """A model that is saved and loaded gives the same logits."""
    import torch

    from autoqa.modeling.forward import predict
    from autoqa.modeling.load import load_for_inference, rounded_state, save_model

    model, windows = trainable(backbone), windows_of(backbone)
    state = rounded_state(model)
    model.load_state({n: t.float() if t.is_floating_point() else t for n, t in state.items()})
    model.eval()
    folder = backbone.folder / "saved"
    save_model(model, state, prepared(backbone), folder)
    with torch.no_grad():
        given, again = (
            np.concatenate(predict(each, windows, precision="fp32"))
            for each in (model, load_for_inference(folder))
        )
    gap = float(np.abs(given - again).max())
    require(gap < 1e-4, f"saved and loaded again, the model gives other logits, by up to {gap:.2g}")


def check_seeds(backbone: BackboneSubject) -> None:
    """Two runs with one seed end alike."""
    windows = take(windows_of(backbone), np.arange(8))
    runs = []
    for _ in range(2):
        engine = _engine(backbone, _RATE)
        runs.append([engine.train(windows).loss for _ in range(_FEW)])
    require(
        runs[0] == runs[1],
        f"with one seed the losses of {_FEW} steps are {runs[0]}, then {runs[1]}",
    )


def check_overfitting(backbone: BackboneSubject) -> None:
    """It learns twenty examples by heart."""
    windows, rate = windows_of(backbone), max(_RATE, _protocol(backbone).learning_rate)
    engine = _engine(backbone, rate)
    begin = time.perf_counter()
    first = loss = engine.train(windows).loss
    while loss > LEARNED_SHARE * first:
        seconds = time.perf_counter() - begin
        require(
            seconds < backbone.seconds and engine.step < _STEPS,
            f"after {engine.step} steps in {seconds:.0f} s over twenty examples its loss is "
            f"{loss:.2f}, from {first:.2f} at first; it should come down to "
            f"{LEARNED_SHARE:.0%} of that",
        )
        loss = engine.train(windows).loss


def check_windows_apart(backbone: BackboneSubject) -> None:
    """What a window gets does not depend on its neighbours."""
    from autoqa.modeling.forward import predict

    model, windows = trainable(backbone), windows_of(backbone)
    model.eval()
    ask = partial(predict, model, precision="fp32")
    together = np.stack(ask(windows))
    alone = np.concatenate([np.stack(ask(take(windows, [n]))) for n in range(len(windows))], axis=1)
    gap, reach = float(np.abs(together - alone).max()), float(np.ptp(together))
    require(
        gap <= APART * max(reach, 1e-3),
        f"beside others a window gets other logits than alone, by up to {gap:.2g} of a range of "
        f"{reach:.2g}",
    )


SPAN_MODEL_CHECKS = (
    Check(name="positions", summary="windows fit into its positions", function=check_positions),
    Check(
        name="logits",
        summary="logits have their shape, gradients are finite",
        function=check_logits,
    ),
    Check(
        name="saving", summary="saved and loaded it gives the same logits", function=check_saving
    ),
    Check(name="seeds", summary="two runs with one seed end alike", function=check_seeds),
    Check(
        name="windows-apart",
        summary="windows do not influence each other",
        function=check_windows_apart,
    ),
    Check(
        name="overfitting", summary="it learns twenty examples by heart", function=check_overfitting
    ),
)
