"""What the selector found, as a value that can be written to a file and read again."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar, get_args

from autoqa.ensemble.choosing.shrinkage import Posterior
from autoqa.errors import DataError, check_choice, check_keys
from autoqa.scores.bootstrap import Comparison, Interval
from autoqa.types import DEFAULT_METRIC

DecisionRule = Literal["interval", "mean", "shrinkage"]
EnsembleKind = Literal[
    "single", "best-per-group", "top-k", "soup", "comparable", "all-equal", "greedy"
]
PickName = Literal["safe", "best"]
Kept = TypeVar("Kept")

ENSEMBLE_KINDS: tuple[EnsembleKind, ...] = (
    "single",
    "best-per-group",
    "top-k",
    "all-equal",
    "greedy",
)
"""What every rule compares, from the simplest to the most complicated."""

WITH_COMPARABLE: tuple[EnsembleKind, ...] = (
    *ENSEMBLE_KINDS[:3],
    "soup",
    "comparable",
    *ENSEMBLE_KINDS[3:],
)
"""What rule ``shrinkage`` compares; the soup only where there is one."""


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
        tie_group: The group whose answer stands where its vote decides nothing.
        public: Score on the whole public part, which chose its members.
        out_of_bag: Score on questions whose documents had no say in choosing members;
            ``None`` where there are too few documents to leave any out.
        gain: Out-of-bag gain on the best single candidate, ``None`` for that itself.
        seconds: Time that all members take for 1,000 questions.
        allowed: Whether it keeps to seats, recipe cap and budget.
        posterior: What rule ``shrinkage`` knows of it, ``None`` under the others.
    """

    kind: EnsembleKind
    members: tuple[tuple[str, int], ...]
    tie_group: str
    public: Interval
    out_of_bag: float | None
    gain: Comparison | None
    seconds: float
    allowed: bool
    posterior: Posterior | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """An ensemble that can be exported.

    Attributes:
        members: The chosen candidates, those of the tie group first.
        tie_group: The group whose answer stands where the vote decides nothing.
        chosen: Which of the alternatives it is.
        public: Its score on the public part.
    """

    members: tuple[Seat, ...]
    tie_group: str
    chosen: EnsembleKind
    public: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Pick):
    """The selector's result. It is itself the safe pick, the one that the rule chose.

    Attributes:
        best_public: The other pick: the alternative with the highest public score, whether or not
            documents without a say confirm it.
        rule: The rule that chose the safe pick.
        by_rule: What each rule would have chosen; ``shrinkage`` only where that is the rule,
            because the others do not look at all that it compares.
        alternatives: All that were compared, the simplest first.
        verdict: Why this one, in a sentence.
        notes: Sentences on who could not be seated.
        considered: Ids of all candidates.
        seats: Most members that were allowed.
        recipe_cap: Most seats that were allowed to one backbone and recipe.
        quota: Fewest seats of each group that the greedy selection seats.
        seconds: Budget for 1,000 questions, ``None`` for any.
        seed: Decided the bags.
        metric: What all scores are of; in the file only where it is not Jaccard.
    """

    best_public: Pick
    rule: DecisionRule
    by_rule: dict[DecisionRule, EnsembleKind]
    alternatives: tuple[Alternative, ...]
    verdict: str
    notes: tuple[str, ...]
    considered: tuple[str, ...]
    seats: int
    recipe_cap: int
    quota: int
    seconds: float | None
    seed: int
    metric: str = DEFAULT_METRIC

    def pick(self, name: PickName) -> Pick:
        """One of the two final picks.

        Raises:
            ConfigError: There is no such pick.
        """
        check_choice("pick", name, get_args(PickName))
        return self if name == "safe" else self.best_public

    def as_dict(self) -> dict[str, Any]:
        """The selection as ``selection.json`` holds it: a tie group's key there is ``best``."""
        content = asdict(self)
        content["best_public"] = _renamed(content["best_public"], "tie_group", "best")
        content["alternatives"] = [
            _renamed(alternative, "tie_group", "best") for alternative in content["alternatives"]
        ]
        for alternative in content["alternatives"]:
            if alternative["posterior"] is None:
                del alternative["posterior"]
        if self.metric == DEFAULT_METRIC:
            del content["metric"]
        return _renamed(content, "tie_group", "best")

    def to_json(self) -> str:
        """The selection as a JSON object."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Selection":
        """What :meth:`to_json` wrote.

        Raises:
            DataError: The text is something else, or of a newer version.
        """
        try:
            content = _pick(json.loads(text))
            content["best_public"] = _known(Pick, _pick(content["best_public"]))
            content["alternatives"] = tuple(map(_alternative, content["alternatives"]))
            content["notes"] = tuple(content["notes"])
            content["considered"] = tuple(content["considered"])
            return _known(cls, content)
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"this is no selection ({error!r:.80}): select again") from error


def _known(kind: type[Kept], content: dict[str, Any]) -> Kept:
    check_keys(kind, content)
    return kind(**content)


def _pick(content: dict[str, Any]) -> dict[str, Any]:
    changed = {
        "members": tuple(_known(Seat, seat) for seat in content["members"]),
        "public": _known(Interval, content["public"]),
    }
    return _renamed({**content, **changed}, "best", "tie_group")


def _alternative(content: dict[str, Any]) -> Alternative:
    gain, posterior = content["gain"], content.get("posterior")
    changed = {
        "members": tuple((name, seats) for name, seats in content["members"]),
        "public": _known(Interval, content["public"]),
        "gain": None if gain is None else _known(Comparison, gain),
        "posterior": None if posterior is None else _known(Posterior, posterior),
    }
    return _known(Alternative, _renamed({**content, **changed}, "best", "tie_group"))


def _renamed(content: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """The same content in the same order, with another name for one key."""
    return {new if key == old else key: value for key, value in content.items()}
