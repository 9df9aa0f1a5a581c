import math
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from autoqa.errors import AutoqaError, ConfigError, MissingAssetError
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.private_openings import Opening
from autoqa.store.study_tables import Store

RECORD = CandidateRecord(
    id="t0003-100",
    trial=3,
    fraction=1.0,
    backbone="e5",
    group="abc",
    recipe_hash="0123456789ab",
    recipe={"stages": [{"length": 384, "name": "हिन्दी"}]},
    learning_rate=3e-5,
    seed=1,
    scores={"jaccard": 0.5, "em": 0.4, "f1": 0.6},
    by_language={"hi": 0.5},
    windows_per_second=31.5,
    seconds=10.0,
    inference_seconds=2.0,
    licence="mit",
    half_width=0.04,
)


def with_jaccard(jaccard: float, **changes: Any) -> CandidateRecord:
    """The record with another score."""
    return replace(RECORD, scores={**RECORD.scores, "jaccard": jaccard}, **changes)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


def test_candidates_come_back_as_they_were_and_twice_is_once(url: str) -> None:
    with Store(url, "a") as store:
        store.add_candidate(RECORD)
        store.add_candidate(with_jaccard(0.6))
        store.add_candidate(replace(RECORD, id="t0001-50", half_width=None))
    with Store(url, "a") as store:
        first, second = store.candidates()
    assert second == with_jaccard(0.6)
    assert first == replace(RECORD, id="t0001-50", half_width=None)


def test_ingredients_of_a_soup_come_back(url: str) -> None:
    soup = replace(RECORD, id="soup-e5-abcdef", ingredients=("t0001-050", "t0003-100"))
    with Store(url, "a") as store:
        store.add_candidate(soup)
        store.add_candidate(RECORD)
        assert store.candidates() == [soup, RECORD]


def test_teachers_of_a_pupil_come_back(url: str) -> None:
    pupil = replace(RECORD, id="distil-e5-abcdef", teachers=("t0001-050", "t0001-050"))
    with Store(url, "a") as store:
        store.add_candidate(pupil)
        store.add_candidate(RECORD)
        assert store.candidates() == [pupil, RECORD]


def test_a_speed_that_is_not_a_number_survives(url: str) -> None:
    with Store(url, "a") as store:
        store.add_candidate(replace(RECORD, windows_per_second=math.nan, seconds=math.nan))
        (record,) = store.candidates()
    assert math.isnan(record.windows_per_second)
    assert math.isnan(record.seconds)


def test_studies_of_one_database_do_not_mix(url: str) -> None:
    for name in ("a", "b"):
        with Store(url, name) as store:
            store.save_study(f'name = "{name}"\n')
            store.add_candidate(replace(RECORD, backbone=name))
            store.log_opening("checking")
    with Store(url, "b") as store:
        assert [record.backbone for record in store.candidates()] == ["b"]
        assert store.study_text() == 'name = "b"\n'
        assert len(store.openings()) == 1
    with pytest.raises(ConfigError, match=r"holds 2 studies \(a, b\): name one"):
        Store(url)


def test_the_only_study_needs_no_name(url: str) -> None:
    with Store(url, "a") as store:
        assert store.study_text() is None
        store.save_study("x = 1", "f" * 12)
        store.save_study("x = 2", "e" * 12)
    with Store(url) as store:
        assert (store.study, store.study_text()) == ("a", "x = 2")
        assert store.study_fingerprint() == "e" * 12


def test_openings_are_written_down_and_counted(url: str) -> None:
    with Store(url, "a") as store:
        assert store.log_opening("final report", purpose="evaluate").number == 1
        assert store.log_opening("second look").number == 2
        rows = store.openings()
        assert [(row.purpose, row.reason) for row in rows] == [
            ("evaluate", "final report"),
            ("", "second look"),
        ]
        assert datetime.now(UTC) - rows[0].opened < timedelta(minutes=1)
        with pytest.raises(ConfigError, match="needs a reason"):
            store.log_opening(" ")
        assert len(store.openings()) == 2


