"""A recipe as the ordered batches of one run.

Everything random is drawn from generators seeded by (run seed, stage, portion, pass), so a run's
batches do not depend on how fast anything else was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from autoqa.api import Augmentation
from autoqa.data.portions import draw
from autoqa.data.prepare import StudyData
from autoqa.errors import DataError, PluginError
from autoqa.features.cut import Plan, cut
from autoqa.features.encode import encode
from autoqa.features.select import concatenate, drop_negatives, take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.packing import context_tokens, tokens_between
from autoqa.types import Stage


@dataclass(frozen=True, slots=True)
class PreparedStage:
    """A stage's windows in the order they are trained on, and what is done to each batch."""

    windows: Windows
    augmentations: tuple[Augmentation, ...]
    rng: np.random.Generator
    tokenizer: QATokenizer

    def batches(self, size: int) -> Iterator[Windows]:
        """Effective batches of ``size`` windows; the last one may be smaller."""
        for begin in range(0, len(self.windows), size):
            rows = np.arange(begin, min(begin + size, len(self.windows)))
            yield self._augmented(take(self.windows, rows))

    def _augmented(self, windows: Windows) -> Windows:
        maskers = [a for a in self.augmentations if type(a).mask is not Augmentation.mask]
        if not maskers:
            return windows
        is_context, is_answer = context_tokens(windows), answer_tokens(windows)
        ids = windows.input_ids
        for masker in maskers:
            ids = masker.mask(ids, is_context, is_answer, self.tokenizer.mask_id, self.rng)
        return replace(windows, input_ids=ids)


def answer_tokens(windows: Windows) -> npt.NDArray[np.bool_]:
    """Which tokens belong to a labelled answer, bool ``[T]``."""
    first, last = windows.label.T
    return tokens_between(windows, first, np.where(windows.answerable, last + 1, first))


def prepare_stage(
    stage: Stage,
    augmentations: list[Augmentation],
    data: StudyData,
    tokenizer: QATokenizer,
    *,
    epochs: float,
    seed: tuple[int, ...],
) -> PreparedStage:
    """Draws, encodes, cuts and shuffles one stage.

    Raises:
        DataError: Nothing is left of the stage.
        PluginError: Two augmentations want to cut the windows.
    """
    parts = []
    plan = _only_plan(augmentations)
    for number, portion in enumerate(stage.portions):
        for turn in range(int(np.ceil(epochs))):
            rng = np.random.default_rng([*seed, number, turn])
            taken = replace(portion, share=portion.share * min(1.0, epochs - turn))
            examples = draw(data.train[portion.source], taken, rng)
            encoded = encode(tokenizer, examples)
            # A question that fills the window by itself has nothing to teach at this length.
            fits = np.flatnonzero(encoded.room(stage.length) > stage.stride)
            windows = cut(encoded.take(fits), stage.length, stage.stride, plan=plan, rng=rng)
            parts.append(drop_negatives(windows, portion.negatives, rng))
    windows = concatenate(parts)
    if not len(windows):
        names = ", ".join(p.source for p in stage.portions)
        raise DataError(
            f"A stage of {names} at {stage.length} tokens selects no window to train on; raise a "
            f"share, keep more negatives or allow more languages."
        )
    rng = np.random.default_rng([*seed, len(stage.portions)])
    return PreparedStage(
        take(windows, rng.permutation(len(windows))), tuple(augmentations), rng, tokenizer
    )


def _only_plan(augmentations: list[Augmentation]) -> Plan | None:
    plans = [a for a in augmentations if type(a).plan is not Augmentation.plan]
    if len(plans) > 1:
        names = " and ".join(type(a).__name__ for a in plans)
        raise PluginError(f"{names} both cut the windows of one stage; a recipe can have one.")
    return plans[0].plan if plans else None


def count_steps(stages: list[PreparedStage], batch_size: int) -> int:
    """Optimizer steps of a whole run."""
    return sum(-(-len(stage.windows) // batch_size) for stage in stages)
