"""Backbones as this machine has prepared them, known without preparing them again.

Preparing converts weights, or fetches them, which is a worker's affair. Whoever only wants the
tokenizer finds the folder by a mark that the last preparation left in the cache.
"""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from autoqa.env import cache_folder
from autoqa.files import write_atomically
from autoqa.registry.bound import BoundBackbone


def prepare(backbone: BoundBackbone) -> Path:
    """Prepares a backbone and marks where it is; returns its folder in Hugging Face layout.

    Raises:
        AutoqaError: The plugin's own.
    """
    folder = backbone.spec.prepare(backbone.options, cache_folder())
    mark = _mark(backbone)
    with suppress(OSError):  # a cache that cannot be written costs a search nothing
        mark.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(mark, json.dumps({"folder": str(folder.resolve())}) + "\n")
    return folder


def prepared_folder(backbone: BoundBackbone) -> Path | None:
    """Where a backbone is that was prepared here before, if it still is there."""
    try:
        folder = Path(json.loads(_mark(backbone).read_text(encoding="utf-8"))["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if (folder / "tokenizer.json").is_file() else None


def known_tokenizer(backbone: BoundBackbone) -> Path | None:
    """The folder with a backbone's ``tokenizer.json``, of which its plugin may know before."""
    told = backbone.facts().tokenizer
    return prepared_folder(backbone) if told is None else told.parent


def _mark(backbone: BoundBackbone) -> Path:
    content = [backbone.spec.name, backbone.options.model_dump(mode="json")]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return cache_folder() / "backbones" / f"{digest[:16]}.json"
