"""The hub source, on local folders and on a cache as the hub would have filled it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from autoqa_sources.file import FileOptions
from autoqa_sources.file import load as load_file
from autoqa_sources.hub import HubOptions, load, missing
from hub_mirror import hub_environment, run_elsewhere, serving

from autoqa.api import Answer, DataError, MissingAssetError

datasets = pytest.importorskip("datasets")

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"telugu-{number}-0",
            "title": f"article {number // 2}",
            "context": "the capital is Palani today",
            "question": "what is the capital?",
            "answers": {"text": ["Palani"], "answer_start": [15]},
        }
        for number in range(count)
    ]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder))
    datasets.disable_progress_bars()
    return folder


def test_local_parquet_folder(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    datasets.Dataset.from_list(rows(4)).to_parquet(folder / "train.parquet")
    options = HubOptions(dataset=str(folder))
    assert missing(options) is None
    examples = load(options)
    assert [example.document for example in examples] == ["article 0"] * 2 + ["article 1"] * 2
    assert examples[0].answers == (Answer("Palani", 15),)
    assert examples[0].language == "te"
    assert len(load(HubOptions(dataset=str(folder), split="train[:50%]"))) == 2


def test_local_json_folder_with_a_wrong_offset(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    bad = rows(1)[0] | {"answers": {"text": ["Palani"], "answer_start": [3]}}
    (folder / "train.jsonl").write_text(json.dumps(bad) + "\n")
    with pytest.raises(DataError, match=r"\(train\): row 1: expected the answer 'Palani' at"):
        load(HubOptions(dataset=str(folder), on_mismatch="refuse"))
    assert load(HubOptions(dataset=str(folder)))[0].answers[0].start == 15


def test_types_that_datasets_guesses_spoil_rows_and_files_do_not(
    tmp_path: Path, cache: Path
) -> None:
    folder = tmp_path / "dates"
    folder.mkdir()
    context = "it was built on 1904-05-06"
    row = {"id": "1", "context": context, "question": "when?", "answer_text": "1904-05-06"}
    (folder / "train.jsonl").write_text(json.dumps(row | {"answer_start": 16}) + "\n")
    options = HubOptions(dataset=str(folder), language="en", on_mismatch="refuse")
    with pytest.raises(DataError, match="an answer's text must be text, found datetime"):
        load(options)
    as_file = FileOptions(path=str(folder / "train.jsonl"), language="en")
    assert [answer.text for answer in load_file(as_file)[0].answers] == ["1904-05-06"]


def test_what_the_hub_refuses_is_said_in_the_same_words(tmp_path: Path) -> None:
    code = (
        "import sys; from autoqa_sources.hub import *\n"
        "options = HubOptions(dataset=sys.argv[1], revision=sys.argv[2] or None)\n"
        "print([each.name for each in downloads(options)])\n"
        "try: load(options)\n"
        "except MissingAssetError as error: sys.exit(f'MISSING {error}')"
    )
    with serving(tmp_path / "served") as mirror:
        folder = mirror.repository("datasets", "someone/rows")
        (folder / "train.jsonl").write_text(json.dumps(rows(1)[0]) + "\n")
        environment = hub_environment(mirror.address, tmp_path / "home")
        absent = run_elsewhere(code, "someone/else", "", environment=environment)
        revision = run_elsewhere(code, "someone/rows", "v9", environment=environment)
    assert absent.stdout.strip() == "['the data set someone/else (train)']"
    assert "MISSING the data set someone/else (revision main): the hub 127" in absent.stderr
    assert "shows no such repository" in absent.stderr
    assert "it has no revision 'v9'" in revision.stderr
    assert "Traceback" not in absent.stderr + revision.stderr


def test_unknown_split_is_one_sentence(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "train.jsonl").write_text(json.dumps(rows(1)[0]) + "\n")
    with pytest.raises(DataError, match="split 'test' cannot be loaded") as caught:
        load(HubOptions(dataset=str(folder), split="test"))
    assert "\n" not in str(caught.value)


def test_absent_data_set_says_how_to_get_it(cache: Path) -> None:
    options = HubOptions(dataset="nobody/Nothing", config="hi", revision=COMMIT)
    sentence = missing(options)
    assert sentence is not None
    assert "nobody/Nothing/hi is not in the cache" in sentence
    command = f"load_dataset('nobody/Nothing', 'hi', revision='{COMMIT}')"
    assert command in sentence
    with pytest.raises(MissingAssetError) as caught:
        load(options)
    assert command in str(caught.value)


def test_cached_data_set_loads_offline(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "mini_qa"
    folder.mkdir()
    (folder / "train.jsonl").write_text("".join(json.dumps(fields) + "\n" for fields in rows(3)))
    datasets.load_dataset(str(folder))
    (built,) = (path.parent for path in cache.rglob("dataset_info.json"))
    place = cache / "owner___mini_qa" / "default" / "0.0.0" / COMMIT
    shutil.copytree(built, place)
    info = json.loads((place / "dataset_info.json").read_text())
    (place / "dataset_info.json").write_text(json.dumps(info | {"config_name": "default"}))
    for name in place.glob("*-train.arrow"):
        name.rename(place / "mini_qa-train.arrow")
    assert missing(HubOptions(dataset="owner/MiniQA")) is None
    assert missing(HubOptions(dataset="owner/MiniQA", config="other")) is not None
    assert missing(HubOptions(dataset="owner/MiniQA", revision=COMMIT)) is None
    assert missing(HubOptions(dataset="owner/MiniQA", revision="f" * 40)) is not None
    assert len(load(HubOptions(dataset="owner/MiniQA"))) == 3


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "needs the package datasets" in str(missing(HubOptions(dataset="a/b")))
    with pytest.raises(MissingAssetError, match="needs the package datasets"):
        load(HubOptions(dataset="a/b"))
