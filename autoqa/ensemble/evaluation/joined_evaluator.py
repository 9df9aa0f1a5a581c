"""Public score of ensembles whose answers must be made to be scored.

Because they are joined in another way than by groups that vote on words, or because the metric
looks at more than what answers consist of.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from autoqa.arrays import Doubles
from autoqa.decoding.decoder import SpanDecoder
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.evaluation.evaluator import Contender, Evaluator, Seats, mean
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.ensemble.joining.evidence import window_evidence
from autoqa.ensemble.joining.own_none import has_both_kinds, own_cut
from autoqa.ensemble.joining.plan import EnsemblePlan, Member
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import get_metric
from autoqa.types import DEFAULT_METRIC, Aggregator, Example, Segmentation, VoteBy

_DECIDED = 1e6
"""Nats that no evidence reaches."""

SHORTLISTED = 5
"""Contenders for one seat whose ensembles are really joined: those with which the groups' vote
scores highest. Joining takes a hundred times as long as counting votes."""


_NEAREST: dict[Segmentation, str] = {"words": "f1", "mixed": "mlqa"}
"""What the shortlist goes by where the metric itself counts no items."""


class JoinedEvaluator(Evaluator):
    """Scores ensembles by the answers that a bundle would give, made one ensemble at a time.

    Args:
        contenders: What ensembles are made of, C of them.
        windows: Windows of all questions by group.
        examples: The questions, Q of them.
        aggregator: How members are joined, see :mod:`autoqa.ensemble.joining.aggregate`.
        words: What is voted on.
        metric: What is scored by.
    """

    def __init__(
        self,
        contenders: Sequence[Contender],
        windows: Mapping[str, WindowsLike],
        examples: Sequence[Example],
        aggregator: Aggregator,
        words: VoteBy,
        metric: str = DEFAULT_METRIC,
    ) -> None:
        self._metric, self._segmentation = metric, get_metric(metric).segmentation
        counted = get_metric(metric).overlap is not None
        nearest = metric if counted else _NEAREST[self._segmentation]
        super().__init__(contenders, windows, examples, nearest)
        self.groups_vote = aggregator == "vote"
        self._windows, self._examples = windows, examples
        self._aggregator, self._voted = aggregator, words
        self._none, self._above = self._own_none()
        everyone = [self._score(group, (i,)) for i, group in enumerate(self.group_of)]
        self.alone = np.array(everyone)

    def _own_none(self) -> tuple[Doubles | None, list[Doubles]]:
        """Score of no answer, and how far each contender's evidence is above its own cut."""
        if not has_both_kinds(self._examples):
            return None, []
        contexts = [example.context for example in self._examples]
        decoders = {group: SpanDecoder(self._windows[group], contexts) for group in self.groups}
        above = []
        for each in self.contenders:
            decoder = decoders[each.group]
            cut = own_cut(decoder, each.logits, self._examples, self._metric) or 0.0
            evidence = window_evidence(decoder.grid, *each.logits, len(contexts))
            above.append(evidence - np.clip(cut, -_DECIDED, _DECIDED))
        return np.array([float(not example.answers) for example in self._examples]), above

    def additions(self, seats: Seats, options: Sequence[int], weights: Doubles) -> Doubles:
        """As for a vote of groups, for the :data:`SHORTLISTED`; minus infinity for the others."""
        means = super().additions(seats, options, weights)
        means[np.argsort(-means, kind="stable")[SHORTLISTED:]] = -np.inf
        for place in np.flatnonzero(np.isfinite(means)).tolist():
            means[place] = mean(self.scores((*seats, options[place]), weights), weights)
        return means

    def _score(self, leader: int, seats: Seats) -> Doubles:
        ordered = sorted(Counter(seats).items(), key=lambda seat: (self.group_of[seat[0]], seat[0]))
        seated = [(self.contenders[i], count) for i, count in ordered]
        plan = EnsemblePlan(
            [Member(each.id, each.group, count) for each, count in seated],
            self.groups[leader],
            self._aggregator,
            self._voted,
            segmentation=self._segmentation,
        )
        answers = aggregate(
            plan,
            {each.id: each.logits for each, _ in seated},
            self._windows,
            [example.context for example in self._examples],
        )
        scores = score_by(self._metric, [span.text for span in answers], self._examples)
        if self._none is None:
            return scores
        return np.where(self._says_none(seats), self._none, scores)

    def _says_none(self, seats: Seats) -> npt.NDArray[np.bool_]:
        """Where the seats' mean evidence is below their cuts, a group counting once."""
        by_group = [
            np.mean([self._above[i] for i in self._only(seats, group)], axis=0)
            for group in self.seated_groups(seats)
        ]
        below: npt.NDArray[np.bool_] = np.mean(by_group, axis=0) < 0
        return below


def make_evaluator(
    contenders: Sequence[Contender],
    windows: Mapping[str, WindowsLike],
    examples: Sequence[Example],
    aggregator: Aggregator,
    words: VoteBy,
    metric: str = DEFAULT_METRIC,
) -> Evaluator:
    """What scores ensembles as a study joins them, the fast way where there is one."""
    if (aggregator, words) == ("vote", "set") and get_metric(metric).overlap is not None:
        return Evaluator(contenders, windows, examples, metric)
    return JoinedEvaluator(contenders, windows, examples, aggregator, words, metric)
