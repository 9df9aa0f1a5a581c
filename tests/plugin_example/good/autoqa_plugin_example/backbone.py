"""A backbone that is a folder somewhere on disk."""

import shutil
import tempfile
from pathlib import Path

from autoqa.api import BackboneSpec, Options, TrainingProtocol


class FolderOptions(Options):
    """Keys of the backbone's table.

    Attributes:
        folder: Where the model is.
        frozen: Leave the embeddings as they are.
    """

    folder: Path
    frozen: bool = False


def _protocol(options: FolderOptions) -> TrainingProtocol:
    return TrainingProtocol(learning_rate=5e-5, freeze_embeddings=options.frozen)


def _prepare(options: FolderOptions, cache: Path) -> Path:
    target = cache / options.folder.name
    if target.is_dir():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".example-") as folder:
        copy = Path(shutil.copytree(options.folder, Path(folder) / "copy"))
        try:
            copy.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
    return target


def _missing(options: FolderOptions) -> str | None:
    if options.folder.is_dir():
        return None
    return f"there is no folder {options.folder}; copy the model there"


def _licence(options: FolderOptions) -> str:
    return "unknown"


spec = BackboneSpec(
    name="example-encoder",
    summary="An encoder in a folder",
    options=FolderOptions,
    protocol=_protocol,
    prepare=_prepare,
    missing=_missing,
    licence=_licence,
    api_version=1,
)
