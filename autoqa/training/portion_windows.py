"""One portion's windows: drawn, changed by augmentations, cut, thinned out and labelled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np

from autoqa.api import Augmentation
from autoqa.arrays import Indices
from autoqa.data.study_data import StudyData
from autoqa.features.cut import Plan, find_cuts, gather
from autoqa.features.encode import Encoded, encode
from autoqa.features.questions import shortened
from autoqa.features.select import kept_rows
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.recipes import Portion, PortionSize, Stage
from autoqa.training.references import Labelling, References, labelled, single_answers
from autoqa.training.row_augmentation import augmented_rows
from autoqa.types import Example, ProgressCallback

Turns = Iterable[tuple[Indices, np.random.Generator]]
"""What each pass draws; see :func:`autoqa.data.portions.turns`."""


@dataclass(slots=True)
class PortionWindows:
    """What all passes over a portion came to.

    Attributes:
        source: Name of the portion's source.
        drawn: Windows of rows as they are; ``example`` is a row of the source's examples.
        changed: Windows of what augmentations made; ``example`` is a place in ``made``.
        made: What they made, one pass behind another.
        rows: Rows drawn, repetitions counted.
        unchanged: How many of them augmentations left as they are; ``None`` where none was asked.
        shortened: Questions that stand in their windows without their end.
    """

    source: str
    drawn: list[Windows] = field(default_factory=list)
    changed: list[Windows] = field(default_factory=list)
    made: list[Example] = field(default_factory=list)
    rows: int = 0
    unchanged: int | None = None
    shortened: int = 0

    @property
    def size(self) -> PortionSize:
        """How much there is, for the recipe card."""
        parts = [*self.drawn, *self.changed]
        return PortionSize(
            source=self.source,
            rows=self.rows,
            windows=sum(map(len, parts)),
            answered=sum(int(part.answerable.sum()) for part in parts),
            tokens=sum(len(part.input_ids) for part in parts),
            unchanged=self.unchanged,
            made=len(self.made),
        )


@dataclass(frozen=True, slots=True)
class PortionCutter:
    """Cuts what a portion draws.

    Attributes:
        stage: Says how long windows are.
        portion: Says which of them are kept.
        tokenizer: Encodes what augmentations make.
        plan: How contexts are cut, where that is not the regular way.
        changers: Augmentations that change rows, in their order.
        labelling: What rows with several answers teach; ``None`` for their first answer.
        seed: Run seed.
        progress: Called where an augmentation takes long.
    """

    stage: Stage
    portion: Portion
    tokenizer: QATokenizer
    plan: Plan | None
    changers: Sequence[Augmentation]
    labelling: Labelling | None
    seed: int
    progress: ProgressCallback

    def windows(self, data: StudyData, pool: Encoded, turns: Turns) -> PortionWindows:
        """The windows of all passes.

        Args:
            data: The study's training examples.
            pool: Those of the portion's source, encoded.
            turns: What each pass draws.
        """
        source = self.portion.source
        found = PortionWindows(source)
        seen, long = np.zeros(len(pool), bool), set[tuple[str, str]]()
        references = None if self.labelling is None else self.labelling.references(source)
        for rows, rng in turns:
            found.rows += len(rows)
            made: tuple[Example, ...] = ()
            if self.changers:
                augmented = augmented_rows(self.changers, data, source, rows, rng, self.progress)
                rows, made = augmented.rows, augmented.made
                found.unchanged = (found.unchanged or 0) + len(rows)
            seen[rows] = True
            found.drawn.append(self._kept(pool.take(rows), rows, references, rng))
            if made:
                encoded = encode(self.tokenizer, made)
                places = np.arange(len(made))
                windows = self._kept(encoded, places, self._references(made), rng)
                before = np.int32(len(found.made))
                found.changed.append(replace(windows, example=windows.example + before))
                found.made += made
                long |= {(made[row].id, made[row].question) for row in self._long(encoded).tolist()}
        found.shortened = len(self._long(pool.take(np.flatnonzero(seen)))) + len(long)
        return found

    def _long(self, encoded: Encoded) -> Indices:
        return shortened(encoded, self.stage.length, self.stage.stride)

    def _references(self, made: Sequence[Example]) -> References | None:
        if self.labelling is None:
            return None
        rows, single = single_answers(made)
        return References.of(rows, encode(self.tokenizer, single))

    def _kept(
        self,
        examples: Encoded,
        rows: Indices,
        references: References | None,
        rng: np.random.Generator,
    ) -> Windows:
        """The windows of some rows that are trained on; their ``example`` is one of the rows."""
        portion = self.portion
        cuts = find_cuts(examples, self.stage.length, self.stage.stride, plan=self.plan, rng=rng)
        if self.labelling is None or references is None:
            windows = gather(
                examples, cuts.take(kept_rows(cuts.answerable, portion.negatives, rng))
            )
            return replace(windows, example=rows[windows.example].astype(np.int32))
        windows, place = labelled(
            examples,
            cuts,
            rows,
            references,
            self.labelling.choice,
            negatives=portion.negatives,
            seed=(self.seed, crc32(portion.source.encode())),
            rng=rng,
        )
        return replace(windows, example=rows[place].astype(np.int32))
