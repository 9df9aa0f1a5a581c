"""Which windows a model sees: tokenizer, window length and stride."""

import re
from dataclasses import dataclass

from autoqa.errors import DataError
from autoqa.store.candidate_record import windows_key

_KEY = re.compile(r"(?P<tokenizer>[0-9a-f]{12})-(?P<length>\d+)-(?P<stride>\d+)")


@dataclass(frozen=True, slots=True)
class WindowGroup:
    """Models of one group see the same windows, so their logits align.

    Attributes:
        tokenizer: Twelve hex digits, :attr:`autoqa.features.tokenizer.QATokenizer.key`.
        length: Tokens in a window.
        stride: Context tokens that neighbouring windows share.
    """

    tokenizer: str
    length: int
    stride: int

    def __str__(self) -> str:
        """The key that names the group on disk: ``0123456789ab-384-128``."""
        return f"{self.tokenizer}-{self.length}-{self.stride}"

    @classmethod
    def parse(cls, key: str) -> "WindowGroup":
        """The windows of the group that a key names, which may be that of one that votes alone.

        Raises:
            DataError: The key does not say a window length and a stride.
        """
        match = _KEY.fullmatch(windows_key(key))
        if match is None:
            raise DataError(
                f"group {key!r} does not say its window length and stride (as "
                "0123456789ab-384-128 does): its candidates are of another version of autoqa, "
                "search again."
            )
        return cls(match["tokenizer"], int(match["length"]), int(match["stride"]))
