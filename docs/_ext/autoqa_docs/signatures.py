"""Signatures that people can read."""

import re
from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx

DEFAULT = re.compile(r"<(?:function [\w.]*(?:<lambda>)?|factory)>")
"""What Python shows of a default that is a function, or made anew each time."""


def readable(
    _: Sphinx, kind: str, __: str, thing: Any, ___: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Leaves out what only repeats the attributes, and addresses of functions.

    The fields of a model stand below it with their types; as arguments they would come with all
    that checks them.
    """
    if kind == "class" and isinstance(thing, type) and issubclass(thing, BaseModel):
        return "", None
    return (DEFAULT.sub("...", signature) if signature else signature), returns
