"""The Hugging Face client: its parts that autoqa uses, and how it keeps quiet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def endpoint() -> str:
    """The hub's address, as ``HF_ENDPOINT`` has it."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


def client_parts() -> Any:
    """``huggingface_hub.utils``, which finds most of its public names at run time only.

    Its ``httpx`` is whichever library the client's version speaks HTTP with.
    """
    import huggingface_hub.utils

    return huggingface_hub.utils


@contextmanager
def silent_client() -> Iterator[None]:
    """Keeps the client's own bars and warnings off the terminal: autoqa says what there is."""
    parts = client_parts()
    shown, verbosity = not parts.are_progress_bars_disabled(), parts.logging.get_verbosity()
    parts.logging.set_verbosity_error()
    try:
        if shown:
            parts.disable_progress_bars()
        yield
    finally:
        parts.logging.set_verbosity(verbosity)
        if shown:
            parts.enable_progress_bars()
