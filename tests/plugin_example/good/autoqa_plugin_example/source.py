"""A source whose rows are lines of the study file itself."""

from collections.abc import Iterator

from pydantic import field_validator

from autoqa.api import Answer, Example, Options, SourceSpec


class LinesOptions(Options):
    """Keys of the source's table.

    Attributes:
        lines: ``question|context|answer`` each.
        language: Language of all of them.
    """

    lines: tuple[str, ...]
    language: str = "en"

    @field_validator("lines")
    @classmethod
    def _three_fields(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            if line.count("|") != 2:
                raise ValueError(f"{line!r} is not question|context|answer")
        return lines


def _load(options: LinesOptions) -> Iterator[Example]:
    for number, line in enumerate(options.lines):
        question, context, text = line.split("|")
        answer = Answer(text, context.index(text))
        yield Example(str(number), question, context, (answer,), options.language, str(number))


def _missing(options: LinesOptions) -> str | None:
    return None


spec = SourceSpec(
    name="example-lines",
    summary="Rows written into the study file",
    options=LinesOptions,
    load=_load,
    missing=_missing,
    api_version=1,
)
