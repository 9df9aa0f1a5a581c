import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from autoqa.text.printable import printable


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert printable("\x1b[2J [red] \x07\r\x9b1m\x7f") == "\\x1b[2J [red] \\x07\\r\\x9b1m\\x7f"


@given(st.text())
def test_all_else_stays(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(c) == "Cc" and c not in "\t\n" for c in shown)
    assert printable(shown) == shown
    plain = "".join(c for c in text if unicodedata.category(c) != "Cc")
    assert printable(plain) == plain
