"""An augmentation that blanks context tokens."""

import numpy as np
from pydantic import Field

from autoqa.api import Augmentation, AugmentationSpec, Options, TokenBatch


class BlankOptions(Options):
    """Keys of the augmentation's table.

    Attributes:
        rate: Share of the context tokens that is blanked.
    """

    rate: float = Field(default=0.1, ge=0, le=1)


class Blank(Augmentation):
    """Replaces context tokens by the mask token."""

    def __init__(self, rate: float) -> None:
        self.rate = rate

    def mask(self, batch: TokenBatch, rng: np.random.Generator) -> np.ndarray:
        hit = batch.is_context & (rng.random(len(batch.input_ids)) < self.rate)
        return np.where(hit, np.int32(batch.mask_id), batch.input_ids)


def _build(options: BlankOptions) -> Blank:
    return Blank(options.rate)


spec = AugmentationSpec(
    name="example-blank",
    summary="Blanks context tokens",
    options=BlankOptions,
    build=_build,
    api_version=1,
)
