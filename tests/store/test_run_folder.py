import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from autoqa.errors import ConfigError, DataError, MissingAssetError
from autoqa.store.candidate_record import distil_id, soup_id
from autoqa.store.predictions import load_logits, write_logits
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.unlabelled import is_unlabelled, keep_unlabelled, load_unlabelled
from autoqa.types import Answer, Example
from tests.bundle_kit import examples
from tests.store.damage import without_sums
from tests.store.test_study_tables import RECORD

EXAMPLE = Example("q1", "कौन?", "राम\u2028ने", (Answer("राम", 0),), "hi", "d1", "chaii")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "small")
    made.create()
    return made


def fill(folder: RunFolder, candidate_id: str = "t0003-100") -> None:
    with folder.writing_candidate(candidate_id) as path:
        (path / "candidate.json").write_text(json.dumps(asdict(RECORD)))
        numbers = np.arange(4, dtype=np.float32)
        write_logits(path, "public", numbers, numbers + 1)
        write_logits(path, "private", numbers + 2, numbers + 3)


def test_paths_are_those_of_the_layout(folder: RunFolder) -> None:
    shown = [
        folder.study_file,
        folder.database,
        folder.examples_path("public"),
        folder.examples_path("private"),
        folder.windows_path("g-384-128", "public"),
        folder.windows_path("g-384-128", "private"),
        folder.model("t0003-100"),
        folder.logits_path("t0003-100", "public"),
        folder.logits_path("t0003-100", "private"),
        folder.selection,
    ]
    assert [str(path.relative_to(folder.path)) for path in shown] == [
        "study.toml",
        "study.db",
        "validation/public.jsonl",
        "validation/sealed/private.jsonl",
        "validation/g-384-128/public.safetensors",
        "validation/g-384-128/sealed/private.safetensors",
        "candidates/t0003-100/model",
        "candidates/t0003-100/public.safetensors",
        "candidates/t0003-100/sealed/private.safetensors",
        "selection.json",
    ]
    assert folder.store_url() == f"sqlite:///{folder.path.resolve()}/study.db"
    assert folder.store_url("postgresql://host/x") == "postgresql://host/x"


@pytest.mark.parametrize("name", ["../../etc", "t1", "t0001-", "t0001-100/model", ""])
def test_ids_that_are_none_lead_nowhere(folder: RunFolder, name: str) -> None:
    with pytest.raises(ConfigError, match="ids look like t0003-100"):
        folder.candidate(name)


def test_a_candidate_appears_complete_or_not_at_all(folder: RunFolder) -> None:
    def break_off() -> None:
        with folder.writing_candidate("t0001-100") as path:
            (path / "candidate.json").write_text("{}")
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert list(folder.candidates.iterdir()) == []
    fill(folder)
    assert folder.candidate_ids() == ["t0003-100"]
    assert folder.read_record("t0003-100") == RECORD
    fill(folder)  # again, in its place
    assert folder.candidate_ids() == ["t0003-100"]


def test_leftovers_are_removed_and_candidates_are_not(folder: RunFolder) -> None:
    fill(folder)
    (folder.candidates / ".t0004-50.partial").mkdir()
    (folder.candidates / "t0005-100").mkdir()
    (folder.candidates / "stray.tmp").touch()
    assert folder.remove_partial("t0004-") == [".t0004-50.partial"]
    assert folder.remove_partial() == ["stray.tmp", "t0005-100"]
    assert folder.candidate_ids() == ["t0003-100"]


def test_private_logits_need_a_logged_opening(folder: RunFolder) -> None:
    fill(folder)
    start, end = load_logits(folder, "t0003-100", "public")
    assert (start.tolist(), end.tolist()) == ([0, 1, 2, 3], [1, 2, 3, 4])
    with pytest.raises(ConfigError, match="the private part is sealed"):
        load_logits(folder, "t0003-100", "private")
    with Store(folder.store_url(), "small") as store:
        opening = store.log_opening("the test says so")
        start, _ = load_logits(folder, "t0003-100", "private", opening)
        assert len(store.openings()) == 1
    assert start.tolist() == [2, 3, 4, 5]


def test_logits_are_read_in_single_precision_however_they_are_stored(folder: RunFolder) -> None:
    with folder.writing_candidate("t0003-100") as path:
        (path / "candidate.json").write_text(json.dumps(asdict(RECORD)))
        write_logits(path, "public", np.float32([2049, 1]), np.float32([0, 3]), np.float16)
    start, end = load_logits(folder, "t0003-100", "public")
    assert (start.dtype, end.dtype) == (np.float32, np.float32)
    assert (start.tolist(), end.tolist()) == ([2048, 1], [0, 3])


def test_a_record_of_0_1_0_has_its_scores_beside_the_rest(folder: RunFolder) -> None:
    fill(folder)
    without_sums(folder.candidate("t0003-100"))
    then = RECORD.as_flat()
    assert list(then)[8:13] == ["seed", "jaccard", "em", "f1", "jaccard_by_language"]
    (folder.candidate("t0003-100") / "candidate.json").write_text(json.dumps(then))
    assert folder.read_record("t0003-100") == RECORD


