"""A metric: how far the beginnings of two texts agree."""

from itertools import takewhile

from autoqa.api import MetricSpec


def beginning(prediction: str, reference: str, language: str) -> float:
    """Length of the common beginning, as a share of the longer text; 1 for equal texts."""
    longer = max(len(prediction), len(reference))
    pairs = zip(prediction, reference, strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return common / longer if longer else 1.0


spec = MetricSpec(
    name="example-beginning",
    summary="How far two texts begin alike",
    function=beginning,
    api_version=1,
)
