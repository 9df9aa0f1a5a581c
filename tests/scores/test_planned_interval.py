import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.scores.planned_interval import (
    DOCUMENT_CORRELATION,
    QUESTION_DEVIATION,
    expected_half_width,
)


def test_four_hundred_questions_about_many_documents_give_four_hundredths():
    assert expected_half_width(400, 400) == pytest.approx(0.042, abs=0.001)
    assert expected_half_width(400, 100) == pytest.approx(0.046, abs=0.001)


@pytest.mark.parametrize("questions, documents", [(400, 20), (60, 6), (300, 100)])
def test_holds_the_mean_about_95_times_in_100(questions, documents):
    rng = np.random.default_rng(0)
    each = questions // documents
    shared = rng.normal(0, QUESTION_DEVIATION * math.sqrt(DOCUMENT_CORRELATION), (4000, documents))
    single = rng.normal(
        0, QUESTION_DEVIATION * math.sqrt(1 - DOCUMENT_CORRELATION), (4000, documents, each)
    )
    means = (shared + single.mean(axis=2)).mean(axis=1)
    held = float((abs(means) <= expected_half_width(questions, documents)).mean())
    assert 0.94 <= held <= 0.995  # few documents get the wider interval of Student's t


@given(st.integers(2, 500), st.integers(1, 20))
def test_more_questions_or_documents_never_widen_it(documents, each):
    now = expected_half_width(documents * each, documents)
    assert 0 < now <= 1
    assert expected_half_width((documents + 1) * each, documents + 1) <= now
    assert expected_half_width(documents * (each + 1), documents) <= now
