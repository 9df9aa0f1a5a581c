"""Types of the options that say how a file is read, for models of options."""

from typing import Annotated

from pydantic import AfterValidator

from autoqa.errors import ConfigError
from autoqa.reading.columns import column_problems
from autoqa.reading.formats import check_delimiter, check_format


def _format(name: str) -> str:
    try:
        check_format(name)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return name


def _delimiter(delimiter: str) -> str:
    try:
        return check_delimiter(delimiter) or delimiter
    except ConfigError as error:
        raise ValueError(str(error)) from None


def _columns(names: dict[str, str]) -> dict[str, str]:
    problems = column_problems(names)
    if problems:
        raise ValueError(" ".join(problems))
    return names


FormatName = Annotated[str, AfterValidator(_format)]
"""``"auto"``, or a key of :data:`autoqa.reading.formats.FORMATS`."""

Delimiter = Annotated[str, AfterValidator(_delimiter)]
"""One character; ``"tab"`` is one, too."""

ColumnNames = Annotated[dict[str, str], AfterValidator(_columns)]
"""Field to column, the fields those of :data:`autoqa.reading.columns.FIELDS`."""
