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
_LAST = ("k", "t", "d", "n", "p", "m", "r", "l", "s")


@cache
def language_data(language: str) -> dict[str, Any]:
    """Script, names and sentence templates of a language."""
    text = files("autoqa_sources.demo").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class Names:
    """Makes names out of syllables, each only once.

    Args:
        data: The language's file.
        rng: Where chance comes from.
    """

    def __init__(self, data: dict[str, Any], rng: random.Random) -> None:
        self._data = data
        self._rng = rng
        self._used: set[str] = set()

    def name(self, kind: str) -> str:
        """A name of a town, village, river, college, country, mountain or person."""
        while True:
            made = self._person() if kind == "person" else self._one(kind)
            if made not in self._used:
                self._used.add(made)
                return made

    def value(self, kind: str, taken: set[str]) -> str:
        """An answer to a question of some kind.

        Args:
            kind: A key of :data:`NUMBERS` or :data:`NAMED`, or ``"profession"``.
            taken: Values that its document has already; the new one is added.
        """
        while True:
            made = self._value(kind)
            if made not in taken:
                taken.add(made)
                return made

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
        given, family = self._one("given"), self._rng.choice(names["family"])
        return str(names["person"]).format(given=given, family=family)

    def _one(self, kind: str) -> str:
        return self._stem() + str(self._rng.choice(self._data["names"][kind]))

    def _stem(self) -> str:
        """Consonants and vowels in turn, from a consonant to a consonant."""
        script, rng = self._data["script"], self._rng
        consonants, vowels = script["consonants"], script["vowels"]
        first = rng.choice(list(consonants))
        written = (
            script["initials"].get(first, consonants[first]) + vowels[rng.choice(list(vowels))]
        )
        if rng.random() < 0.8:
            written += consonants[rng.choice(list(consonants))] + vowels[rng.choice(list(vowels))]
        return str(written + consonants[rng.choice(_LAST)])
