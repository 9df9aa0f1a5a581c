"""What is wrong with a metric is found by the check for it, in a sentence."""

import sys
from itertools import count
from typing import Any

import pytest

from autoqa.api import MetricSpec, MissingAssetError
from tests.testing.test_source_checks import failed


def metric(function: Any, **more: Any) -> MetricSpec:
    return MetricSpec(**{"name": "made", "summary": "Made", "function": function} | more)


def equal(prediction: str, reference: str, language: str) -> float:
    return float(prediction == reference)


NUMBERS = count()


@pytest.mark.parametrize(
    "spec, check, sentence",
    [
        (metric(lambda a, b, c: len(a) - len(b)), "bounds", ", outside 0.0 to 1.0"),
        (metric(lambda a, b, c: float("nan")), "bounds", "is nan, not a number"),
        (metric(lambda a, b, c: "good"), "bounds", "is 'good', not a number"),
        (metric(equal, low=1.0, high=0.0), "bounds", "low is 1.0 and high is 0.0; low should be"),
        (metric(lambda a, b, c: 0.5), "equal-texts", "the score is 0.5, and the best is 1.0"),
        (metric(lambda a, b, c: float(a in b)), "symmetry", "the other way round; where that is"),
        (metric(lambda a, b, c: next(NUMBERS) % 2), "determinism", "it is "),
        (metric(lambda a, b, c: float(bool(a) and a == b)), "empty-texts", "for two empty texts"),
        (metric(lambda a, b, c: float(a == b or not a)), "empty-texts", "the score is the best"),
        (metric(lambda a, b, c: len(a.split()[0])), "empty-texts", "IndexError: list index"),
        (metric(equal, name="Made Up"), "name", "names are lower-case letters, digits, _ and -"),
        (metric(equal, name="f1"), "name", "autoqa itself has a metric 'f1'; take another name"),
    ],
)
def test_what_is_wrong_is_found(spec: MetricSpec, check: str, sentence: str) -> None:
    assert sentence in failed(spec, only=check)[check]


def test_a_sound_one_passes() -> None:
    assert failed(metric(equal)) == {}
    wrong = metric(lambda a, b, c: float(a != b), higher_is_better=False)
    assert failed(wrong) == {}


def test_what_checks_need_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(MissingAssetError, match=r"pip install 'autoqa\[testing\]'"):
        failed(metric(equal), only="bounds")
