"""What is known of a published data set: where its files are, in which languages, on what terms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

LANGUAGE = "{language}"


@dataclass(frozen=True, kw_only=True)
class Published:
    """A data set as its authors published it.

    Attributes:
        name: How study files name it (``type = "..."``).
        summary: One line for people.
        files: Split to patterns of its files inside the repository; ``{language}`` in one stands
            for a code of :attr:`languages`. The first split is the one that is taken by default.
        languages: ISO codes of its languages.
        repository: Its id on the hub; ``None`` where it has to be got by hand.
        revision: The commit that is read; a branch where no commit is known that has the files.
        how: How it is got by hand, as a sentence.
        licence: SPDX identifier; ``None`` where the authors name no licence of one.
        citation: What a paper should cite.
    """

    name: str
    summary: str
    files: Mapping[str, tuple[str, ...]]
    languages: tuple[str, ...]
    repository: str | None = None
    revision: str = "main"
    how: str = ""
    licence: str | None = None
    citation: str

    def patterns(self, split: str, languages: tuple[str, ...] | None) -> tuple[str, ...]:
        """Patterns of the files of a split, in some languages, or in all."""
        return tuple(
            template.replace(LANGUAGE, language)
            for template, language in self._located(split, languages)
        )

    def found(
        self, names: tuple[str, ...], split: str, languages: tuple[str, ...] | None
    ) -> list[tuple[str, str]]:
        """Which of some files belong to a split, each with the language that all its rows have.

        A copy need not have the repository's folders, where names of files alone tell.

        Args:
            names: Paths inside a folder.
            split: The split.
            languages: Of its languages; ``None`` for all.

        Returns:
            Paths, sorted within each language, and ISO codes; empty codes where a file's name says
            nothing of it.
        """
        found = []
        for template, language in self._located(split, languages):
            pattern = template.replace(LANGUAGE, language)
            last = PurePosixPath(template).name
            flat = LANGUAGE not in template or LANGUAGE in last
            found += [
                (name, language)
                for name in sorted(names)
                if fnmatchcase(name, pattern)
                or (flat and "/" not in name and fnmatchcase(name, PurePosixPath(pattern).name))
            ]
        return found

    def _located(self, split: str, languages: tuple[str, ...] | None) -> Iterator[tuple[str, str]]:
        for template in self.files[split]:
            if LANGUAGE not in template:
                yield template, ""
                continue
            for language in self.languages if languages is None else languages:
                yield template, language
