"""What is said of a config.json without transformers being imported."""

import subprocess
import sys

import pytest
from autoqa_backbones.architectures import both_sides, installed_types, refusal


@pytest.mark.parametrize(
    "kind",
    [
        *("bert", "xlm-roberta", "deberta-v2", "rembert", "modernbert", "eurobert", "nomic_bert"),
        *("gte", "longformer", "big_bird", "led", "bart", "t5", "mt5", "umt5", "longt5", "xlnet"),
        *("electra", "mpnet", "fnet", "albert", "distilbert", "roformer", "bert-generation"),
    ],
)
def test_encoders_pass(kind: str) -> None:
    assert refusal({"model_type": kind, "vocab_size": 100}) is None


@pytest.mark.parametrize(
    "kind, said",
    [
        *((kind, "so it reads from left to right") for kind in (
            "falcon", "gptj", "mpt", "bloom", "gpt2", "llama", "qwen3", "mistral", "opt",
            "modernbert-decoder", "gemma3_text",
        )),
        ("reformer", "hashes tokens at random"),
        ("lxmert", "answers questions about pictures"),
        ("layoutlmv3", "reads pictures of pages"),
        ("vit", "is no encoder of text"),
        ("whisper", "is no encoder of text"),
        ("mine", "for which the installed transformers has no model"),
    ],
)  # fmt: skip
def test_each_other_kind_gets_one_sentence_with_a_way_out(kind: str, said: str) -> None:
    sentence = refusal({"model_type": kind}) or ""
    assert said in sentence
    assert sentence.startswith(f"has model_type '{kind}'")
    assert "take an encoder of text such as bert" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "gemma3_text", "use_bidirectional_attention": True},
        {"model_type": "llama", "is_causal": False},
    ],
)
def test_decoders_that_attend_to_both_sides_are_encoders(config: dict[str, object]) -> None:
    assert refusal(config) is None
    bare = {"model_type": config["model_type"]}
    assert "bidirectional = true" in (refusal(bare) or "")
    assert both_sides(bare) == config


def test_an_encoder_that_is_made_a_decoder_is_none() -> None:
    assert "is_decoder = true" in (refusal({"model_type": "bert", "is_decoder": True}) or "")


@pytest.mark.parametrize("config", [{}, {"model_type": 7}])
def test_no_kind(config: dict[str, object]) -> None:
    assert "states no model_type" in (refusal(config) or "")


def test_the_lists_are_those_of_transformers() -> None:
    from transformers.models.auto import modeling_auto

    for name in ("MODEL_MAPPING_NAMES", "MODEL_FOR_MASKED_LM_MAPPING_NAMES"):
        assert installed_types()[name] == set(getattr(modeling_auto, name))


def test_neither_torch_nor_transformers_is_imported() -> None:
    code = (
        "import sys; from autoqa_backbones import hub; from autoqa_backbones.architectures import "
        "refusal; refusal({'model_type': 'bert'}); "
        "sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
