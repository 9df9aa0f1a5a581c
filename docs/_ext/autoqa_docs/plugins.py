"""The reference of plugins: what each of the project's own is, and what its options mean."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from autoqa.api import TrainingProtocol
from autoqa.errors import PluginError
from autoqa.registry import discover
from autoqa.registry.catalogue import Catalogue
from autoqa.registry.description import (
    OptionDescription,
    PluginDescription,
    describe,
    option_descriptions,
)
from autoqa.registry.records import GROUPS, Record
from autoqa.scores.registry import all_metrics
from autoqa_docs.markup import GeneratedPart, code, heading, marked, paragraphs, table, typed

OWN = ("autoqa-augmentations", "autoqa-backbones", "autoqa-sources")
"""The packages that come with the project."""

MANY_LANGUAGES = 4
"""From so many on, a table says their number, and a list below it which they are."""

FEW = 3
"""Names of plugins that a heading holds."""

T = TypeVar("T")
K = TypeVar("K")


class PluginsPart(GeneratedPart):
    """``.. plugins:: KIND``: all plugins of a kind; what several share stands there once."""

    required_arguments = 1

    def text(self) -> str:
        """An overview, then options, and of backbones protocols and languages."""
        kind = self.arguments[0]
        if kind not in GROUPS:
            raise self.error(f"no kind of plugin is called {kind!r}: there are {', '.join(GROUPS)}")
        if kind == "metric":
            return metrics()
        plugins = [describe_itself(each) for each in own_catalogue().records if each.kind == kind]
        return paragraphs(
            [
                overview(plugins),
                *options(plugins),
                *protocols(plugins),
                *languages(plugins),
                *citations(plugins),
            ]
        )


def own_catalogue() -> Catalogue:
    """The plugins of the project's own packages.

    Raises:
        PluginError: A package is not installed, or one of its plugins cannot be used.
    """
    records = tuple(each for each in discover().records if each.distribution in OWN)
    absent = sorted(set(OWN) - {each.distribution for each in records})
    broken = [f"{each.kind} {each.name}: {each.failure}" for each in records if each.failure]
    if absent or broken:
        problems = "; ".join([*(f"{name} is not installed" for name in absent), *broken])
        raise PluginError(f"the reference needs all plugins of the project: {problems}")
    return Catalogue(records=records)


def describe_itself(record: Record) -> PluginDescription:
    """What a plugin says, with a word for each option that it requires."""
    described = option_descriptions(record.spec.options)  # type: ignore[union-attr]
    return describe(record, {each.name: "x" for each in described if each.default is None})


def grouped(items: Iterable[tuple[K, T]]) -> dict[K, list[T]]:
    """What belongs to the same key, keys in their first order."""
    found: dict[K, list[T]] = {}
    for key, each in items:
        found.setdefault(key, []).append(each)
    return found


def named(names: Sequence[str]) -> str:
    """Names of plugins, with commas between them."""
    return ", ".join(map(code, names))


def overview(plugins: Sequence[PluginDescription]) -> str:
    """A table of what each plugin is, with its licence and languages where some have them."""
    facts = [name for name in ("languages", "licence") if any(name in p.facts for p in plugins)]
    rows = [
        [code(plugin.name), marked(plugin.summary), *(fact(plugin, name) for name in facts)]
        for plugin in plugins
    ]
    return table(["``type``", "what it is", *facts], rows)


def fact(plugin: PluginDescription, name: str) -> str:
    """A cell: the licence, or languages as codes or their number."""
    value = plugin.facts.get(name, "")
    if not isinstance(value, tuple):
        return marked(value)
    return ", ".join(value) if len(value) < MANY_LANGUAGES else str(len(value))


def options(plugins: Sequence[PluginDescription]) -> Iterable[str]:
    """A table for each set of plugins that share options; those of most plugins come first."""
    owners = grouped((option, p.name) for p in plugins for option in p.options)
    groups = grouped((tuple(names), option) for option, names in owners.items())
    if groups:
        yield heading("Options", 2)
    without = [p.name for p in plugins if not p.options]
    if without:
        yield f"{named(without)}: none."
    for names, shared in sorted(groups.items(), key=lambda group: -len(group[0])):
        if len(names) <= FEW:
            yield heading(named(names), 3)
        else:
            yield paragraphs([heading(f"Of {len(names)} plugins", 3), f"{named(names)}."])
        yield table(["key", "takes", "left out", "meaning"], map(option_row, shared))


def option_row(option: OptionDescription) -> list[str]:
    """One option."""
    default = "required" if option.default is None else code(option.default)
    if option.default in ("none", '""'):
        default = "none"
    return [code(option.name), typed(option.type), default, marked(option.meaning)]


def protocols(plugins: Sequence[PluginDescription]) -> Iterable[str]:
    """What backbones change about fine-tuning; those that change the same in one row."""
    plain = {each.name: each.default for each in option_descriptions(TrainingProtocol)}
    changes = grouped(
        (tuple(key for key in p.protocol if key.default != plain[key.name]), p.name)
        for p in plugins
        if p.protocol is not None
    )
    if changes:
        yield heading("Protocols", 2)
        yield (
            "How each is fine-tuned where it is not by the defaults of "
            "``[backbones.NAME.protocol]``, for the defaults of its own options."
        )
        rows = [
            [named(names), ", ".join(code(f"{key.name} = {key.default}") for key in keys)]
            for keys, names in changes.items()
        ]
        yield table(["``type``", "protocol"], rows)


def languages(plugins: Sequence[PluginDescription]) -> Iterable[str]:
    """The codes of languages, where they are many."""
    known = grouped((p.facts.get("languages", ()), p.name) for p in plugins)
    rows = [
        [named(names), ", ".join(sorted(codes))]
        for codes, names in known.items()
        if len(codes) >= MANY_LANGUAGES
    ]
    if rows:
        yield heading("Languages", 2)
        yield table(["``type``", "codes"], rows)


def citations(plugins: Sequence[PluginDescription]) -> Iterable[str]:
    """What papers should cite."""
    works = grouped((p.facts["citation"], p.name) for p in plugins if "citation" in p.facts)
    if works:
        yield heading("To cite", 2)
        rows = [[named(names), marked(work)] for work, names in works.items()]
        yield table(["``type``", "work"], rows)


def metrics() -> str:
    """The metrics that autoqa brings itself."""
    rows = [
        [
            code(metric.name),
            marked(metric.summary),
            f"{metric.low:g} to {metric.high:g}",
            "higher" if metric.higher_is_better else "lower",
            metric.segmentation,
        ]
        for metric in all_metrics()
    ]
    return table(["``metric``", "what it is", "scores", "better", "words cut at"], rows)
