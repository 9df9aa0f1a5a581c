"""Names and numbers that no other document of the corpus has."""

import random
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

# (Lowest, highest) number of each kind, both possible.
NUMBERS = {
    "year": (1700, 1989),
    "schools": (8, 95),
    "students": (120, 4900),
    "provinces": (4, 40),
    "books": (5, 60),
    "height": (900, 7900),
}
# Which names answer which kind of question.
NAMED = {
    "river": "river",
    "founder": "person",
    "climber": "person",
    "city": "town",
    "capital": "town",
    "birthplace": "village",
}

# Sounds that a stem may end in, so that every ending of every language can follow.
_STEM_ENDS = ("k", "t", "d", "n", "p", "m", "r", "l", "s")


@cache
def language_data(language: str) -> dict[str, Any]:
    """Script, names and sentence templates of a language."""
    text = files("autoqa_sources.demo").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class Names:
    """Makes names out of syllables, each only once.

    Args:
        data: The language's file.
        rng: Source of randomness.
    """

    def __init__(self, data: dict[str, Any], rng: random.Random) -> None:
        self._data = data
        self._rng = rng
        self._used: set[str] = set()

    def name(self, kind: str) -> str:
        """A name of a town, village, river, college, country, mountain or person."""
        while True:
            name = self._person() if kind == "person" else self._simple_name(kind)
            if name not in self._used:
                self._used.add(name)
                return name

    def value(self, kind: str, taken: set[str]) -> str:
        """An answer to a question of some kind.

        Args:
            kind: A key of :data:`NUMBERS` or :data:`NAMED`, or ``"profession"``.
            taken: Values that its document has already; the new one is added.
        """
        while True:
            value = self._value(kind)
            if value not in taken:
                taken.add(value)
                return value

    def _value(self, kind: str) -> str:
        if kind in NAMED:
            return self.name(NAMED[kind])
        if kind in NUMBERS:
            number = str(self._rng.randint(*NUMBERS[kind]))
            digits = number.translate(str.maketrans("0123456789", self._data["digits"]))
            return str(self._data["values"][kind]).format(n=digits)
        return str(self._rng.choice(self._data["values"][kind]))

    def _person(self) -> str:
        names = self._data["names"]
        given, family = self._simple_name("given"), self._rng.choice(names["family"])
        return str(names["person"]).format(given=given, family=family)

    def _simple_name(self, kind: str) -> str:
        return self._stem() + str(self._rng.choice(self._data["names"][kind]))

    def _stem(self) -> str:
        """Consonants and vowels in turn, from a consonant to a consonant."""
        script, rng = self._data["script"], self._rng
        consonants, vowels = script["consonants"], script["vowels"]
        initial = rng.choice(list(consonants))
        stem = (
            script["initials"].get(initial, consonants[initial]) + vowels[rng.choice(list(vowels))]
        )
        if rng.random() < 0.8:
            stem += consonants[rng.choice(list(consonants))] + vowels[rng.choice(list(vowels))]
        return str(stem + consonants[rng.choice(_STEM_ENDS)])
