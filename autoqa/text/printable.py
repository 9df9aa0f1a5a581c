"""Texts of others as a terminal can show them."""

_OBEYED = {
    code: ascii(chr(code))[1:-1]
    for code in (*range(0x20), *range(0x7F, 0xA0))
    if code not in b"\t\n"
}
"""Control characters but for tabs and ends of lines, as Python escapes them."""


def printable(text: str) -> str:
    """The same with control characters escaped, which a terminal would obey and not show."""
    return text.translate(_OBEYED)
