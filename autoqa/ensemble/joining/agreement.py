"""How far the members of an ensemble say what the ensemble says."""

from collections.abc import Mapping, Sequence

import numpy as np

from autoqa.arrays import Doubles, LogitPair
from autoqa.decoding.decoder import SpanDecoder
from autoqa.decoding.span_search import WindowsLike
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.text.words import jaccard
from autoqa.types import Span


def agreement(
    plan: EnsemblePlan,
    logits: Mapping[str, LogitPair],
    windows: Mapping[str, WindowsLike],
    contexts: Sequence[str],
    joint: Sequence[Span],
) -> Doubles:
    """Mean Jaccard of the members' own answers with the joint one, by seats.

    Of words as the ensemble votes on them: answers in scripts without spaces would be the same or
    have nothing in common otherwise.

    Args:
        plan: The ensemble.
        logits: Start and end logits by member id.
        windows: Windows of all questions by group.
        contexts: Context of each question.
        joint: The ensemble's answers before post-processing.

    Returns:
        float64 ``[Q]``, 0 to 1; 1 where the ensemble is one model.

    Raises:
        DataError: Logits are not numbers, or were made for other windows.
    """
    if len(plan.members) == 1:
        return np.ones(len(contexts))
    total = np.zeros(len(contexts))
    for group, members in plan.groups.items():
        decoder = SpanDecoder(windows[group], contexts)
        for member in members:
            own = decoder.best(*logits[member.id], plan.scoring.get(group))
            same = [
                jaccard(a.text, b.text, plan.segmentation) for a, b in zip(own, joint, strict=True)
            ]
            total += member.weight * np.array(same)
    return np.minimum(1.0, total / sum(member.weight for member in plan.members))
