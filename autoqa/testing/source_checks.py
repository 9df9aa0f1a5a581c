"""What a source has to do."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from autoqa.api import AutoqaError, DataError, Example, MissingAssetError, SourceSpec
from autoqa.data.checks import checked
from autoqa.testing.check import Check, CheckFailedError, NotApplicableError, require
from autoqa.testing.spec_checks import OPTION_CHECKS, SPEC_CHECKS, fresh_run
from autoqa.testing.subject import Subject

MISSING_SECONDS = 1.0
"""What asking a plugin what is missing may take."""

_ISO = re.compile(r"[a-z]{2,3}")

SourceSubject = Subject[SourceSpec]


def loaded(source: SourceSubject, options: Any = None) -> list[Example]:
    """All rows of a source.

    Args:
        source: The source.
        options: Other options than its own.
    """
    sentence = source.spec.missing(source.options)
    if sentence is not None:
        raise NotApplicableError(f"not on this machine: {sentence}")
    rows = list(source.spec.load(source.options if options is None else options))
    require(rows, "load gives no row with these options; give options that select some")
    for number, row in enumerate(rows, start=1):
        require(
            isinstance(row, Example),
            f"row {number} is of type {type(row).__name__}, not autoqa.api.Example",
        )
    return rows


def check_rows(source: SourceSubject) -> None:
    """Texts, offsets and languages are what a study takes."""
    try:
        checked(loaded(source), source.spec.name)
    except DataError as error:
        raise CheckFailedError(str(error)) from error


def check_offsets(source: SourceSubject) -> None:
    """Every answer stands at its offset."""
    for row in loaded(source):
        for answer in row.answers:
            there = row.context[max(0, answer.start) : answer.end]
            require(
                there == answer.text and answer.start >= 0,
                f"row {row.id!r}: context[{answer.start}:{answer.end}] is {there[:40]!r}, not the "
                f"answer {answer.text[:40]!r}",
            )


def check_ids(source: SourceSubject) -> None:
    """No two rows of a language have one id."""
    seen: set[tuple[str, str]] = set()
    for row in loaded(source):
        require(
            (row.id, row.language) not in seen,
            f"two rows have the id {row.id!r}; make ids unique, by a number of the row if need be",
        )
        seen.add((row.id, row.language))


def check_languages(source: SourceSubject) -> None:
    """Languages are ISO codes."""
    for row in loaded(source):
        require(
            _ISO.fullmatch(row.language),
            f"row {row.id!r}: its language is {row.language!r}, not an ISO 639 code such as 'hi'",
        )


def check_order(source: SourceSubject) -> None:
    """Loading twice gives the same rows in the same order."""
    first, second = loaded(source), loaded(source)
    require(
        len(first) == len(second),
        f"loading twice gives {len(first)} rows, then {len(second)}; keys of a study would change",
    )
    for number, (row, other) in enumerate(zip(first, second, strict=True), start=1):
        require(
            row == other,
            f"loading twice gives another row {number}: {row.id!r}, then {other.id!r}; take "
            "randomness from an option `seed`, and sort what comes from sets and folders",
        )


def check_language_filter(source: SourceSubject) -> None:
    """The option ``languages`` leaves exactly the rows in them."""
    model = source.spec.options
    if "languages" not in model.model_fields:
        raise NotApplicableError("it has no option `languages`")
    rows = loaded(source)
    for language in sorted({row.language for row in rows}):
        wanted = [row for row in rows if row.language == language]
        narrowed = source.options.model_copy(update={"languages": (language,)})
        given = loaded(source, narrowed)
        strangers = sorted({row.language for row in given} - {language})
        require(not strangers, f"languages = [{language!r}] lets {', '.join(strangers)} through")
        require(
            given == wanted,
            f"languages = [{language!r}] gives {len(given)} rows, and without it {len(wanted)} "
            "rows are in that language, or they come in another order",
        )


class _NetworkUsedError(OSError):
    """Something wanted to reach another machine."""


@contextmanager
def offline() -> Iterator[None]:
    """Nothing in this process reaches another machine, nor this one by its network."""

    def blocked(*_: object, **__: object) -> None:
        raise _NetworkUsedError("the check allows no network")

    with (
        patch.multiple(socket.socket, connect=blocked, connect_ex=blocked),
        patch.multiple(socket, getaddrinfo=blocked, create_connection=blocked),
    ):
        yield


def check_offline(source: SourceSubject) -> None:
    """Without a network it works, or says what it needs."""
    with offline():
        try:
            sentence = source.spec.missing(source.options)
        except OSError as error:
            raise CheckFailedError(f"missing asks the network: {error}") from error
        if sentence is not None:
            require(sentence.strip(), "missing gives an empty sentence; say what to get, and how")
            return
        try:
            loaded(source)
        except MissingAssetError as error:
            raise CheckFailedError(
                f"missing says that nothing is missing, yet load wants {error}"
            ) from error
        except OSError as error:
            raise CheckFailedError(
                f"missing says that nothing is missing, yet load asks the network: {error}"
            ) from error


def check_damaged_rows(source: SourceSubject) -> None:
    """A row that cannot be used is named with file and line."""
    if source.damaged is None:
        raise NotApplicableError(
            "no options for damaged rows are given; where the source reads files, give some"
        )
    try:
        list(source.spec.load(source.damaged.options))
    except DataError as error:
        require(
            source.damaged.place in str(error),
            f"the error does not say {source.damaged.place!r}: {error}",
        )
    except AutoqaError as error:
        raise CheckFailedError(f"a damaged row raises no DataError but {error!r}") from error
    else:
        raise CheckFailedError("damaged rows are loaded without an error")


def check_missing(source: SourceSubject) -> None:
    """Asking what is missing is quick and light."""
    check_light(source)


def check_light(subject: Subject[Any]) -> None:
    """Functions that are asked before anything is loaded are quick, and import nothing heavy."""
    costs = fresh_run(subject).costs
    for name in costs.keys() - {"import"}:
        require(not costs[name].failure, f"{name} failed: {costs[name].failure}")
        heavy = ", ".join(costs[name].heavy)
        require(
            not heavy, f"{name} imports {heavy}; importlib.util.find_spec tells what is installed"
        )
        require(
            costs[name].seconds < MISSING_SECONDS,
            f"{name} takes {costs[name].seconds:.1f} s; it should take less than "
            f"{MISSING_SECONDS:.0f} s",
        )


def check_raw_rows(source: SourceSubject) -> None:
    """``rows`` has all that ``load`` gives."""
    if source.spec.rows is None:
        raise NotApplicableError("it gives no `rows`")
    examples = loaded(source)
    raw = {(row.question.strip(), row.context) for row in source.spec.rows(source.options)}
    raw_contexts = {context for _, context in raw}
    for example in examples:
        require(
            (example.question.strip(), example.context) in raw
            or example.context not in raw_contexts,
            f"load gives the row {example.id!r}, whose question rows does not have",
        )
    require(
        len(raw) >= len({(e.question, e.context) for e in examples}),
        f"rows gives {len(raw)} questions, load {len(examples)}; the audit would miss some",
    )


def check_licence(source: SourceSubject) -> None:
    """The licence is known."""
    licence = source.spec.licence(source.options)
    if licence is None:
        raise NotApplicableError("it cannot know the licence; a study file's `licence` says it")
    require(
        isinstance(licence, str) and licence.strip() and "\n" not in licence,
        f"licence gives {licence!r}, not one line",
    )


SOURCE_CHECKS = (
    *SPEC_CHECKS,
    *OPTION_CHECKS,
    Check(name="missing", summary="`missing` is quick and light", function=check_missing),
    Check(name="offsets", summary="answers stand at their offsets", function=check_offsets),
    Check(name="ids", summary="ids are unique", function=check_ids),
    Check(name="languages", summary="languages are ISO codes", function=check_languages),
    Check(name="rows", summary="rows are such as a study takes", function=check_rows),
    Check(name="order", summary="two loads give the same rows", function=check_order),
    Check(
        name="language-filter",
        summary="`languages` leaves exactly the rows in them",
        function=check_language_filter,
    ),
    Check(
        name="offline",
        summary="it works without a network, or `missing` says what it needs",
        function=check_offline,
    ),
    Check(
        name="damaged-rows",
        summary="rows that cannot be used are named with file and line",
        function=check_damaged_rows,
    ),
    Check(name="raw-rows", summary="`rows` agrees with `load`", function=check_raw_rows),
    Check(name="licence", summary="the licence is known", function=check_licence),
)
