"""Text in reStructuredText, which directives hand to the parser."""

import re
from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

UNDERLINES = "=-~^"


class GeneratedPart(SphinxDirective):
    """A part of a page that is made when the site is built."""

    def text(self) -> str:
        """The part as reStructuredText."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parses the text where the directive stands; it may have headings."""
        return self.parse_text_to_nodes(self.text(), allow_section_headings=True)


def code(text: str) -> str:
    """A literal."""
    return f"``{text}``"


def escaped(text: str) -> str:
    """Text that is shown as it is."""
    return "".join(f"\\{each}" if each in "\\*_|`" else each for each in text)


def marked(text: str) -> str:
    """Text that has its code between single backticks, as meanings of options do."""
    parts = text.split("`")
    shown = [code(part) if at % 2 else escaped(part) for at, part in enumerate(parts)]
    # A literal may touch letters, which reStructuredText needs told.
    return "\\ ".join(shown).strip()


def typed(text: str) -> str:
    """A type as a phrase, whose texts are between double quotes."""
    return "\\ ".join(
        code(each) if each.startswith('"') else escaped(each)
        for each in re.split(r'("[^"]*")', text)
        if each
    )


def heading(text: str, level: int) -> str:
    """A heading; level 0 is the page's.

    Args:
        text: What it says, as reStructuredText.
        level: Its depth.
    """
    return f"{text}\n{UNDERLINES[level] * max(len(text), 3)}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; on narrow screens a row becomes a block.

    Args:
        header: Headings of the columns.
        rows: Cells as reStructuredText.
    """
    lines = [".. list-table::", "   :header-rows: 1", "   :class: options", ""]
    for row in (header, *rows):
        for at, cell in enumerate(row):
            lines.append(f"   {'*' if at == 0 else ' '} - {cell}".rstrip())
    return "\n".join(lines)


def paragraphs(parts: Iterable[str]) -> str:
    """Blocks with the empty lines between them that reStructuredText wants."""
    return "\n\n".join(part for part in parts if part)
