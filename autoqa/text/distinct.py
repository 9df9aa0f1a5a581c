"""Which of many answers are worth giving beside one another."""

from collections import defaultdict

from autoqa.text.words import words


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
