"""What a plugin says of itself, as lines and tables and as an object."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from autoqa.registry.description import OptionDescription, PluginDescription

if TYPE_CHECKING:
    from rich.console import RenderableType


def as_object(description: PluginDescription) -> dict[str, Any]:
    """A description for JSON."""
    found = asdict(description)
    found["options"] = [_option(each) for each in description.options]
    found["protocol"] = None
    if description.protocol is not None:
        found["protocol"] = [_option(each) for each in description.protocol]
    return found


def _option(option: OptionDescription) -> dict[str, Any]:
    return {**asdict(option), "required": option.default is None}


def renderables(description: PluginDescription) -> "Iterator[RenderableType]":
    """A description's lines and tables, in order."""
    from rich.text import Text

    yield Text.assemble(f"{description.kind} ", (description.name, "bold"))
    yield Text(description.summary)
    yield Text("")
    for name, value in _facts(description):
        yield Text(f"{name}: {value}")
    if description.options:
        yield Text("")
        yield _table("option", description.options)
    elif description.kind != "metric":
        yield Text("options: none")
    if description.protocol is not None:
        yield Text("")
        yield _table("protocol", description.protocol)


def _facts(description: PluginDescription) -> Iterator[tuple[str, str]]:
    yield "package", f"{description.distribution} {description.version}"
    yield "entry point", description.entry_point
    yield "plugin API", str(description.api_version)
    for name, value in description.facts.items():
        yield name, ", ".join(value) if isinstance(value, tuple) else str(value)
    if description.unasked:
        yield "not known yet", description.unasked
    elif description.kind != "metric":
        yield "missing here", description.missing or "nothing"


def _table(heading: str, options: tuple[OptionDescription, ...]) -> "RenderableType":
    from rich.text import Text

    from autoqa.report.tables import folded, table

    made = table(*folded(heading, "type", "default", "meaning"), edge=False)
    for option in options:
        default = "required" if option.default is None else option.default
        made.add_row(Text(option.name, "bold"), *map(Text, (option.type, default, option.meaning)))
    return made
