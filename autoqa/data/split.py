"""The validation set, cut out by whole documents."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from autoqa.config.study import ValidationTable
from autoqa.data.near import NearIndex, Sketches, plain
from autoqa.errors import DataError
from autoqa.scores.planned_interval import expected_half_width
from autoqa.types import Example

_FEWEST = 2
_FEW = 30


@dataclass(frozen=True, slots=True)
class Split:
    """One source in three parts; no document is in two of them.

    Attributes:
        public: What the search sees.
        private: What stays sealed.
        rest: What may be trained on; with folds, the public part is among it.
        notes: Sentences for people.
    """

    public: tuple[Example, ...]
    private: tuple[Example, ...]
    rest: tuple[Example, ...]
    notes: tuple[str, ...] = ()


def split(
    examples: Sequence[Example], validation: ValidationTable, sketches: Sketches | None = None
) -> Split:
    """Holds out documents for validation.

    Documents are ordered by a hash of seed and name, so the split is the same on every machine
    and under every version of every library. Documents with equal or nearly equal contexts, or
    with a passage in common, count as one, whatever they are called. Of the held-out documents
    only the rows in the validation's languages are scored; the others are not trained on either.

    Each language's documents are divided by the same shares, to within one document: a document
    whose rows are in several languages goes as one, and documents with the same languages make a
    stratum of their own. Both parts are in the order of documents and ids, whatever the order of
    the source.

    With folds, all documents that are not sealed are public; :mod:`autoqa.data.folds` deals them.

    Args:
        examples: The rows of the source that validates.
        validation: How much is held out, and how it is divided.
        sketches: Shared by all that look at the same contexts.

    Raises:
        DataError: A language is absent, or a part would have fewer than two documents.
    """
    spoken = {example.language for example in examples}
    wanted = set(validation.languages) if validation.languages is not None else spoken
    absent = sorted(wanted - spoken)
    if absent:
        raise DataError(
            f"validation.languages: sources.{validation.source} has no rows in "
            f"{', '.join(absent)}; it has {', '.join(sorted(spoken))}."
        )
    groups = document_groups(examples, sketches)
    ordered = _ordered(_languages(examples, groups, wanted), validation.seed)
    held = round(validation.share * len(ordered))
    public = round(validation.public * held)
    _check_sizes(validation, len(ordered), public, held - public)
    part = {name: index < public for index, name in enumerate(ordered[:held])}
    if validation.folds:
        part.update((name, True) for name in ordered[held:])
        public += len(ordered) - held
    sides: dict[bool | None, list[Example]] = {True: [], False: [], None: []}
    for example in examples:
        side = part.get(groups[example.document])
        if side is None or example.language in wanted:
            sides[side].append(example)
        if side and validation.folds:
            sides[None].append(example)
    for part_rows in (sides[True], sides[False]):
        part_rows.sort(key=lambda example: (example.document, example.id, example.language))
    scored_parts = {"public": sides[True], "private": sides[False]}
    counts = {"public": public, "private": len(part) - public}
    notes = _doubts(scored_parts, counts, wanted)
    return Split(tuple(sides[True]), tuple(sides[False]), tuple(sides[None]), tuple(notes))


def _check_sizes(validation: ValidationTable, documents: int, public: int, private: int) -> None:
    if min(public, private) < _FEWEST:
        raise DataError(
            f"validation: sources.{validation.source} has {documents} documents; share = "
            f"{validation.share:g} and public = {validation.public:g} make {public} public and "
            f"{private} private ones, but each part needs at least {_FEWEST}: "
            "raise share, move public towards 0.5, or add documents."
        )


def _languages(
    examples: Sequence[Example], groups: Mapping[str, str], wanted: set[str]
) -> dict[str, set[str]]:
    """The wanted languages of each document that has rows in one."""
    languages: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        if example.language in wanted:
            languages[groups[example.document]].add(example.language)
    return languages


def _ordered(languages: Mapping[str, set[str]], seed: int) -> list[str]:
    """Documents so that the first n of them hold the same share of every stratum."""
    strata: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in sorted(languages, key=lambda name: _rank(seed, name)):
        strata[tuple(sorted(languages[name]))].append(name)
    places = {
        name: (index + 0.5) / len(names)
        for names in strata.values()
        for index, name in enumerate(names)
    }
    return sorted(places, key=lambda name: (places[name], _rank(seed, name)))


def _doubts(
    parts: Mapping[str, Sequence[Example]], documents: Mapping[str, int], wanted: set[str]
) -> list[str]:
    """What makes scores on the parts uncertain, in sentences."""
    notes = []
    for name, examples in parts.items():
        silent = sorted(wanted - {example.language for example in examples})
        if silent:
            notes.append(
                f"validation: the {name} part has no document in {', '.join(silent)}; raise share."
            )
    if min(documents.values()) < _FEW:
        widths = " and ".join(
            f"±{expected_half_width(len(examples), documents[name]):.2f} on the {name} part "
            f"({len(examples)} questions about {documents[name]} documents)"
            for name, examples in parts.items()
        )
        notes.append(
            f"validation: a part has fewer than {_FEW} documents; expect 95 % intervals of about "
            f"{widths}, which are themselves uncertain."
        )
    return notes


def document_groups(
    examples: Sequence[Example], sketches: Sketches | None = None
) -> dict[str, str]:
    """Document to the first name, by alphabet, of all documents that it shares a context with."""
    parent = {example.document: example.document for example in examples}

    def root(name: str) -> str:
        while parent[name] != name:
            parent[name] = name = parent[parent[name]]
        return name

    def join(name: str, other: str) -> None:
        low, high = sorted((root(name), root(other)))
        parent[high] = low

    holder: dict[str, str] = {}  # many questions share one context
    for example in examples:
        join(holder.setdefault(example.context, example.document), example.document)
    owner: dict[str, str] = {}
    for context, document in holder.items():
        join(owner.setdefault(plain(context), document), document)
    contexts = list(holder)
    for near in NearIndex(contexts, sketches).find(contexts):
        join(holder[contexts[near.text]], holder[contexts[near.held]])
    return {name: root(name) for name in parent}


def _rank(seed: int, name: str) -> bytes:
    return sha256(f"{seed}\n{name}".encode()).digest()
