import numpy as np
from datasets import Dataset

from .practice import n_best_answers


def test_the_likeliest_span_of_all_windows_of_a_question_wins() -> None:
    rows = Dataset.from_list([{"id": "q", "context": "one two three"}])
    features = Dataset.from_list(
        [
            {"example_id": "q", "offset_mapping": [None, [0, 3], [4, 7]]},
            {"example_id": "q", "offset_mapping": [None, [4, 7], [8, 13]]},
        ]
    )
    start = np.array([[9.0, 1.0, 0.0], [9.0, 2.0, 0.0]])
    end = np.array([[9.0, 5.0, 4.0], [9.0, 0.0, 5.0]])
    # The first token stands for no context, (1, 1) scores 6 in the first window, (1, 2) 7 in the
    # second.
    assert n_best_answers(rows, features, (start, end)) == {"q": "two three"}
    # An end before its start is no span.
    end = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, -9.0]])
    start = np.array([[0.0, 0.0, 1.5], [0.0, -9.0, 9.0]])
    assert n_best_answers(rows, features, (start, end)) == {"q": "two"}
