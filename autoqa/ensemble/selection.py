"""What the selector found, as a value that can be written to a file and read again."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from autoqa.errors import DataError
from autoqa.leaderboard.bootstrap import Comparison, Interval

Rule = Literal["interval", "mean"]
Kind = Literal["single", "best-per-group", "all-equal", "greedy"]

KINDS: tuple[Kind, ...] = ("single", "best-per-group", "all-equal", "greedy")
"""From the simplest to the most complicated."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A chosen candidate.

    Attributes:
        id: The candidate's id.
        group: Its group.
        weight: Its seats, that is its part in the mean of its group's logits.
        reason: Why it was chosen, in a sentence.
    """

    id: str
    group: str
    weight: float
    reason: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the ensembles that were compared.

    Attributes:
        kind: How it was put together.
        members: Seats of its candidates, as (id, seats) pairs.
        best: The group whose answer stands where its vote decides nothing.
        public: Jaccard on the whole public part, which chose its members.
        out_of_bag: Jaccard on questions whose documents had no say in choosing members;
            ``None`` where there are too few documents to leave any out.
        gain: Out-of-bag gain on the best single candidate, ``None`` for that itself.
        allowed: Whether it keeps to seats and recipe cap.
    """

    kind: Kind
    members: tuple[tuple[str, int], ...]
    best: str
    public: Interval
    out_of_bag: float | None
    gain: Comparison | None
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The selector's result.

    Attributes:
        members: The chosen candidates, those of the best group first.
        best: The group whose answer stands where the vote decides nothing.
        chosen: Which of the alternatives it is.
        public: Its Jaccard on the public part.
        rule: The rule that chose.
        by_rule: What each rule would have chosen.
        alternatives: All that were compared, the simplest first.
        verdict: Why this one, in a sentence.
        considered: Ids of all candidates.
        seats: Most members that were allowed.
        recipe_cap: Most seats that were allowed to one recipe.
        seed: Decided the bags.
    """

    members: tuple[Seat, ...]
    best: str
    chosen: Kind
    public: Interval
    rule: Rule
    by_rule: dict[Rule, Kind]
    alternatives: tuple[Alternative, ...]
    verdict: str
    considered: tuple[str, ...]
    seats: int
    recipe_cap: int
    seed: int

    def to_json(self) -> str:
        """The selection as a JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Selection":
        """What :meth:`to_json` wrote.

        Raises:
            DataError: The text is something else.
        """
        try:
            content = json.loads(text)
            content["members"] = tuple(Seat(**seat) for seat in content["members"])
            content["alternatives"] = tuple(map(_alternative, content["alternatives"]))
            content["public"] = Interval(**content["public"])
            content["considered"] = tuple(content["considered"])
            return cls(**content)
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"this is no selection ({error!r:.80}): select again") from error


def _alternative(content: dict[str, Any]) -> Alternative:
    gain = content["gain"]
    changed = {
        "members": tuple((name, seats) for name, seats in content["members"]),
        "public": Interval(**content["public"]),
        "gain": None if gain is None else Comparison(**gain),
    }
    return Alternative(**{**content, **changed})
