"""Which of many answers are worth giving beside one another."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypeVar

from autoqa.text.words import words

T = TypeVar("T")


class DistinctAnswers:
    """Answers taken one after another: the next neither overlaps with one nor says the same.

    Overlap counts within one document only, the same words everywhere, in any case.
    """

    def __init__(self) -> None:
        self._said: set[tuple[str, ...]] = set()
        self._places: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def take(self, text: str, start: int, end: int, document: int = 0) -> bool:
        """Whether an answer is another one than those that were taken; it is taken then.

        Args:
            text: What it says.
            start: Its first character in the document.
            end: One past its last character.
            document: Number of the document.
        """
        says, places = tuple(words(text)), self._places[document]
        if says in self._said or any(start < last and first < end for first, last in places):
            return False
        self._said.add(says)
        places.append((start, end))
        return True

    def first(
        self, answers: Iterable[T], count: int, place: Callable[[T], tuple[str, int, int, int]]
    ) -> list[T]:
        """Takes the first of some answers that are others than those that were taken.

        Args:
            answers: The answers, best first.
            count: Most that are taken.
            place: Text, start, end and document of one, as :meth:`take` has them.

        Returns:
            Those that were taken.
        """
        return list(islice((answer for answer in answers if self.take(*place(answer))), count))
