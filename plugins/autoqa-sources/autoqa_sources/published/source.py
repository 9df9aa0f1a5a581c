"""A source of what a table of facts says about a published data set."""

import difflib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import Field, create_model, field_validator

from autoqa.api import (
    ConfigError,
    Download,
    Examples,
    HubRepository,
    MissingAssetError,
    RawRow,
    RowOptions,
    SourceSpec,
    examples_from,
    hub_downloads,
    missing_package,
    read_rows,
    selected,
)
from autoqa_sources.published.facts import Published


class PublishedOptions(RowOptions):
    """Which part of a published data set.

    Attributes:
        split: Which of its splits.
        revision: Another commit, tag or branch than the one that was looked at.
        folder: A folder with a copy of its files, in place of the hub.
        limit: At most so many rows of each language, the first ones.
    """

    split: str = "train"
    revision: str | None = Field(default=None, min_length=1)
    folder: Path | None = None
    limit: int | None = Field(default=None, ge=1)


Reader = Callable[[Path, Any], Iterator[RawRow]]
"""(file, options) to the file's rows."""


def _as_rows(path: Path, options: PublishedOptions) -> Iterator[RawRow]:
    return read_rows(path, columns=options.columns)


def source_of(
    facts: Published,
    options: type[PublishedOptions] = PublishedOptions,
    read: Reader = _as_rows,
    narrowed: Callable[[Any, tuple[str, ...]], tuple[str, ...]] = lambda _, patterns: patterns,
) -> SourceSpec:
    """The source.

    Args:
        facts: What is known of the data set.
        options: Its options, where it has some of its own.
        read: How its files are read, where they are no rows that are known.
        narrowed: Options and patterns of its files to those that are needed.
    """
    source = _Source(facts, read, narrowed)
    return SourceSpec(
        name=facts.name,
        summary=facts.summary,
        options=_options_of(facts, options),
        load=source.load,
        missing=source.missing,
        licence=lambda _: facts.licence,
        rows=source.selected_rows,
        downloads=source.downloads,
        citation=lambda _: facts.citation,
    )


def _options_of(facts: Published, base: type[PublishedOptions]) -> type[PublishedOptions]:
    """The options with the splits and languages that the data set has."""
    splits = tuple(facts.files)

    def known(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        unknown = [code for code in value or () if code not in facts.languages]
        if unknown:
            near = difflib.get_close_matches(unknown[0], facts.languages, n=1)
            hint = f"; is {near[0]!r} meant?" if near else ""
            raise ValueError(
                f"{unknown[0]!r} is no language of {facts.name}, which has "
                f"{', '.join(facts.languages)}{hint}"
            )
        return value

    validators: dict[str, Any] = {"known_languages": field_validator("languages")(known)}
    fields: dict[str, Any] = {"split": (Literal[splits], splits[0])}
    name = f"{facts.name.title().replace('-', '')}Options"
    return create_model(name, __base__=base, __validators__=validators, **fields)


class _Source:
    def __init__(
        self,
        facts: Published,
        read: Reader,
        narrowed: Callable[[Any, tuple[str, ...]], tuple[str, ...]],
    ) -> None:
        self._facts, self._read, self._narrowed = facts, read, narrowed

    def load(self, options: PublishedOptions) -> Examples:
        """The examples; files that are not here are fetched.

        Raises:
            MissingAssetError: They are not here and cannot be fetched.
            DataError: A row is refused, or none is left.
        """
        return examples_from(self._rows(options), self._known(options), self._facts.name)

    def selected_rows(self, options: PublishedOptions) -> Iterator[RawRow]:
        """The rows as they stand."""
        return selected(self._rows(options), self._known(options))

    def _known(self, options: PublishedOptions) -> PublishedOptions:
        """The options with the language of a data set that has only one."""
        languages = self._facts.languages
        return (
            options if len(languages) > 1 else options.model_copy(update={"language": languages[0]})
        )

    def missing(self, options: PublishedOptions) -> str | None:
        """What is not here: files, or the package that reads them."""
        if options.folder is None and self._facts.repository is not None:
            repository = self._repository(options)
            sentence = repository.missing()
            if sentence is not None:
                return sentence
            files = list(repository.files())
        else:
            try:
                files = [path for path, _ in self._in_folder(options)]
            except (ConfigError, MissingAssetError) as error:
                return str(error)
        return missing_package(files[0]) if files else None

    def downloads(self, options: PublishedOptions) -> tuple[Download, ...]:
        """The files that are not here; asks the hub for their sizes."""
        if options.folder is not None or self._facts.repository is None:
            return ()
        return hub_downloads(self._repository(options))

    def _repository(self, options: PublishedOptions) -> HubRepository:
        patterns = self._facts.patterns(options.split, options.languages)
        return HubRepository(
            str(self._facts.repository),
            "dataset",
            options.revision or self._facts.revision,
            self._narrowed(options, patterns),
        )

    def _in_folder(self, options: PublishedOptions) -> list[tuple[Path, str]]:
        facts = self._facts
        if options.folder is None:
            raise MissingAssetError(f"{facts.name}: {facts.how}")
        folder = options.folder.expanduser()
        if not folder.is_dir():
            raise MissingAssetError(f"the folder {folder} does not exist; correct `folder`")
        found = self._of_split(folder, options)
        if not found:
            wanted = facts.patterns(options.split, options.languages)
            how = f": {facts.how}" if facts.how else ""
            raise MissingAssetError(
                f"the folder {folder} has no file {' or '.join(wanted)}, which split "
                f"{options.split!r} of {facts.name} is read from; copy it there{how}"
            )
        return found

    def _of_split(self, folder: Path, options: PublishedOptions) -> list[tuple[Path, str]]:
        # os.walk passes over what nobody may look into.
        names = tuple(
            (Path(below) / name).relative_to(folder).as_posix()
            for below, _, files in os.walk(folder)
            for name in files
        )
        found = self._facts.found(names, options.split, options.languages)
        patterns = self._facts.patterns(options.split, options.languages)
        narrowed = self._narrowed(options, patterns)
        # More may be there than is wanted now.
        few = None if narrowed == patterns else {PurePosixPath(name).name for name in narrowed}
        return [
            (folder / name, language)
            for name, language in found
            if few is None or PurePosixPath(name).name in few
        ]

    def _rows(self, options: PublishedOptions) -> Iterator[RawRow]:
        if options.folder is None and self._facts.repository is not None:
            files = self._of_split(self._repository(options).fetch(), options)
        else:
            files = self._in_folder(options)
        taken: Counter[str] = Counter()
        for path, language in files:
            if options.limit is not None and language and taken[language] >= options.limit:
                continue
            for row in self._read(path, options):
                if language and row.language != language:
                    row = replace(row, language=language)
                if options.limit is not None:
                    key = row.language
                    if not key and len(self._facts.languages) > 1:
                        key = row.id.partition("-")[0]  # TyDi QA's ids begin with the language
                    taken[key] += 1
                    if taken[key] > options.limit:
                        continue
                yield row
