"""What the model of a backbone has to do that generates answers."""

from functools import partial

import numpy as np

from autoqa.features.select import take
from autoqa.features.windows import Windows
from autoqa.testing.backbone_checks import BackboneSubject
from autoqa.testing.check import Check, require
from autoqa.testing.span_model_checks import APART, SPAN_MODEL_CHECKS, trainable, windows_of


def check_windows_apart(backbone: BackboneSubject) -> None:
    """What a window's best answer and none are worth does not depend on its neighbours."""
    from autoqa.modeling.forward import predict

    model, windows = trainable(backbone), windows_of(backbone)
    model.eval()
    ask = partial(predict, model, precision="fp32")
    together = _worth(np.stack(ask(windows)), windows)
    parts = [take(windows, [number]) for number in range(len(windows))]
    alone = np.concatenate([_worth(np.stack(ask(part)), part) for part in parts], axis=1)
    gap, reach = float(np.abs(together - alone).max()), float(np.ptp(together))
    require(
        gap <= APART * max(reach, 1e-3),
        f"beside others a window's best answer has another log-probability than alone, by up to "
        f"{gap:.2g} of a range of {reach:.2g}",
    )


def _worth(logits: np.ndarray, windows: Windows) -> np.ndarray:
    """Logits of no answer, of the best start and of the best end, ``[3, W]``.

    Which texts are come across that are hardly ever generated depends on rounding, so of other
    tokens nothing is asked.
    """
    first = windows.bounds[:-1]
    rest = logits.copy()
    rest[:, first] = -np.inf
    return np.concatenate([logits[:1, first], np.maximum.reduceat(rest, first, axis=1)])


TEXT_MODEL_CHECKS = (
    *(check for check in SPAN_MODEL_CHECKS if check.name not in ("windows-apart", "overfitting")),
    Check(
        name="windows-apart",
        summary="windows do not influence each other",
        function=check_windows_apart,
    ),
    *(check for check in SPAN_MODEL_CHECKS if check.name == "overfitting"),
)
