"""Which plugin an error comes from, by the code that raised it."""

import traceback

from autoqa.registry.catalogue import Catalogue
from autoqa.registry.records import Record

_API = "autoqa.api"


def plugin_at_fault(error: BaseException, catalogue: Catalogue) -> str | None:
    """Names the plugin whose code raised an error, or called what did.

    Code that is neither a plugin's nor this package's was called by one of them, so the innermost
    of those decides.

    Args:
        error: As it was caught.
        catalogue: The plugins of this machine.

    Returns:
        Such as ``augmentation 'random-crop' of autoqa-augmentations``; ``None`` if no plugin did.
    """
    package = None
    for frame, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
        module = str(frame.f_globals.get("__name__", ""))
        found = [each for each in catalogue.records if _module(each) == module]
        if found:
            names = " or ".join(f"{each.kind} {each.name!r}" for each in found)
            return f"{names} of {found[0].distribution}"
        if package is None:
            package = next((r for r in catalogue.records if _top(_module(r)) == _top(module)), None)
        if _top(module) == "autoqa" and not f"{module}.".startswith(f"{_API}."):
            break
    return None if package is None else f"a plugin of {package.distribution}"


def _module(record: Record) -> str:
    return record.entry_point.partition(":")[0]


def _top(module: str) -> str:
    return module.partition(".")[0]
