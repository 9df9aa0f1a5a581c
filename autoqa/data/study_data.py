"""A study's data: what is trained on, and what is judged on, in folds or not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from autoqa.data.overlap import Leak, Overlap
from autoqa.data.similarity import Likeness, likeness
from autoqa.errors import DataError
from autoqa.types import Example


@dataclass(frozen=True, slots=True)
class Folds:
    """Documents of the validating source that are trained on and judged in turns.

    Attributes:
        source: The validating source.
        fold_of: Number of each document's fold, from 0.
    """

    source: str
    fold_of: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many folds there are."""
        return max(self.fold_of.values()) + 1

    def number(self, example: Example) -> int | None:
        """The fold of an example's document; ``None`` where it is never judged."""
        return self.fold_of.get(example.document)


@dataclass(frozen=True, slots=True)
class StudyData:
    """Everything that a study trains on and is measured on.

    Attributes:
        train: Training examples by source, only sources that the recipe may use.
        public: Validation examples that the search sees.
        private: Validation examples that stay sealed.
        notes: Sentences for people: what was left out, what is doubtful.
        leaks: Rows that were left out of training because of what they share with validation.
        target: The source that others are compared with, where the recipe names one.
        folds: How the public part is dealt into folds; ``None`` where it is not trained on.
    """

    train: dict[str, tuple[Example, ...]]
    public: tuple[Example, ...]
    private: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    leaks: tuple[Leak, ...] = ()
    target: str | None = None
    folds: Folds | None = None
    _judged: dict[tuple[str, str], Likeness] = field(
        default_factory=dict, repr=False, compare=False
    )

    def languages(self, source: str) -> tuple[str, ...]:
        """Languages in which a source has training examples, sorted; none where it has no such."""
        return tuple(sorted({example.language for example in self.train.get(source, ())}))

    def refit(self, source: str, without: Collection[str] = ()) -> "StudyData":
        """The same with the validation examples behind a source's training examples.

        Args:
            source: The one that they come from; it has training examples.
            without: Documents whose validation examples stay out.
        """
        known = set(self.train[source])
        rows = [
            each
            for each in (*self.public, *self.private)
            if each.document not in without and each not in known
        ]
        kept = [each for each in self.train[source] if each.document not in without]
        # What was judged alike depends on the rows.
        return replace(self, train={**self.train, source: (*kept, *rows)}, folds=None, _judged={})

    def without_fold(self, number: int) -> "StudyData":
        """What is trained on to answer a fold: nothing of it, nor what overlaps with it.

        Args:
            number: The fold.

        Returns:
            The data with that fold's questions as the public part.

        Raises:
            ValueError: There are no folds.
            DataError: Nothing of the validating source is left to train on.
        """
        if self.folds is None:
            raise ValueError(f"fold {number} of data without folds")
        name = self.folds.source
        judged = tuple(e for e in self.public if self.folds.number(e) == number)
        train = dict(self.train)
        if name in train:
            rows = [e for e in train[name] if self.folds.number(e) != number]
            leaks = Overlap(judged).find(rows)
            train[name] = tuple(each for row, each in enumerate(rows) if row not in leaks)
            if not train[name]:
                raise DataError(
                    f"validation.folds: without fold {number} sources.{name} has nothing to train "
                    "on; ask for more folds, or add documents."
                )
        return replace(self, train=train, public=judged, folds=None, _judged={})

    def likeness(self, source: str) -> Likeness:
        """How much each training example of a source looks like the target's.

        Judged when it is first asked for: that can take half a minute, and few need it.

        Raises:
            ValueError: There is no target.
            DataError: There are too few examples on either side.
        """
        if self.target is None:
            raise ValueError(f"{source}: similar examples without a target")
        key = source, self.target
        if key not in self._judged:
            self._judged[key] = likeness(self.train[source], self.train[self.target], source)
        return self._judged[key]
