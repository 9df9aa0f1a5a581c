"""Properties that hold for all inputs, tried by Hypothesis without a test runner."""

from collections.abc import Callable
from typing import Any

from autoqa.api import MissingAssetError


class KitIncompleteError(MissingAssetError):
    """A package that checks need is not installed; says nothing of the plugin."""


_EXAMPLES = 100


def for_all(strategy: Any, holds: Callable[[Any], None]) -> None:
    """Tries a property; what breaks it is made as small as can be before it is raised.

    The same inputs are tried each time, and nothing is kept on disk.

    Args:
        strategy: What Hypothesis draws inputs by.
        holds: Raises CheckFailedError for an input that breaks the property.

    Raises:
        KitIncompleteError: Hypothesis is not installed.
    """
    hypothesis = _hypothesis()
    tried = hypothesis.given(strategy)(holds)
    hypothesis.settings(
        max_examples=_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )(tried)()


def texts(count: int) -> Any:
    """Draws ``count`` texts of a few words, many of which they have in common."""
    some = _hypothesis().strategies
    words = some.sampled_from(
        ["a", "the", "New", "York", "1,947", "नदी", "२७", "市场", "e\u0301", "!"]
    )
    phrase = some.lists(words, max_size=4).map(" ".join)
    return some.tuples(*[phrase | some.text(max_size=8)] * count)


def numbers(*bounds: tuple[int, int]) -> Any:
    """Draws whole numbers, each within its bounds."""
    some = _hypothesis().strategies
    return some.tuples(*(some.integers(low, high) for low, high in bounds))


def _hypothesis() -> Any:
    try:
        import hypothesis
        import hypothesis.strategies
    except ModuleNotFoundError as error:
        raise KitIncompleteError(
            "augmentations and metrics are checked with the package hypothesis, which is not "
            "installed; get it with: pip install 'autoqa[testing]'"
        ) from error
    return hypothesis
