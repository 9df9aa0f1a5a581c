"""The parts of the backbone ``huggingface`` that need huggingface_hub and transformers."""

import hashlib
import re
import shutil
from pathlib import Path

from autoqa.api import ConfigError, MissingAssetError
from autoqa_backbones.folders import published, weight_files
from autoqa_backbones.hub_layout import (
    PATTERNS,
    TOKENIZER_FILES,
    HuggingFaceOptions,
    download_command,
    read_config,
)


def download(options: HuggingFaceOptions) -> Path:
    """Fetches a snapshot: config, tokenizer and safetensors, nothing else.

    Raises:
        MissingAssetError: The hub has no such model or cannot be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(
            snapshot_download(
                options.model, revision=options.revision, allow_patterns=list(PATTERNS)
            )
        )
    except (OSError, ValueError, HfHubHTTPError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise MissingAssetError(
            f"the model {options.model} (revision {options.revision}) could not be fetched from "
            f"the Hugging Face hub: {reason}; try `{download_command(options)}`, or set `model` "
            "to a local folder"
        ) from error


def check_architecture(folder: Path) -> None:
    """Refuses what transformers has no question-answering model for.

    Raises:
        ConfigError: Its ``model_type`` is unknown, or has no head for spans.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES as QA_MODEL_TYPES,
    )

    config = read_config(folder)
    model_type = config.get("model_type")
    if model_type not in QA_MODEL_TYPES:
        remote = " with code of its own, which autoqa never runs," if "auto_map" in config else ""
        raise ConfigError(
            f"{folder / 'config.json'} has model_type {model_type!r}{remote} for which the "
            "installed transformers has no question-answering model; take an encoder such as "
            "bert, xlm-roberta, rembert or deberta-v2"
        )


def with_tokenizer(folder: Path, cache: Path) -> Path:
    """A folder with the same weights and with the tokenizer files that training reads.

    The weights are linked, not copied, where the file system allows it.

    Raises:
        MissingAssetError: No fast tokenizer can be made of the files that are there.
    """

    def make(target: Path) -> None:
        _save_tokenizer(folder, target)
        for name in ("config.json", "tokenizer.json"):
            if (folder / name).is_file():  # the author's own, byte for byte
                shutil.copyfile(folder / name, target / name)
        for name in weight_files(folder):
            source = (folder / name).resolve()
            try:
                (target / name).symlink_to(source)
            except OSError:  # Windows without the privilege
                shutil.copyfile(source, target / name)

    return published(cache, _folder_name(folder), make)


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
