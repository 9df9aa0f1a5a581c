import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.scores.metrics import exact_match, f1, normalized_words, score
from autoqa.types import Answer, Example

TEXTS = st.text(st.sampled_from("abत्कி ।.,$THEthe "), max_size=30)


def example(context, *answers, language="hi"):
    return Example(
        id=context,
        question="?",
        context=context,
        answers=tuple(Answer(text, context.index(text)) for text in answers),
        language=language,
        document=context,
    )


def test_normalisation_drops_punctuation_of_every_script_and_english_articles():
    assert normalized_words("The “cat”, an apple; theory") == ["cat", "apple", "theory"]
    assert normalized_words("नई दिल्ली।") == ["नई", "दिल्ली"]
    assert normalized_words("$1,000+") == ["1000"]


def test_f1_counts_repeated_words():
    assert f1("x x y", "x y y") == pytest.approx(2 / 3)
    assert f1("the", "a") == 1
    assert f1("", "x") == 0


@given(TEXTS, TEXTS)
def test_f1_and_exact_match_agree(a, b):
    assert 0 <= f1(a, b) <= 1
    assert f1(a, b) == pytest.approx(f1(b, a))
    if exact_match(a, b):
        assert f1(a, b) == 1
    assert exact_match(a, a) == 1


def test_the_best_reference_counts_per_metric():
    rows = [
        example("पहला दूसरा तीसरा", "पहला", "दूसरा तीसरा"),
        example("other text", language="en"),
        example("one two", "one two", language="en"),
    ]
    scores = score(["दूसरा", "", "One."], rows)
    assert scores.by_metric["jaccard"].tolist() == [0.5, 1.0, 0.0]
    assert scores.by_metric["em"].tolist() == [0, 1, 0]
    assert scores.by_metric["f1"] == pytest.approx([2 / 3, 1, 2 / 3])
    assert scores.by_metric["jaccard"].dtype == np.float64
    assert scores.mean()["jaccard"] == pytest.approx(0.5)
    assert scores.by_language(rows, "jaccard") == {"en": 0.5, "hi": 0.5}


def test_no_questions_and_wrong_counts():
    assert score([], []).mean()["f1"] == 0
    with pytest.raises(ValueError, match="1 predictions for 0 examples"):
        score(["x"], [])
