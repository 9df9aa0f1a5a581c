from types import SimpleNamespace

import pytest

from autoqa.data.metric_fit import metric_sentences
from autoqa.types import Answer, Example

ANSWERS = [
    ("ja", "東京都"),
    ("ja", "1964 年"),
    ("th", "กรุงเทพมหานคร"),
    ("hi", "नई दिल्ली"),
    ("ko", "서울"),
]
ROWS = [
    Example(str(number), "?", text, (Answer(text, 0),), language, "d")
    for number, (language, text) in enumerate(ANSWERS)
]


def sentences(metric, rows=ROWS):
    return metric_sentences(SimpleNamespace(validation=SimpleNamespace(metric=metric)), rows)


@pytest.mark.parametrize("metric", ["jaccard", "f1", "em", "squad2"])
def test_languages_without_spaces_are_named_with_the_way_out(metric):
    first, *warnings = sentences(metric)
    assert first == f"metric {metric}: scores and votes count words cut at white space"
    assert warnings == [
        f"metric {metric} is all or nothing in ja: 50% of the answers' characters are of scripts "
        "that put no spaces between words, so that 50% of the answers are one word; [validation] "
        'metric = "mlqa" counts their characters',
        f"metric {metric} is all or nothing in th: 100% of the answers' characters are of scripts "
        "that put no spaces between words, so that 100% of the answers are one word; [validation] "
        'metric = "mlqa" counts their characters',
    ]


@pytest.mark.parametrize("metric", ["mlqa", "character-f1", "anls"])
def test_mixed_segmentation_needs_no_warning(metric):
    assert sentences(metric) == [
        f"metric {metric}: scores and votes count words cut at white space, and each character of "
        "Han, kana, Thai, Lao, Khmer and Myanmar"
    ]


def test_other_languages_need_none():
    assert len(sentences("f1", ROWS[3:])) == len(sentences("f1", [])) == 1
