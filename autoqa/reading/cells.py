"""Lists and objects that a table keeps as text: JSON, Python's literals, what NumPy prints.

``datasets`` writes JSON into the cells of a CSV file, pandas what ``str`` makes of a value:
``{'text': array(['Paris'], dtype=object), 'answer_start': array([3])}``, or ``['Paris' 'Lyon']``
for an array of its own. No text is ever evaluated: it is cut into Python's tokens, of which only
strings, numbers, brackets and a few names mean anything.
"""

import ast
import io
import json
import math
import re
import tokenize
import warnings
from collections.abc import Iterator

from autoqa.reading.content import is_unicode

_NAMES = {
    "None": None, "null": None, "True": True, "true": True, "False": False, "false": False,
    "nan": math.nan, "NaN": math.nan, "inf": math.inf,
}  # fmt: skip
_CLOSING = {"[": "]", "(": ")"}
_MADE_BY_NUMPY = re.compile(r"array|str_|bool_?|u?int\d*|float\d*")
_IGNORED = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT}
_DEEPEST = 20


def literal(text: str) -> object:
    """The value that a text spells.

    Args:
        text: JSON, a Python literal, or either with ``array(...)`` and values of NumPy in it.

    Raises:
        ValueError: It is none of these, or spells half a surrogate pair; says what is wrong.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        parser = _Parser(text)
        value = parser.value(0)
        parser.expect("")
    if "\\u" in text and not is_unicode(json.dumps(value, ensure_ascii=False)):
        raise ValueError("half a surrogate pair")
    return value


class _Parser:
    """Reads one value after another from a text's tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._token = next(self._tokens)

    def _next(self) -> str:
        taken = self._token.string
        self._token = next(self._tokens)
        return taken

    def expect(self, text: str) -> None:
        if self._token.string != text:
            expected = repr(text) if text else "its end"
            raise ValueError(f"found {self._token.string[:20]!r}, expected {expected}")
        if text:
            self._next()

    def value(self, depth: int) -> object:
        kind, text = self._token.type, self._token.string
        if depth > _DEEPEST:
            raise ValueError("it is nested too deep")
        if kind in (tokenize.STRING, tokenize.NUMBER):
            return _constant(self._next())
        if text == "-":
            self._next()
            number = self.value(depth + 1)
            if not isinstance(number, int | float):
                raise ValueError("found '-' before what is no number")
            return -number
        if text == "{":
            return self._object(depth)
        if text in ("[", "("):
            self._next()
            return [value for _, value in self._items(_CLOSING[text], depth)]
        if kind == tokenize.NAME:
            return self._name(depth)
        raise ValueError(f"found {text[:20]!r}")

    def _items(self, closing: str, depth: int) -> Iterator[tuple[str, object]]:
        """Keywords and values up to a bracket; NumPy leaves out the commas between them."""
        while self._token.string != closing:
            keyword, value = "", self.value(depth + 1)
            if self._token.string == "=" and isinstance(value, _Name):
                self._next()
                keyword, value = value, self.value(depth + 1)
            elif isinstance(value, _Name):
                raise ValueError(f"found {value!r}")
            yield keyword, value
            if self._token.string == ",":
                self._next()
        self._next()

    def _object(self, depth: int) -> dict[str, object]:
        self._next()
        pairs: dict[str, object] = {}
        while self._token.string != "}":
            key = self.value(depth + 1)
            self.expect(":")
            pairs[str(key)] = self.value(depth + 1)
            if self._token.string != "}":
                self.expect(",")
        self._next()
        return pairs

    def _name(self, depth: int) -> object:
        name = self._next()
        if name in _NAMES:
            return _NAMES[name]
        while self._token.string == ".":  # np.str_, numpy.array
            self._next()
            name = self._next()
        if self._token.string != "(":
            return _Name(name)
        self._next()
        values = [value for keyword, value in self._items(")", depth) if not keyword]
        if len(values) != 1 or not _MADE_BY_NUMPY.fullmatch(name):
            raise ValueError(f"found {name!r} of {len(values)} values")
        return values[0]


class _Name(str):
    """A word such as ``object`` in ``dtype=object``; no value by itself."""

    __slots__ = ()


def _constant(token: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes such as '\d', which stand for themselves
        try:
            return ast.literal_eval(token)
        except (SyntaxError, ValueError):
            raise ValueError(f"found {token[:20]!r}") from None


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        for token in tokenize.generate_tokens(io.StringIO(text.strip()).readline):
            if token.type == tokenize.ENDMARKER:
                break
            if token.type not in _IGNORED:
                yield token
    except (tokenize.TokenError, SyntaxError) as error:
        raise ValueError(f"it ends too early ({error.args[0]})") from None
    while True:
        yield tokenize.TokenInfo(tokenize.ENDMARKER, "", (0, 0), (0, 0), "")
