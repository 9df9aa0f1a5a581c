"""The metric passes the checks of all metrics."""

from autoqa_plugin_scores import spec

from autoqa.testing.cases import MetricCase


class TestBeginning(MetricCase):
    spec = spec


def test_half_a_text_is_half_a_point() -> None:
    assert spec.function("1947", "19", "en") == 0.5
