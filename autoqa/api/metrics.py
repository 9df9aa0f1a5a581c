"""The contract of a score that the project does not bring."""

from collections.abc import Callable
from dataclasses import dataclass

from autoqa.api.version import API_VERSION
from autoqa.types import Segmentation


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """A score of a predicted text against one reference.

    Attributes:
        name: How study files name it (``[validation] metric = "..."``): lower-case letters, digits,
            ``_`` and ``-``.
        summary: One line for ``autoqa plugins list``.
        function: Prediction, reference and the question's language (ISO code, may be empty) to a
            score. Pure: the same texts always get the same score.
        low: Lowest value that it takes.
        high: Highest value.
        higher_is_better: Whether the best of several references is the highest value.
        segmentation: Where texts are cut into the words that a study of this metric votes on.
        api_version: The :data:`API_VERSION` that the plugin was written for.
    """

    name: str
    summary: str
    function: Callable[[str, str, str], float]
    low: float = 0.0
    high: float = 1.0
    higher_is_better: bool = True
    segmentation: Segmentation = "words"
    api_version: int = API_VERSION
