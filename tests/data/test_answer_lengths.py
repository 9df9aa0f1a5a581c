"""What audit and dry run say about answers that are longer than any that models give."""

from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.api import BackboneFacts
from autoqa.data import StudyData, prepare_data
from autoqa.data.answer_lengths import length_sentences, limit_of, open_examples
from autoqa.features.files import keep_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.registry import BoundStudy, open_study
from autoqa.registry.prepared import prepare, prepared_folder
from autoqa.store.run_folder import PARTS, RunFolder
from autoqa.training.workbench import Workbench
from autoqa.types import Answer, Example
from tests.toy_study import write_study

LONG = Example("l", "Where ?", "near " * 60, (Answer(("near " * 60).strip(), 0),), "en", "l")


@pytest.fixture
def bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundStudy:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    return open_study(write_study(tmp_path))


@pytest.fixture
def data(bound: BoundStudy) -> StudyData:
    data = prepare_data(bound)
    return replace(data, train={"train": (*data.train["train"], LONG)})


def set_limit(bound: BoundStudy, limit: int) -> BoundStudy:
    table = bound.study.validation.model_copy(update={"max_answer_tokens": limit})
    return replace(bound, study=bound.study.model_copy(update={"validation": table}))


def test_words_before_the_backbone_is_prepared(
    bound: BoundStudy, data: StudyData, tmp_path: Path
) -> None:
    toy = bound.backbones["toy"]
    unknown = replace(toy, spec=replace(toy.spec, facts=lambda _: BackboneFacts()))
    bound = replace(bound, backbones={"toy": unknown})
    assert prepared_folder(unknown) is None
    (sentence,) = length_sentences(bound, open_examples(data), RunFolder(tmp_path / "run"))
    assert sentence == (
        "answers are counted in tokens, and toy must be prepared first: how many are beyond the "
        "limit is known after the first start. Words in 99.9% of the answers at most: train 60 "
        "(longest 60), the public part 1 (longest 1)"
    )
    (sentence,) = length_sentences(
        set_limit(bound, 50), open_examples(data), RunFolder(tmp_path / "run")
    )
    assert "how many are beyond the limit of 50 is known after" in sentence


def test_tokens_where_the_tokenizer_is_here(
    bound: BoundStudy, data: StudyData, tmp_path: Path
) -> None:
    folder = prepare(bound.backbones["toy"])
    assert prepared_folder(bound.backbones["toy"]) == folder
    run_folder = RunFolder(tmp_path / "run")
    (sentence,) = length_sentences(bound, open_examples(data), run_folder)
    assert sentence == (
        "backbone toy answers with at most 48 tokens: longer, and never given in full, are train "
        f"1 of {sum(len(row.answers) for row in data.train['train'])}"
    )
    (sentence,) = length_sentences(set_limit(bound, 60), open_examples(data), run_folder)
    given = [
        answer for rows in open_examples(data).values() for row in rows for answer in row.answers
    ]
    assert sentence == (
        f"backbone toy answers with at most 60 tokens: none of {len(given)} answers is longer (the "
        "longest has 60)"
    )


def test_the_limit_of_a_study_that_was_begun_stands(
    bound: BoundStudy, data: StudyData, tmp_path: Path
) -> None:
    bench = Workbench(bound, tmp_path / "run")
    ready, folder = bench.backbone("toy"), RunFolder(bench.run_folder)
    for part in PARTS:
        windows = replace(getattr(ready, part), max_answer_tokens=61)
        keep_windows(folder.windows_path(str(ready.group), part), windows)
    (sentence,) = length_sentences(bound, open_examples(data), folder)
    assert sentence.startswith("backbone toy answers with at most 61 tokens: none of")


def test_data_without_answers_need_no_sentence(bound: BoundStudy, tmp_path: Path) -> None:
    nothing = {"train": [replace(LONG, answers=())]}
    assert length_sentences(bound, nothing, RunFolder(tmp_path)) == []


def test_the_number_of_the_study_file_goes_first(bound: BoundStudy, data: StudyData) -> None:
    tokenizer = QATokenizer.from_folder(prepare(bound.backbones["toy"]))
    assert limit_of(bound.study, data, tokenizer, 256) == 64
    assert limit_of(set_limit(bound, 20).study, data, tokenizer, 256) == 20


def test_a_mark_that_leads_nowhere_is_no_mark(bound: BoundStudy, tmp_path: Path) -> None:
    prepare(bound.backbones["toy"])
    (mark,) = (tmp_path / "cache" / "backbones").glob("*.json")
    for content in ("", "[]", '{"folder": 3}', '{"folder": "/nowhere"}'):
        mark.write_text(content)
        assert prepared_folder(bound.backbones["toy"]) is None


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    bound: BoundStudy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("autoqa.registry.prepared.write_atomically", full)
    assert (prepare(bound.backbones["toy"]) / "tokenizer.json").is_file()
    assert prepared_folder(bound.backbones["toy"]) is None
