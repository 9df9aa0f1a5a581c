"""A user's questions without answers, kept with the run whose pupils learn from them."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from autoqa.errors import MissingAssetError
from autoqa.files import write_atomically
from autoqa.store.example_lines import from_line, to_line
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example

_PREFIX = "unlabelled:"
"""No source of a study file has a colon in its name."""


def is_unlabelled(source: str) -> bool:
    """Whether a recipe's source is one of these, and none of the study file."""
    return source.startswith(_PREFIX)


def keep_unlabelled(folder: RunFolder, examples: Sequence[Example]) -> str:
    """Writes examples down.

    Args:
        folder: The study's run folder.
        examples: What is asked; answers and sources are not kept.

    Returns:
        Name of the source that recipes draw them from; equal for equal examples.
    """
    text = "".join(to_line(replace(each, answers=(), source="")) for each in examples)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    path = folder.unlabelled / f"{digest}.jsonl"
    if not path.is_file():
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, text)
    return f"{_PREFIX}{digest}"


def load_unlabelled(folder: RunFolder, source: str) -> tuple[Example, ...]:
    """What :func:`keep_unlabelled` wrote, in a source of that name.

    Raises:
        MissingAssetError: It is not there any more.
        DataError: It is damaged.
    """
    path = folder.unlabelled / f"{source.removeprefix(_PREFIX)}.jsonl"
    if not path.is_file():
        raise MissingAssetError(
            f"{path} does not exist: the questions without answers that a pupil learned from were "
            "removed; give `autoqa export --distil` their file again"
        )
    with path.open(encoding="utf-8") as lines:
        return tuple(
            replace(from_line(line, f"{path}:{number}"), source=source)
            for number, line in enumerate(lines, 1)
        )
