"""mt5: a folder or model id of the T5 family, laid out as T5 was taught."""

import json
from pathlib import Path

import numpy as np
import pytest
from autoqa_backbones import mt5
from autoqa_backbones.hub_layout import HuggingFaceOptions
from autoqa_backbones.mt5 import MT5Options
from autoqa_backbones.protocols import GENERATING, T5
from pydantic import ValidationError
from tokenizers import Tokenizer

from autoqa.api import ConfigError, MissingAssetError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.testing import run_checks
from tests import bundle_kit
from tests.modeling.architectures import save_pretrained
from tests.text_kit import write_text_backbone


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text_backbone(tmp_path_factory.mktemp("published") / "tiny-mt5")


def options(folder: Path) -> MT5Options:
    return MT5Options(model=str(folder))


def test_question_and_context_get_their_names(published: Path, tmp_path: Path) -> None:
    folder = mt5.prepare(options(published), tmp_path)
    core = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoding = core.encode("Who lives?", "Ada lives.")
    text = "".join(encoding.tokens).replace("▁", " ").strip()
    assert text == "question: Who lives? context: Ada lives.</s>"
    assert mt5.prepare(options(published), tmp_path) == folder
    assert (folder / "model.safetensors").is_symlink()


def test_windows_have_the_answer_s_tokens_as_labels(published: Path, tmp_path: Path) -> None:
    folder = mt5.prepare(options(published), tmp_path)
    tokenizer = QATokenizer.from_folder(folder)
    examples = bundle_kit.examples(6)
    windows = cut(encode(tokenizer, examples), 96, 16)
    assert len(tokenizer.template.suffix) == 1
    for row in np.flatnonzero(windows.answerable):
        first, last = windows.bounds[row] + windows.label[row]
        example = examples[windows.example[row]]
        low, high = windows.offsets[first][0], windows.offsets[last][1]
        assert example.context[low:high].strip() == example.answers[0].text


def test_other_kinds_are_refused_before_and_when_they_are_prepared(tmp_path: Path) -> None:
    folder = save_pretrained(tmp_path / "encoder", "eurobert")
    bundle_kit.write_tokenizer(folder)
    (folder / "tokenizer_config.json").write_text("{}")
    (problem,) = mt5.facts(options(folder)).problems
    assert "has model_type 'eurobert', but `mt5` takes the T5 family (t5, mt5, umt5)" in problem
    with pytest.raises(ConfigError, match='name such a model, or take type = "huggingface"'):
        mt5.prepare(options(folder), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_tokenizer_that_ends_no_text_is_refused(published: Path, tmp_path: Path) -> None:
    folder = write_text_backbone(tmp_path / "model")
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "<pad>"}))
    with pytest.raises(ConfigError, match="has no token that ends a text"):
        mt5.prepare(options(folder), tmp_path / "cache")


def test_a_folder_that_is_not_there_is_missing(tmp_path: Path) -> None:
    sentence = mt5.missing(options(tmp_path / "gone"))
    assert sentence is not None
    assert "does not exist" in sentence
    with pytest.raises(MissingAssetError, match="does not exist"):
        mt5.prepare(options(tmp_path / "gone"), tmp_path / "cache")


def test_a_size_names_google_s_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    sentence = mt5.missing(MT5Options(size="base"))
    assert sentence is not None
    assert "the model google/mt5-base (revision main)" in sentence
    with pytest.raises(ValidationError, match="size"):
        MT5Options.model_validate({"size": "huge"})


def test_keys_of_any_model_of_the_hub_mean_the_same() -> None:
    own, others = (m.model_json_schema()["properties"] for m in (MT5Options, HuggingFaceOptions))
    for key in ("revision", "licence", "convert"):
        assert own[key] == others[key]
        assert own[key]["description"]


def test_licences() -> None:
    assert mt5.licence(MT5Options()) == "Apache-2.0"
    assert mt5.licence(MT5Options(model="google/mt5-large")) == "Apache-2.0"
    assert mt5.licence(MT5Options(model="somebody/mt5-small")) == "unknown"
    assert mt5.licence(MT5Options(model="somebody/mt5-small", licence="MIT")) == "MIT"


def test_small_models_learn_faster() -> None:
    assert mt5.protocol(MT5Options()) == GENERATING
    assert mt5.protocol(MT5Options(size="large")) == mt5.protocol(MT5Options(model="./x")) == T5
    assert GENERATING.learning_rate > T5.learning_rate


def test_the_tokenizer_before_it_is_laid_out_is_told_to_nobody(published: Path) -> None:
    facts = mt5.facts(options(published))
    assert facts.tokenizer is None
    assert not facts.problems


def test_the_kit_s_checks(published: Path) -> None:
    results = run_checks(
        mt5.SPEC,
        options(published),
        {"overfitting": "random weights learn at rates that pretrained ones do not bear"},
    )
    assert not [(each.check.name, each.sentence) for each in results if each.outcome == "failed"]
    passed = {each.check.name for each in results if each.outcome == "passed"}
    assert {"atomic", "logits", "saving", "seeds", "windows-apart"} <= passed
