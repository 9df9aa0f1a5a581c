"""Documents that are not sealed are trained on and judged in turns."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.api import DataError
from autoqa.config import load_study
from autoqa.data.prepare import prepare_data
from autoqa.data.study_data import Folds, StudyData
from autoqa.errors import ConfigError
from autoqa.searching.setup import fingerprint
from tests.data.stand_in import bind, example

STUDY = """
name = "folds"
[sources.hi]
type = "file"
path = "hi.jsonl"
[backbones.e5]
type = "e5-small"
[recipe]
portions = [{ source = "hi" }]
[validation]
source = "hi"
share = 0.3
"""


@given(st.lists(st.integers(1, 4), min_size=10, max_size=40), st.integers(2, 5))
@settings(max_examples=30, deadline=None)
def test_every_open_document_is_judged_once_and_no_sealed_one(sizes: list[int], count: int) -> None:
    rows = [
        example(100 * d + i, document=f"d{d}") for d, size in enumerate(sizes) for i in range(size)
    ]
    held = {"source": "hi", "share": 0.4, "public": 0.5}
    portions = [{"source": "hi"}, {"source": "en"}]
    sources = {"hi": rows, "en": [example(9999, prefix="other", language="en")]}
    plain = prepare_data(bind(sources, held, portions))
    data = prepare_data(bind(sources, {**held, "folds": count}, portions))
    assert data.private == plain.private
    assert {e.id for e in data.public} == {e.id for e in (*plain.public, *plain.train["hi"])}
    assert set(data.train["hi"]) == set(data.public)
    assert data.folds is not None
    assert data.folds.count == count
    judged = [data.without_fold(number) for number in range(count)]
    assert sorted(each.id for fold in judged for each in fold.public) == sorted(
        each.id for each in data.public
    )
    for fold in judged:
        assert not {e.document for e in fold.train["hi"]} & {e.document for e in fold.public}
        assert fold.train["en"] == data.train["en"]
        assert fold.private == data.private


def test_a_refit_of_a_study_in_folds_adds_what_is_sealed() -> None:
    rows = [example(i, document=f"d{i}") for i in range(12)]
    data = prepare_data(bind({"hi": rows}, {"source": "hi", "share": 0.5, "folds": 3}))
    refitted = data.refit("hi", without=["d3"])
    assert {e.document for e in refitted.train["hi"]} == {f"d{i}" for i in range(12) if i != 3}
    assert refitted.folds is None


def test_what_overlaps_with_a_fold_is_not_trained_on_for_it() -> None:
    rows = [example(i, document=f"d{i}") for i in range(4)]
    twin = replace(rows[0], id="twin", document="d3")
    data = StudyData(
        {"hi": (*rows, twin)},
        (*rows, twin),
        (),
        folds=Folds("hi", {"d0": 0, "d1": 1, "d2": 2, "d3": 1}),
    )
    assert twin not in data.without_fold(0).train["hi"]
    assert twin in data.without_fold(1).public


def test_more_folds_than_documents_are_refused() -> None:
    rows = [example(i, document=f"d{i}") for i in range(10)]
    held = {"source": "hi", "share": 0.4, "public": 0.5, "folds": 9}
    with pytest.raises(ConfigError, match=r"validation\.folds = 9: .* about 8 documents"):
        prepare_data(bind({"hi": rows}, held))


def test_a_fold_that_leaves_nothing_to_train_on_is_refused() -> None:
    rows = (example(0, document="d0"),)
    data = StudyData({"hi": rows}, rows, (), folds=Folds("hi", {"d0": 0}))
    with pytest.raises(DataError, match=r"without fold 0 sources\.hi has nothing to train"):
        data.without_fold(0)


def test_folds_belong_to_what_a_study_is_and_their_absence_changes_no_earlier_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    plain = load_study(path)
    assert fingerprint(plain) == "67dc2703d005"
    path.write_text(STUDY + "folds = 3\n")
    assert fingerprint(load_study(path)) != fingerprint(plain)
    path.write_text(STUDY + "folds = 1\n")
    with pytest.raises(ConfigError, match=r"validation\.folds"):
        load_study(path)


def test_a_source_that_all_validates_may_be_trained_on_in_folds(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("share = 0.3", "share = 1.0\nfolds = 4"))
    assert load_study(path).validation.folds == 4
