"""Held-out documents dealt into folds, each of which is held back in turn."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from autoqa.data.near import Sketches
from autoqa.data.split import document_groups
from autoqa.errors import ConfigError
from autoqa.types import Example


def deal(
    examples: Sequence[Example], count: int, sketches: Sketches | None = None
) -> list[tuple[str, ...]]:
    """Deals documents into folds of about as many examples each.

    Documents with equal or nearly equal contexts, or with a passage in common, go together. The
    largest are dealt first, each to the fold that has the fewest examples until then; of equals a
    hash of the name decides, so the folds are the same on every machine and in whatever order the
    examples are.

    Args:
        examples: All that is held out.
        count: Folds, at least two.
        sketches: Shared by all that look at the same contexts.

    Returns:
        The documents of each fold, sorted; none is empty.

    Raises:
        ConfigError: There are fewer documents than folds, or fewer than two folds.
    """
    groups = document_groups(examples, sketches)
    sizes = Counter(groups[example.document] for example in examples)
    if not 2 <= count <= len(sizes):
        raise ConfigError(
            f"folds = {count}: the {len(examples)} held-out rows are about {len(sizes)} documents "
            "that share no text, each of which goes into one fold: ask for 2 folds or more, and "
            f"at most {len(sizes)}"
        )
    folds: list[set[str]] = [set() for _ in range(count)]
    dealt = [0] * count
    for group in sorted(sizes, key=lambda name: (-sizes[name], _rank(name))):
        fold = dealt.index(min(dealt))
        folds[fold].add(group)
        dealt[fold] += sizes[group]
    return [tuple(sorted(d for d, group in groups.items() if group in fold)) for fold in folds]


def _rank(name: str) -> bytes:
    return sha256(name.encode()).digest()
