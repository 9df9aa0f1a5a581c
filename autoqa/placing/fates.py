"""What became of rows that did not fit, told to people."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

_SHOWN = 3
"""Rows of each kind that are shown in full."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one row that did not fit.

    Attributes:
        where: Its file and line.
        id: Its id.
        done: Whether it was repaired or dropped.
        kinds: What was wrong, or what was done to mend it.
        sentence: What was expected, what was found, and what was done.
    """

    where: str
    id: str
    done: Literal["repaired", "dropped"]
    kinds: tuple[str, ...]
    sentence: str


@dataclass
class Fates:
    """What became of a source's rows.

    Attributes:
        rows: Rows that did not fit: those that cannot be used, those that cannot be placed,
            and those that were repaired.
        single: Answers without an offset that occur once.
        decided: Confidence of those that occur several times and that the text around them placed.
        skipped: Rows in languages that are not wanted, by language.
        total: Rows in wanted languages, or in none that is known.
    """

    rows: list[Fate] = field(default_factory=list)
    single: int = 0
    decided: list[float] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    total: int = 0

    def count(self, done: str) -> int:
        """Rows that were repaired, or dropped."""
        return sum(fate.done == done for fate in self.rows)

    def kinds(self, done: str) -> Counter[str]:
        """How often each kind occurs among rows that were repaired, or dropped."""
        return Counter(kind for fate in self.rows if fate.done == done for kind in fate.kinds)

    def notes(self, name: str, unsure: float) -> list[str]:
        """Sentences for a study's notes: counts, and some rows of each kind.

        Args:
            name: What the rows are called: a path or a data set's id.
            unsure: Confidence below which placed answers are counted apart.
        """
        notes = []
        for done in ("repaired", "dropped"):
            if self.count(done):
                notes.append(f"{name}: rows {done}: {self.count(done)}; {self.listed(done)}.")
                notes += self._shown(done)
        if self.single or self.decided:
            notes.append(f"{name}: {self._without_offset(unsure)}.")
        return notes

    def listed(self, done: str) -> str:
        """The kinds with their counts, as a part of a sentence."""
        return ", ".join(f"{kind}: {count}" for kind, count in self.kinds(done).most_common())

    def _shown(self, done: str) -> list[str]:
        shown: Counter[tuple[str, ...]] = Counter()
        sentences = []
        for fate in self.rows:
            if fate.done == done and shown[fate.kinds] < _SHOWN:
                shown[fate.kinds] += 1
                sentences.append(f"{fate.where}: {fate.sentence}")
        return sentences

    def _without_offset(self, unsure: float) -> str:
        parts = []
        if self.single:
            parts.append(f"{self.single} answers without a start occur once")
        if self.decided:
            below = sum(confidence < unsure for confidence in self.decided)
            parts.append(
                f"{len(self.decided)} answers without a start that occur several times were "
                f"placed by the text around them; {below} with confidence below {unsure:.2g}"
            )
        return "; ".join(parts)
