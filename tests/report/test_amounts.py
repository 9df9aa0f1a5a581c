"""Amounts in words."""

from autoqa.report.amounts import count


def test_one_is_not_a_plural() -> None:
    assert [count(number, "model") for number in (0, 1, 1200)] == [
        "0 models",
        "1 model",
        "1,200 models",
    ]
