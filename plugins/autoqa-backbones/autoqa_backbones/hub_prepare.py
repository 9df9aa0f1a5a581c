"""What the backbone ``huggingface`` makes of a model's folder, so that training can read it."""

import hashlib
import re
import shutil
from pathlib import Path

from autoqa.api import ConfigError, MissingAssetError
from autoqa_backbones.architectures import attends_to_both_sides, both_sides
from autoqa_backbones.folders import (
    SMALL_FILES,
    is_complete,
    published,
    weight_files,
    write_json,
)
from autoqa_backbones.hub_convert import convert_weights
from autoqa_backbones.hub_layout import TOKENIZER_FILES, read_config
from autoqa_backbones.hub_tokenizer import begins_with_text, name_texts, surround


def arranged(folder: Path, cache: Path, *, bidirectional: bool, named: bool = False) -> Path:
    """A folder that training reads: the given one, or a copy with what it lacks or needs changed.

    Args:
        folder: Configuration, weights and tokenizer of any kind.
        cache: autoqa's cache folder.
        bidirectional: Whether the configuration is to say that the model attends to both sides.
        named: Whether question and context get their names before them, where the tokenizer puts
            nothing there: the way of T5.

    Raises:
        MissingAssetError: No fast tokenizer can be made of the files that are there, or pickled
            weights hold more than tensors.
        ConfigError: The tokenizer has no special token.
    """
    if not is_complete(folder):
        folder = _completed(folder, cache)
    config = read_config(folder)
    turned = bidirectional and not attends_to_both_sides(config)
    if not turned and not begins_with_text(folder):
        return folder

    def make(target: Path) -> None:
        for name in SMALL_FILES:
            shutil.copyfile(folder / name, target / name)
        if turned:
            write_json(target / "config.json", both_sides(config))
        if begins_with_text(folder):
            try:
                (name_texts if named else surround)(folder, target)
            except ValueError as error:
                raise ConfigError(f"the tokenizer in {folder} {error}") from error
        _link_weights(folder, target)

    what = "both" if turned else "named" if named else "pair"
    return published(cache, f"{_folder_name(folder)}-{what}", make)


def _completed(folder: Path, cache: Path) -> Path:
    """A folder with the same weights and with the files that training reads."""

    def make(target: Path) -> None:
        own: tuple[str, ...] = SMALL_FILES
        if not all((folder / name).is_file() for name in own):
            _save_tokenizer(folder, target)
            own = ("config.json", "tokenizer.json")
        for name in own:
            if (folder / name).is_file():  # the author's own, byte for byte
                shutil.copyfile(folder / name, target / name)
        if weight_files(folder):
            _link_weights(folder, target)
        else:
            convert_weights(folder, target)

    return published(cache, _folder_name(folder), make)


def _link_weights(folder: Path, target: Path) -> None:
    """Links, where the file system allows it, else copies."""
    for name in weight_files(folder):
        source = (folder / name).resolve()
        try:
            (target / name).symlink_to(source)
        except OSError:  # Windows without the privilege
            shutil.copyfile(source, target / name)


def _save_tokenizer(folder: Path, target: Path) -> None:
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
        tokenizer.save_pretrained(str(target))
    # Whatever a tokenizer class raises on files that it cannot read: all kinds were seen.
    except Exception as error:
        raise MissingAssetError(_no_tokenizer(folder, str(error))) from error
    if not (target / "tokenizer.json").is_file():
        raise MissingAssetError(
            _no_tokenizer(folder, f"{type(tokenizer).__name__} has no fast form")
        )


def _no_tokenizer(folder: Path, cause: str) -> str:
    present = [name for name in TOKENIZER_FILES if (folder / name).is_file()]
    reason = cause.strip().splitlines()[0] if cause.strip() else "no reason given"
    return (
        f"no tokenizer.json could be made of {', '.join(present)} in {folder}: {reason}; put a "
        "tokenizer.json there (a sentence-piece model may need `pip install sentencepiece`)"
    )


def _folder_name(folder: Path) -> str:
    """Name of the prepared folder: a label, and a hash of the path and of file sizes and times."""
    resolved = folder.resolve()
    snapshot = re.match(r".*/models--([^/]+)/snapshots/[0-9a-f]+$", resolved.as_posix())
    label = re.sub(r"[^\w.-]+", "-", snapshot[1] if snapshot else resolved.name)
    digest = hashlib.sha256(resolved.as_posix().encode())
    for path in sorted(resolved.iterdir()):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path.name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return f"hf-{label}-{digest.hexdigest()[:12]}"
