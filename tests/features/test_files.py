from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from autoqa.errors import DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import load_windows, save_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows

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
