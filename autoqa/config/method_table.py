"""``[recipe.method]`` of a study file."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticKnownError

from autoqa.config.table import Search, StudyTable
from autoqa.recipes import HEADS, Adversary, Averaging, Head, Loss, Schedule

Samples = Annotated[int, Field(ge=1, le=16)]
Layers = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


def _registered(name: str) -> str:
    """Refuses a head that nobody registered, in the words for any other closed set of values."""
    if name not in HEADS:
        *names, last = map(repr, HEADS)
        raise PydanticKnownError("literal_error", {"expected": f"{', '.join(names)} or {last}"})
    return name


RegisteredHead = Annotated[Head, AfterValidator(_registered)]


class MethodTable(StudyTable):
    """``[recipe.method]``: how recipes are trained; see :class:`autoqa.recipes.Method`.

    Every key takes a value, or a list of values to search; a switch takes ``"search"``.
    """

    schedule: Schedule | tuple[Schedule, ...] = "linear"
    restart: bool | Search = False
    head: RegisteredHead | tuple[RegisteredHead, ...] = "independent"
    loss: Loss | tuple[Loss, ...] = "span"
    dropout_samples: Samples | tuple[Samples, ...] = 1
    averaging: Averaging | tuple[Averaging, ...] = "none"
    adversary: Adversary | tuple[Adversary, ...] = "none"
    adversary_size: Positive | tuple[Positive, ...] = 1.0
    rdrop: NotNegative | tuple[NotNegative, ...] = 0.0
    reinit_layers: Layers | tuple[Layers, ...] = 0
    mlm_epochs: NotNegative | tuple[NotNegative, ...] = 0.0
    mlm_whole_words: bool | Search = False

    later = (
        "adversary",
        "adversary_size",
        "rdrop",
        "reinit_layers",
        "mlm_epochs",
        "mlm_whole_words",
    )
