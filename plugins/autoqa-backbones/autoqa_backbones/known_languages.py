"""ISO codes of languages that several published models know."""


def codes(text: str) -> tuple[str, ...]:
    """Those in a text."""
    return tuple(text.split())


INDIAN = codes("as bn gu hi kn ks ml mr ne or pa sa sd ta te ur")
"""MuRIL's, but for English."""

FURTHER_INDIAN = codes("brx doi kok mai mni sat")
"""IndicBERT's besides."""

HUNDRED = codes(
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he "
    "hi hr hu hy id is it ja jv ka kk km kn ko ku ky la lo lt lv mg mk ml mn mr ms my ne nl no om "
    "or pa pl ps pt ro ru sa sd si sk sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh"
)
"""XLM-R's, by its card."""
