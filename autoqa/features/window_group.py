"""Which windows a model sees: tokenizer, window length and stride."""

import re

from autoqa.errors import DataError

_GROUP = re.compile(r"[0-9a-f]{12}-(?P<length>\d+)-(?P<stride>\d+)")


def window_size(group: str) -> tuple[int, int]:
    """Length and stride of a group's windows, in tokens.

    Raises:
        DataError: The group's key does not say them.
    """
    match = _GROUP.fullmatch(group)
    if match is None:
        raise DataError(
            f"group {group!r} does not say its window length and stride (as 0123456789ab-384-128 "
            "does): its candidates are of another version of autoqa, search again."
        )
    return int(match["length"]), int(match["stride"])
