import errno
import logging
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autoqa.features.cache as cache_module
from autoqa.errors import ConfigError
from autoqa.features.cache import FeatureCache, machine_cache
from autoqa.features.cut import cut
from autoqa.features.encode import Encoded, encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.files import locked
from autoqa.types import Answer, Example

from .caching import work
from .practice import CORPUS, assert_same, example

EXAMPLES = [example(text, 2, 9, name=str(i)) for i, text in enumerate(CORPUS)]
OTHERS = [[example(f"{text} {i}", 2, 9) for text in CORPUS] for i in range(4)]


@pytest.fixture
def tokenizer(trained: dict[str, Path]) -> QATokenizer:
    return QATokenizer.from_folder(trained["word-piece"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "features"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets a number at each encoding."""
    sizes: list[int] = []

    def counting(tokenizer: QATokenizer, examples: list[Example]) -> Encoded:
        sizes.append(len(examples))
        return encode(tokenizer, examples)

    monkeypatch.setattr(cache_module, "encode", counting)
    return sizes


def assert_right(found: Encoded, tokenizer: QATokenizer, examples: list[Example]) -> None:
    direct = encode(tokenizer, examples)
    assert found.names == direct.names
    assert_same(cut(found, 50, 8), cut(direct, 50, 8))


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_made_once_and_mapped(folder: Path, tokenizer: QATokenizer, made: list[int]) -> None:
    cache = FeatureCache(folder)
    first = cache.encoded(tokenizer, EXAMPLES)
    assert cache.encoded(tokenizer, EXAMPLES).ids is first.ids
    other = FeatureCache(folder).encoded(tokenizer, EXAMPLES)
    assert made == [len(EXAMPLES)]
    assert isinstance(other.ids.base, np.memmap)
    assert not other.ids.flags.writeable
    assert_right(other, tokenizer, EXAMPLES)
    assert len(entries(folder)) == 1, "no lock and no part is left"


def test_nothing_can_be_cached(folder: Path, tokenizer: QATokenizer) -> None:
    for _ in range(2):
        assert_right(FeatureCache(folder).encoded(tokenizer, []), tokenizer, [])


def test_what_tokens_depend_on_is_in_the_key(
    folder: Path, tokenizer: QATokenizer, trained: dict[str, Path], made: list[int]
) -> None:
    cache = FeatureCache(folder)
    cache.encoded(tokenizer, EXAMPLES)
    one = EXAMPLES[0]
    for changed in (
        replace(one, question="What?"),
        replace(one, context=one.context + "."),
        replace(one, answers=()),
        replace(one, answers=(Answer(one.context[3:5], 3),)),
    ):
        cache.encoded(tokenizer, [changed, *EXAMPLES[1:]])
    cache.encoded(tokenizer, EXAMPLES[::-1])
    cache.encoded(QATokenizer.from_folder(trained["unigram"]), EXAMPLES)
    assert len(made) == len(entries(folder)) == 7
    renamed = [replace(one, id=f"{i}", document="x", source="s") for i, one in enumerate(EXAMPLES)]
    assert cache.encoded(tokenizer, renamed).names[3] == "s/3"
    assert len(made) == 7


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "header", "no list", "list", "part"])
def test_damage_is_repaired_and_told(
    folder: Path, tokenizer: QATokenizer, made: list[int], caplog: Any, damage: str
) -> None:
    FeatureCache(folder).encoded(tokenizer, EXAMPLES)
    (entry,) = folder.iterdir()
    path = entry / "offsets.npy"
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[-9] ^= 4
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-8])
    elif damage == "remove":
        path.unlink()
    elif damage == "header":
        path.write_bytes(b"no numpy file" + content)
    elif damage == "no list":
        (entry / "entry.json").unlink()
    elif damage == "list":
        (entry / "entry.json").write_text("[1]")
    else:
        entry.rename(entry.with_name(entry.name + ".part"))
    with caplog.at_level(logging.WARNING):
        found = FeatureCache(folder).encoded(tokenizer, EXAMPLES)
    assert_right(found, tokenizer, EXAMPLES)
    assert len(made) == 2
    assert entries(folder) == [entry.name]
    told = "are damaged" in caplog.text
    assert told is (damage != "part")
    FeatureCache(folder).encoded(tokenizer, EXAMPLES)
    assert len(made) == 2


def test_a_full_disk_leaves_nothing_and_stops_nobody(
    folder: Path,
    tokenizer: QATokenizer,
    made: list[int],
    caplog: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save, calls = np.save, []

    def full(path: Path, array: np.ndarray) -> None:
        calls.append(path)
        if len(calls) == 3:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, array)

    monkeypatch.setattr(np, "save", full)
    cache = FeatureCache(folder)
    with caplog.at_level(logging.WARNING):
        found = cache.encoded(tokenizer, EXAMPLES)
    assert_right(found, tokenizer, EXAMPLES)
    assert entries(folder) == []
    (record,) = caplog.records
    assert "could not be cached" in record.message
    assert "No space left" in record.message
    cache.encoded(tokenizer, EXAMPLES)
    assert len(made) == 1


def test_a_folder_that_cannot_be_used_stops_nobody(
    folder: Path, tokenizer: QATokenizer, caplog: Any
) -> None:
    folder.write_text("a file stands in the way")
    with caplog.at_level(logging.WARNING):
        found = FeatureCache(folder).encoded(tokenizer, EXAMPLES)
    assert_right(found, tokenizer, EXAMPLES)
    assert "are not cached" in caplog.text


def test_the_quota_removes_what_was_not_used_for_longest(
    folder: Path, tokenizer: QATokenizer, made: list[int]
) -> None:
    names = []
    for number, examples in enumerate(OTHERS[:3]):
        FeatureCache(folder).encoded(tokenizer, examples)
        (name,) = set(entries(folder)) - set(names)
        names.append(name)
        os.utime(folder / name, (number, number))
    size = sum(file.stat().st_size for file in (folder / names[0]).iterdir())
    FeatureCache(folder).encoded(tokenizer, OTHERS[0])
    assert (folder / names[0]).stat().st_mtime > 100, "use counts"
    FeatureCache(folder, quota=int(3.2 * size)).encoded(tokenizer, OTHERS[3])
    assert not (folder / names[1]).exists()
    assert len(entries(folder)) == 3


def test_what_this_process_uses_is_never_removed(
    folder: Path, tokenizer: QATokenizer, made: list[int]
) -> None:
    cache = FeatureCache(folder, quota=0)
    for _ in range(2):
        for examples in OTHERS:
            assert_right(cache.encoded(tokenizer, examples), tokenizer, examples)
    assert len(made) == len(entries(folder)) == 4


def test_what_another_process_is_making_is_not_removed(
    folder: Path, tokenizer: QATokenizer
) -> None:
    FeatureCache(folder).encoded(tokenizer, OTHERS[0])
    (name,) = entries(folder)
    with locked(folder / f"{name}.lock", remove=True):
        FeatureCache(folder, quota=0).encoded(tokenizer, OTHERS[1])
        assert (folder / name).exists()
    FeatureCache(folder, quota=0).encoded(tokenizer, OTHERS[2])
    assert not (folder / name).exists()


def test_several_workers_encode_once(
    folder: Path, tokenizer: QATokenizer, trained: dict[str, Path], tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    log, ready, go = tmp_path / "log", context.Semaphore(0), context.Event()
    arguments = (folder, trained["word-piece"], EXAMPLES, log, ready, go)
    workers = [context.Process(target=work, args=arguments) for _ in range(3)]
    for worker in workers:
        worker.start()
    for _ in workers:
        assert ready.acquire(timeout=60)
    go.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert log.read_text() == "made\n"
    assert_right(FeatureCache(folder).encoded(tokenizer, EXAMPLES), tokenizer, EXAMPLES)
    assert len(entries(folder)) == 1


def test_the_quota_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path))
    assert machine_cache()._quota == 20 * 2**30
    monkeypatch.setenv("AUTOQA_CACHE_GIB", "0.5")
    assert machine_cache()._quota == 2**29
    for wrong in ("much", "-1", "nan", "inf", ""):
        monkeypatch.setenv("AUTOQA_CACHE_GIB", wrong)
        with pytest.raises(ConfigError, match=f"AUTOQA_CACHE_GIB is '{wrong}'; set it to"):
            machine_cache()
