"""The exit codes of the command, out of the errors that end it."""

import inspect
from collections.abc import Iterator

from autoqa import errors
from autoqa.cli.main import INTERRUPTED, READER_GONE
from autoqa.registry.description import plain
from autoqa_docs.markup import GeneratedPart, code, marked, table

OTHERS = {
    0: "Done.",
    INTERRUPTED: "Interrupted; what is finished is kept.",
    READER_GONE: "Nobody reads the output any more, as behind ``| head``.",
}


class ExitCodesPart(GeneratedPart):
    """``.. exit-codes::``: which error ends the command with which code."""

    def text(self) -> str:
        """A row for each code and error."""
        return table(["code", "error", "meaning"], rows())


def rows() -> list[list[str]]:
    """By code."""
    found = [[str(number), "", meaning] for number, meaning in OTHERS.items()]
    for error in kinds():
        meaning = plain((inspect.getdoc(error) or "").partition("\n\n")[0])
        found.append([str(error.exit_code), code(error.__name__), marked(meaning)])
    return sorted(found, key=lambda row: int(row[0]))


def kinds() -> Iterator[type[errors.AutoqaError]]:
    """The errors that are raised; their root is none of them."""
    for each in vars(errors).values():
        if isinstance(each, type) and errors.AutoqaError in each.__mro__[1:]:
            yield each
