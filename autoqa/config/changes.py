"""What differs between two versions of a study file, for a person who resumes a study."""

from collections.abc import Iterator, Mapping
from typing import Any

from autoqa.config.phrases import shown
from autoqa.config.problems import dotted
from autoqa.config.study import StudyFile

_LABELS = {("recipe", "portions"): ("name", "source"), ("recipe", "augmentations"): ("type",)}
"""Lists whose tables have a name of their own: a table added in front does not change the rest."""


def describe_changes(
    old: StudyFile | Mapping[str, Any], new: StudyFile | Mapping[str, Any]
) -> list[str]:
    """One line for each key that differs, such as ``recipe.length.high: 384 -> 448``.

    Defaults count as written out, so spelling a default out is no change.

    Args:
        old: The study as it was; a mapping is compared as it stands.
        new: The study as it is.
    """
    return list(_tables(_plain(old), _plain(new), ()))


def _plain(study: StudyFile | Mapping[str, Any]) -> Mapping[str, Any]:
    return study.model_dump(mode="json") if isinstance(study, StudyFile) else study


def _tables(old: Mapping[str, Any], new: Mapping[str, Any], at: tuple[str, ...]) -> Iterator[str]:
    for key in dict.fromkeys([*old, *new]):
        yield from _values(old.get(key), new.get(key), (*at, key))


def _values(old: Any, new: Any, at: tuple[str, ...]) -> Iterator[str]:
    where = _dotted(at)
    if _is_table(old) and _is_table(new):
        yield from _tables(old, new, at)
    elif _is_tables(old) and _is_tables(new):
        yield from _lists(old, new, at)
    elif old == new:
        return
    elif _is_table(old) or _is_table(new):
        if old is None:
            yield f"{where}: added"
        elif new is None:
            yield f"{where}: removed"
        else:
            yield f"{where}: {shown(old)} -> {shown(new)}"
    else:
        yield f"{where}: {shown(old)} -> {shown(new)}"


def _lists(old: Any, new: Any, at: tuple[str, ...]) -> Iterator[str]:
    before, after = _labelled(old, at), _labelled(new, at)
    yield from _tables(before, after, at)
    old_order = [key.strip("[]") for key in before if key in after]
    new_order = [key.strip("[]") for key in after if key in before]
    if old_order != new_order:
        yield f"{_dotted(at)}: order {', '.join(old_order)} -> {', '.join(new_order)}"


def _labelled(tables: Any, at: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    """Tables by the bracket that stands for them: their name where they have one, or the index."""
    labels = _LABELS.get((at[0], at[-1]), ())
    names = [[table[key] for key in labels if table.get(key)] for table in tables]
    return {
        f"[{[*name, i][0]}]": table
        for i, (name, table) in enumerate(zip(names, tables, strict=True))
    }


def _dotted(at: tuple[str, ...]) -> str:
    text = ""
    for part in at:
        if part.startswith("["):
            text += part
        else:
            text += f".{dotted((part,))}" if text else dotted((part,))
    return text


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, Mapping) for item in value)