def test_a_private_score_is_kept_with_the_opening_that_showed_it(url: str) -> None:
    with Store(url, "a") as store:
        assert store.private_score("key") is None
        store.log_opening("first")
        second = store.log_opening("second")
        store.keep_private_score("key", second, {"jaccard": 0.5})
        assert store.private_score("key") == (2, {"jaccard": 0.5})
        store.keep_private_score("key", store.log_opening("third"), {"jaccard": 0.6})
        assert store.private_score("key") == (3, {"jaccard": 0.6})
    with Store(url, "b") as store:
        assert store.private_score("key") is None


def test_reads_are_candidates_ensembles_and_what_is_logged(url: str) -> None:
    with Store(url, "b") as store:
        store.add_candidate(RECORD)
    with Store(url, "a") as store:
        assert store.public_reads() == {}
        store.add_candidate(RECORD)
        store.add_candidate(with_jaccard(0.6))  # the same candidate again
        store.add_candidate(replace(RECORD, id="t0004-100"))
        single = {"kind": "single", "members": [["t0003-100", 1]], "public": {"mean": 0.5}}
        both = {"kind": "top-k", "members": [["t0003-100", 1], ["t0004-100", 1]], "seconds": 2.0}
        store.add_selection({"alternatives": [single, both]})
        store.add_selection({"alternatives": [single, both | {"seconds": 3.0}]})  # again
        store.add_selection({"alternatives": [single | {"public": {"mean": 0.6}}, both]})
        store.add_selection({"members": ["t0003-100"]})  # with nothing else to choose from
        store.log_read("comparisons", "t0003-100 t0004-100")
        store.log_read("rules", "hi: brackets", count=3)
        store.log_read("rules", "hi: brackets", count=2)
        store.log_read("comparisons", "t0003-100 t0004-100")  # again
        store.log_read("comparisons", "t0003-100 t0004-100 by f1")
        assert store.public_reads() == {
            "candidates": 2,
            "ensembles": 4,
            "comparisons": 2,
            "rules": 5,
        }


def test_scores_from_outside_come_back_in_order(url: str) -> None:
    with Store(url, "a") as store:
        store.add_external("t0003-100", "kaggle-public", 0.78, 0.5, "late")
        store.add_external("t0003-100", "kaggle-private", 0.76, 0.5)
        first, second = store.externals()
        assert (first.subject, first.score, first.public, first.note) == (
            "t0003-100",
            0.78,
            0.5,
            "late",
        )
        assert (second.board, second.note) == ("kaggle-private", "")
        assert datetime.now(UTC) - first.added < timedelta(minutes=1)
    with Store(url, "b") as store:
        assert store.externals() == []


def test_a_new_text_leaves_the_validation_set_and_the_date(url: str) -> None:
    with Store(url, "a") as store:
        assert store.validation_fingerprint() is None
        store.save_study("x = 1")
        store.save_validation("0123456789ab")
        store.save_study("x = 2")
        assert store.validation_fingerprint() == "0123456789ab"
        assert store.study_text() == "x = 2"


def test_an_opening_cannot_be_made_by_hand() -> None:
    with pytest.raises(ConfigError, match=r"Store\.log_opening"):
        Opening(1, "curious", key=object())


def test_selections_are_kept_in_order(url: str) -> None:
    with Store(url, "a") as store:
        store.add_selection({"members": ["t0001-100"]})
        store.add_selection({"members": ["t0002-100"]})
        assert [s["members"][0][:5] for s in store.selections()] == ["t0001", "t0002"]


def test_sqlite_lets_others_read_while_it_writes(url: str, tmp_path: Path) -> None:
    Store(url, "a").close()
    with sqlite3.connect(tmp_path / "study.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_bad_urls_say_what_to_write_and_hide_passwords(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'runs' is not a database URL; write for example"):
        Store("runs", "a")
    with pytest.raises(MissingAssetError, match="driver that is not installed") as caught:
        Store("postgresql+nosuch://ada:secret@host/base", "a")
    assert "secret" not in str(caught.value)
    with pytest.raises(ConfigError, match="of the kind 'mysql'; studies are kept in") as caught:
        Store("mysql://ada:secret@host/base", "a")
    assert "secret" not in str(caught.value)
    with pytest.raises(AutoqaError, match="cannot open the study's database"):
        Store(f"sqlite:///{tmp_path}/absent/study.db", "a")
