"""What an ensemble is: its members, and all that decides how their predictions become answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from autoqa.decoding.span_scoring import SpanScoring
from autoqa.ensemble.joining.none_rule import NoneRule
from autoqa.types import Aggregator, Segmentation, VoteBy


@dataclass(frozen=True, slots=True)
class Member:
    """A model of an ensemble.

    Attributes:
        id: The candidate's id.
        group: Members of one group see the same windows, so their logits can be averaged.
        weight: Its seats, above 0.
    """

    id: str
    group: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class EnsemblePlan:
    """An ensemble without its models.

    Attributes:
        members: The models. Of the tie group's members with the most seats, the first settles
            what ``vote-only`` leaves open.
        tie_group: The group with the highest public score; its answer stands where a vote decides
            nothing.
        aggregator: How members are joined, see :mod:`autoqa.ensemble.joining.aggregate`.
        words: What is voted on.
        rules: Names of post-processing rules by language, applied to the joined answers.
        scoring: What decides on the best span, by group; groups without one take the plain sum of
            logits. Of no use with ``characters``, which adds no logits.
        none: When no answer is given; without it every question gets one.
        segmentation: Where answers are cut into the words that are voted on.

    Raises:
        ValueError: There are no members, or ``tie_group`` is none of their groups.
    """

    members: Sequence[Member]
    tie_group: str
    aggregator: Aggregator = "vote"
    words: VoteBy = "set"
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scoring: Mapping[str, SpanScoring] = field(default_factory=dict)
    none: NoneRule | None = None
    segmentation: Segmentation = "words"

    def __post_init__(self) -> None:
        if self.tie_group not in self.groups:
            raise ValueError(
                f"tie group {self.tie_group!r} has no member; the groups are {list(self.groups)}"
            )

    @property
    def groups(self) -> dict[str, list[Member]]:
        """Members by group, groups in the order of their first members."""
        groups: dict[str, list[Member]] = {}
        for member in self.members:
            groups.setdefault(member.group, []).append(member)
        return groups

    def alone(self, member: Member) -> "EnsemblePlan":
        """One member as an ensemble of its own, decoded and post-processed in the same way."""
        return replace(self, members=(member,), tie_group=member.group, none=None)