def test_a_record_of_a_newer_version_is_refused(folder: RunFolder) -> None:
    fill(folder)
    without_sums(folder.candidate("t0003-100"))
    record = {**asdict(RECORD), "power": 0.5, "heat": None}
    (folder.candidate("t0003-100") / "candidate.json").write_text(json.dumps(record))
    with pytest.raises(
        DataError,
        match=r"candidate\.json: written by a newer version of autoqa, for this one does not know "
        r"'heat', 'power': install the newer one$",
    ):
        folder.read_record("t0003-100")
    record = {**asdict(RECORD), "scores": {**RECORD.scores, "a_later_metric": 0.1}}
    (folder.candidate("t0003-100") / "candidate.json").write_text(json.dumps(record))
    assert folder.read_record("t0003-100").scores["a_later_metric"] == 0.1


def test_damaged_and_absent_files_without_checksums_are_named(folder: RunFolder) -> None:
    fill(folder)
    without_sums(folder.candidate("t0003-100"))
    folder.logits_path("t0003-100", "public").write_bytes(b"not safetensors")
    with pytest.raises(DataError, match=r"public\.safetensors: cannot read the logits"):
        load_logits(folder, "t0003-100", "public")
    (folder.candidate("t0003-100") / "candidate.json").write_text("[1]")
    with pytest.raises(DataError, match=r"candidate\.json: not a candidate record"):
        folder.read_record("t0003-100")
    (folder.candidate("t0003-100") / "candidate.json").write_text(
        json.dumps(asdict(replace(RECORD, scores={"em": 0.5})))
    )
    with pytest.raises(DataError, match=r"candidate\.json: not a candidate record \('jaccard'\)"):
        folder.read_record("t0003-100")
    with pytest.raises(DataError, match="run `autoqa search` first"):
        folder.load_examples("public")


def test_examples_come_back_and_the_private_ones_only_as_digests(folder: RunFolder) -> None:
    assert folder.example_digests("private") is None
    folder.save_examples("public", [EXAMPLE])
    assert folder.load_examples("public") == [EXAMPLE]
    folder.save_examples("private", [EXAMPLE])
    with pytest.raises(ConfigError, match="sealed"):
        folder.load_examples("private")
    found = folder.example_digests("private")
    assert found == folder.example_digests("public")
    assert found is not None
    assert list(found) == ["q1\nhi"]
    path = folder.examples_path("public")
    path.write_text(path.read_text() + '{"id": 1}\n')
    with pytest.raises(DataError, match=r"public\.jsonl is damaged \(its checksum differs\)"):
        folder.load_examples("public")
    path.with_name("public.jsonl.sha256").unlink()
    with pytest.raises(DataError, match=r"public\.jsonl:2: not an example"):
        folder.load_examples("public")


def test_only_a_soups_file_names_ingredients(folder: RunFolder) -> None:
    fill(folder)
    assert "ingredients" not in RECORD.as_json()
    names = ("t0003-050", "t0003-100")
    soup = replace(RECORD, id=soup_id("e5", names), ingredients=names)
    with folder.writing_candidate(soup.id) as path:
        (path / "candidate.json").write_text(json.dumps(soup.as_json()))
    assert folder.read_record(soup.id) == soup
    assert folder.candidate_ids() == [soup.id, "t0003-100"]
    assert soup.as_flat()["ingredients"] == names
    (folder.candidates / f".{soup.id}.partial").mkdir()
    assert folder.remove_partial("t0003-") == []
    assert folder.remove_partial() == [f".{soup.id}.partial"]


def test_only_a_pupils_file_names_teachers(folder: RunFolder) -> None:
    fill(folder)
    assert "teachers" not in RECORD.as_json()
    names = ("t0003-050", "t0003-100", "t0003-100")
    pupil = replace(RECORD, id=distil_id("b" * 40, "run", reversed(names)), teachers=names)
    assert len(pupil.id) == 40, "as many characters as the database's column has"
    with folder.writing_candidate(pupil.id) as path:
        (path / "candidate.json").write_text(json.dumps(pupil.as_json()))
    assert folder.read_record(pupil.id) == pupil
    assert (pupil.derived, RECORD.derived) == (True, False)
    others = {distil_id("b", "run", names[:2]), distil_id("b", "other", names)}
    assert distil_id("b", "run", names) not in others


def test_questions_without_answers_are_kept_once(folder: RunFolder) -> None:
    folder.create()
    rows = [replace(each, source="file") for each in examples(3)]
    name = keep_unlabelled(folder, rows)
    assert keep_unlabelled(folder, rows) == name
    assert is_unlabelled(name)
    assert not is_unlabelled("unlabelled")
    kept = load_unlabelled(folder, name)
    assert kept == tuple(replace(each, source=name, answers=()) for each in rows)
    assert keep_unlabelled(folder, rows[:2]) != name
    next(folder.unlabelled.iterdir()).unlink()
    next(folder.unlabelled.iterdir()).unlink()
    with pytest.raises(MissingAssetError, match="give `autoqa export --distil` their file again"):
        load_unlabelled(folder, name)
