"""A recipe as the ordered batches of one run.

Everything random is drawn from generators seeded by (run seed, stage, what is drawn), never from
one that went through earlier batches: batches do not depend on how fast anything else was, and a
run that goes on in the middle sees what the uninterrupted one would have seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from autoqa.api import Augmentation, TokenBatch
from autoqa.data.portions import turns
from autoqa.data.study_data import StudyData
from autoqa.errors import DataError, PluginError
from autoqa.features.cut import Plan
from autoqa.features.encode import Encoded
from autoqa.features.select import concatenate, take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.packing import context_tokens, tokens_between
from autoqa.recipes import PortionSize, Stage
from autoqa.training.portion_windows import PortionCutter, PortionWindows
from autoqa.training.references import Labelling
from autoqa.training.row_augmentation import row_changers
from autoqa.types import Example, ProgressCallback

_CHUNK = 32
"""Batches whose windows are sorted by length together: padding is low from a dozen on, and what
is seen together is still a matter of chance."""


@dataclass(frozen=True, slots=True)
class PreparedStage:
    """A stage's windows in random order, and what is done to each batch.

    Attributes:
        windows: All windows of the stage; ``example`` counts through the training examples of the
            portions' sources, one portion's behind another's, and then through ``made``.
        portions: Where they come from, in the stage's order.
        augmentations: Applied to each batch.
        tokenizer: Knows what masks a token.
        seed: Run seed and number of the stage, followed by a number that no portion has.
        similar_lengths: Whether a batch holds windows of similar length, which saves padding.
        shortened: Questions that stand in their windows without their end.
        made: Examples that augmentations made of rows.
    """

    windows: Windows
    portions: tuple[PortionSize, ...]
    augmentations: tuple[Augmentation, ...]
    tokenizer: QATokenizer
    seed: tuple[int, ...]
    similar_lengths: bool = False
    shortened: int = 0
    made: tuple[Example, ...] = ()

    @property
    def maskers(self) -> tuple[Augmentation, ...]:
        """The augmentations that change tokens, differently in every batch."""
        return tuple(a for a in self.augmentations if type(a).mask is not Augmentation.mask)

    @property
    def never_again(self) -> bool:
        """Whether no other pass or run is likely to see the same windows."""
        return bool(self.maskers or self.made)

    def steps(self, size: int) -> int:
        """Effective batches of ``size`` windows in the stage."""
        return -(-len(self.windows) // size)

    def batches(self, size: int, begin: int = 0) -> Iterator[Windows]:
        """Effective batches in order; one of them may be smaller.

        Args:
            size: Windows in a batch.
            begin: Batches that are left out, such as those a run has seen already.
        """
        rows = self._rows(size)
        for number in range(begin, len(rows)):
            yield self._augmented(take(self.windows, rows[number]), number)

    def _rows(self, size: int) -> list[npt.NDArray[np.int64]]:
        """The windows of each batch."""
        order = np.arange(len(self.windows))
        if self.similar_lengths:
            lengths = self.windows.lengths
            chunks = [order[at : at + _CHUNK * size] for at in range(0, len(order), _CHUNK * size)]
            order = np.concatenate([c[np.argsort(lengths[c], kind="stable")] for c in chunks])
        rows = [order[at : at + size] for at in range(0, len(order), size)]
        if self.similar_lengths:
            turn = np.random.default_rng(self.seed).permutation(len(rows))
            rows = [rows[number] for number in turn.tolist()]
        return rows

    def _augmented(self, windows: Windows, number: int) -> Windows:
        if not self.maskers:
            return windows
        rng = np.random.default_rng([*self.seed, number])
        batch = TokenBatch(
            input_ids=windows.input_ids,
            is_context=context_tokens(windows),
            is_answer=answer_tokens(windows),
            starts_word=windows.starts_word,
            mask_id=self.tokenizer.mask_id,
        )
        for masker in self.maskers:
            ids = masker.mask(batch, rng)
            if ids.shape != batch.input_ids.shape:
                raise PluginError(
                    f"{type(masker).__name__} made {ids.shape} of {len(batch.input_ids)} tokens; "
                    f"report it to the plugin's author or take it out of the recipe."
                )
            batch = replace(batch, input_ids=ids)
        return replace(windows, input_ids=batch.input_ids, unhidden=windows.input_ids)


Teach = Callable[[list[PreparedStage]], list[PreparedStage]]
"""Given the stages of a run, gives those to train on."""


def answer_tokens(windows: Windows) -> npt.NDArray[np.bool_]:
    """Which tokens belong to a labelled answer, bool ``[T]``."""
    first, last = windows.label.T
    return tokens_between(windows, first, np.where(windows.answerable, last + 1, first))


def prepare_stage(
    stage: Stage,
    augmentations: list[Augmentation],
    data: StudyData,
    encoded: Callable[[str], Encoded],
    tokenizer: QATokenizer,
    *,
    epochs: float,
    seed: tuple[int, int],
    similar_lengths: bool = False,
    labelling: Labelling | None = None,
    progress: ProgressCallback = lambda _done, _total: None,
) -> PreparedStage:
    """Draws, cuts and shuffles one stage.

    Args:
        stage: What to train on.
        augmentations: What the stage's names stand for.
        data: The study's training examples.
        encoded: Name of a source to all of its training examples, encoded.
        tokenizer: What they were encoded with.
        epochs: Passes over each portion; each draws its share anew.
        seed: Run seed and number of the stage.
        similar_lengths: Put windows of similar length into one batch; for models that pad.
        labelling: What rows with several answers teach; left out, their first answer.
        progress: Called where an augmentation takes long.

    Raises:
        ConfigError: Windows of this length and stride have no room for question and context.
        DataError: Nothing is left of the stage.
        PluginError: Two augmentations want to cut the windows, or one breaks rows.
    """
    plan, changers = _only_plan(augmentations), row_changers(augmentations)
    pools = [encoded(portion.source) for portion in stage.portions]
    parts: list[Windows] = []
    portions: list[PortionWindows] = []
    base, behind = 0, sum(map(len, pools))
    for number, (portion, pool) in enumerate(zip(stage.portions, pools, strict=True)):
        how = stage, portion, tokenizer, plan, changers, labelling, seed[0], progress
        cutter = PortionCutter(*how)
        found = cutter.windows(data, pool, turns(data, portion, epochs, (*seed, number)))
        parts += [_counted_from(base, windows) for windows in found.drawn]
        parts += [_counted_from(behind, windows) for windows in found.changed]
        portions.append(found)
        base, behind = base + len(pool), behind + len(found.made)
    windows = _joined(parts, stage)
    order = np.random.default_rng((*seed, len(stage.portions))).permutation(len(windows))
    return PreparedStage(
        windows=take(windows, order),
        portions=tuple(found.size for found in portions),
        augmentations=tuple(augmentations),
        tokenizer=tokenizer,
        seed=(*seed, len(stage.portions) + 1),
        similar_lengths=similar_lengths,
        shortened=sum(found.shortened for found in portions),
        made=tuple(example for found in portions for example in found.made),
    )


def _counted_from(first: int, windows: Windows) -> Windows:
    """The windows of examples that stand behind others."""
    return replace(windows, example=windows.example + np.int32(first))


def _joined(parts: list[Windows], stage: Stage) -> Windows:
    windows = concatenate(parts)
    if not len(windows):
        names = ", ".join(portion.source for portion in stage.portions)
        raise DataError(
            f"A stage of {names} at {stage.length} tokens selects no window to train on; raise a "
            "share, keep more negatives or allow more languages."
        )
    return windows


def long_questions(
    stages: Sequence[Stage], prepared: Sequence[PreparedStage], validation: tuple[int, int]
) -> list[str]:
    """Sentences on questions that are not read to their end.

    Args:
        stages: The run's stages.
        prepared: What became of them.
        validation: How many there are among the validation questions, and the length of windows.
    """
    numbered = enumerate(zip(stages, prepared, strict=True), start=1)
    counts = [(f"stage {n}", made.shortened, stage.length) for n, (stage, made) in numbered]
    return [
        f"{where}: {count:,} question{'s' * (count > 1)} too long for windows of {length} tokens, "
        "cut to the beginning"
        for where, count, length in [*counts, ("validation", *validation)]
        if count
    ]


def _only_plan(augmentations: list[Augmentation]) -> Plan | None:
    plans = [a for a in augmentations if type(a).plan is not Augmentation.plan]
    if len(plans) > 1:
        names = " and ".join(type(a).__name__ for a in plans)
        raise PluginError(f"{names} both cut the windows of one stage; a recipe can have one.")
    return plans[0].plan if plans else None
