"""Tiny models of the families that have a name go the way of the published ones."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from autoqa_backbones.known_models import MODELS
from autoqa_backbones.named import SPECS, NamedOptions
from safetensors.torch import load_file

from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.offset_check import check_offsets
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import Method
from autoqa.testing import run_checks
from autoqa.testing.samples import TEXTS, generated_examples, word_examples
from autoqa.training.engine import Engine
from autoqa.training.schedule import LearningRate
from tests.plugins.families import FAMILIES, write_family

LAYOUTS = {
    "rembert": "padded",
    "mdeberta-v3-base": "padded",
    "indicbert-v3-270m": "masked",
}
"""Of those that are not packed."""
SCRIPTS = ("hi", "ta", "bn", "te", "en", "ko")


@dataclass(frozen=True)
class Made:
    name: str
    options: NamedOptions
    folder: Path


@pytest.fixture(scope="module", params=FAMILIES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A family's folder as it is published, and as it is prepared."""
    root = tmp_path_factory.mktemp("family")
    options = NamedOptions(folder=str(write_family(root / "published", request.param)))
    spec = SPECS[request.param]
    assert spec.missing(options) is None
    assert spec.facts(options).problems == ()
    return Made(request.param, options, spec.prepare(options, root / "cache"))


def windows(made: Made) -> Windows:
    encoded = encode(QATokenizer.from_folder(made.folder), generated_examples())
    return take(cut(encoded, 64, 16), np.arange(8))


def test_places_of_tokens_are_those_of_letters(made: Made) -> None:
    tokenizer = QATokenizer.from_folder(made.folder)
    known = MODELS[made.name].languages
    for language in SCRIPTS:
        if language in known:
            check_offsets(tokenizer, word_examples(language), language)
            ids = tokenizer.core.encode("?", TEXTS[language]).ids
            unknown = tokenizer.core.token_to_id("[UNK]") or tokenizer.core.token_to_id("<unk>")
            assert ids.count(unknown) < 0.02 * len(ids), language
    assert {"en"} <= set(known)


def test_each_trains_is_stored_and_answers_alike(made: Made, tmp_path: Path) -> None:
    protocol = MODELS[made.name].protocol.model_copy(
        update={"dropout": 0.0, "precision": "fp32", "head_multiplier": 1.0}
    )
    model = load_for_training(made.folder, protocol, seed=0)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model.layout == LAYOUTS.get(made.name, "packed")
    engine = Engine(model, protocol, 1e-3, LearningRate(Method(), (12,), 0.1), seed=0)
    losses = [engine.train(windows(made)).loss for _ in range(12)]
    assert losses[-1] < 0.9 * losses[0]
    state = rounded_state(model)
    save_model(model, state, made.folder, tmp_path / "saved")
    model.load_state({n: w.float() if w.is_floating_point() else w for n, w in state.items()})
    model.eval()
    stored = load_for_inference(tmp_path / "saved")
    assert stored.layout == model.layout
    for ours, theirs in zip(
        *(predict(each, windows(made), precision="fp32") for each in (model, stored)), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.slow
def test_the_kit_of_checks_passes(made: Made) -> None:
    """All but learning by heart, at a rate for which random weights are too small."""
    why = {"overfitting": "random weights of width 32 do not learn by heart at the model's rate"}
    results = run_checks(SPECS[made.name], made.options, why)
    assert [r for r in results if r.outcome not in ("passed", "exempt")] == []


class TestWhatIsParticular:
    def test_vowel_signs_are_kept(self, tmp_path: Path) -> None:
        options = NamedOptions(folder=str(write_family(tmp_path / "muril", "muril-large")))
        tokenizer = QATokenizer.from_folder(SPECS["muril-large"].prepare(options, tmp_path))
        tokens = tokenizer.core.encode("?", "बाज़ार").tokens
        assert "".join(tokens[3:-1]).replace("##", "") == "बाज़ार"

    def test_ids_of_xlm_r_are_one_off_from_its_pieces(self, tmp_path: Path) -> None:
        import sentencepiece

        folder = write_family(tmp_path / "xlm-r", "xlm-r-large")
        options = NamedOptions(folder=str(folder))
        core = QATokenizer.from_folder(SPECS["xlm-r-large"].prepare(options, tmp_path)).core
        pieces = sentencepiece.SentencePieceProcessor(
            model_file=str(folder / "sentencepiece.bpe.model")
        )
        text = TEXTS["hi"]
        assert core.encode(text, add_special_tokens=False).ids == [
            number + 1 for number in pieces.encode(text)
        ]
        assert [core.token_to_id(name) for name in ("<s>", "<pad>", "</s>", "<unk>")] == [
            0,
            1,
            2,
            3,
        ]
        assert core.token_to_id("<mask>") == pieces.get_piece_size() + 1

    def test_half_of_mdeberta_s_weights_are_half_precision(self, tmp_path: Path) -> None:
        folder = write_family(tmp_path / "mdeberta", "mdeberta-v3-base")
        options = NamedOptions(folder=str(folder))
        prepared = SPECS["mdeberta-v3-base"].prepare(options, tmp_path)
        stored = load_file(prepared / "model.safetensors")
        assert {w.dtype for w in stored.values()} == {torch.float16, torch.float32}
        model = load_for_training(prepared, MODELS["mdeberta-v3-base"].protocol, 0)
        name = "deberta.encoder.layer.0.attention.self.query_proj.weight"
        assert torch.equal(model.state()[name], stored[name].float())

    def test_indicbert_v3_reads_both_ways(self, tmp_path: Path) -> None:
        folder = write_family(tmp_path / "v3", "indicbert-v3-270m")
        assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
        options = NamedOptions(folder=str(folder))
        prepared = SPECS["indicbert-v3-270m"].prepare(options, tmp_path)
        model = load_for_training(prepared, MODELS["indicbert-v3-270m"].protocol, 0)
        assert not model.reads_left_to_right()
