from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from autoqa.errors import DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import (
    keep_windows,
    kept_limit,
    kept_limits,
    load_windows,
    save_windows,
)
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.store.run_folder import PARTS, RunFolder

from .practice import CORPUS, assert_same, example


@pytest.fixture
def windows(trained: dict[str, Path]) -> Windows:
    examples = [example(text, 0, 6) for text in CORPUS[:3]]
    return cut(encode(QATokenizer.from_folder(trained["word-piece"]), examples), 50, 8)


def test_windows_survive_the_disk(tmp_path: Path, windows: Windows) -> None:
    path = tmp_path / "group" / "public.safetensors"
    save_windows(path, windows)
    assert_same(load_windows(path), windows)
    save_windows(path, windows)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_limit_on_answers_survives_and_old_files_stay_what_they_were(
    tmp_path: Path, windows: Windows
) -> None:
    old, new = tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    save_windows(old, windows)
    save_windows(new, replace(windows, max_answer_tokens=176))
    assert load_windows(new).max_answer_tokens == 176
    assert load_windows(old).max_answer_tokens == 48
    with safe_open(old, framework="np") as file:
        assert file.metadata() == {"layout": "autoqa.windows.2"}


@pytest.mark.parametrize("limit", [48, 176])
def test_equal_windows_are_equal_bytes(tmp_path: Path, windows: Windows, limit: int) -> None:
    path, contents = tmp_path / "public.safetensors", set()
    for _ in range(20):
        save_windows(path, replace(windows, max_answer_tokens=limit))
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_a_folder_says_what_its_windows_allow(tmp_path: Path, windows: Windows) -> None:
    folder, group = RunFolder(tmp_path), "0123456789ab-50-8"
    assert kept_limit(folder, group) is None
    with pytest.raises(DataError, match=r"public\.safetensors is missing or damaged"):
        kept_limits(folder, [group])
    for part in PARTS:
        keep_windows(folder.windows_path(group, part), replace(windows, max_answer_tokens=64))
    assert kept_limits(folder, [group]) == {group: 64}
    public = folder.windows_path(group, "public")
    public.write_bytes(public.read_bytes()[:-9])
    assert kept_limit(folder, group) == 64, "the private part's windows say it, too"


def test_no_window_survives_too(tmp_path: Path, windows: Windows, trained: dict[str, Path]) -> None:
    none = cut(encode(QATokenizer.from_folder(trained["unigram"]), []), 50, 8)
    save_windows(tmp_path / "none", none)
    assert_same(load_windows(tmp_path / "none"), none)


def test_damage_is_told(tmp_path: Path, windows: Windows) -> None:
    path = tmp_path / "public.safetensors"
    with pytest.raises(DataError, match=r"public\.safetensors cannot be read"):
        load_windows(path)
    save_windows(path, windows)
    arrays = load_file(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="make it anew"):
        load_windows(path)
    save_file({"ids": np.zeros(3)}, path)
    with pytest.raises(DataError, match="holds the arrays ids"):
        load_windows(path)
    save_file({**arrays, "bounds": arrays["bounds"][:-1].copy()}, path)
    with pytest.raises(DataError, match="bounds of"):
        load_windows(path)
