"""The metrics once more, written down from their descriptions, one character at a time."""

import unicodedata

ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
ARTICLES = {
    "en": ["a", "an", "the"],
    "es": ["un", "una", "unos", "unas", "el", "la", "los", "las"],
    "de": [
        "ein",
        "eine",
        "einen",
        "einem",
        "eines",
        "einer",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "des",
    ],
    "vi": ["của", "là", "cái", "chiếc", "những"],
}
UNSPACED = ("CJK ", "IDEOGRAPHIC ITERATION", "HIRAGANA ", "KATAKANA", "THAI ", "LAO ", "KHMER ")
UNSPACED = (*UNSPACED, "MYANMAR ")


def without_articles(text, articles):
    """Articles that no letter, digit or underscore touches become blanks."""
    out, at = "", 0
    while at < len(text):
        for article in articles:
            after = at + len(article)
            if (
                text[at:after] == article
                and not (at and is_word(text[at - 1]))
                and not (after < len(text) and is_word(text[after]))
            ):
                out, at = out + " ", after
                break
        else:
            out, at = out + text[at], at + 1
    return out


def is_word(character):
    return character.isalnum() or character == "_"


def is_mark(character):
    return unicodedata.category(character).startswith("M") or character in "\u0e33\u0eb3"


def is_unspaced(character):
    name = unicodedata.name(character, "")
    letter = unicodedata.category(character) in ("Lo", "Lm")
    return letter and name.startswith(UNSPACED) and not is_mark(character)


def mixed(text):
    """Words at white space, and each unspaced letter with its marks alone."""
    words, run, letter = [], "", ""
    for character in text + " ":
        if letter and is_mark(character):
            letter += character
            continue
        if letter:
            words.append(letter)
            letter = ""
        if is_unspaced(character) or character.isspace():
            if run:
                words.append(run)
            run = ""
            letter = character if is_unspaced(character) else ""
        else:
            run += character
    return words


def harmonic(predicted, expected):
    """F1 of two lists, from precision and recall."""
    if not predicted or not expected:
        return float(len(predicted) == len(expected))
    left, common = list(expected), 0
    for item in predicted:
        if item in left:
            left.remove(item)
            common += 1
    if not common:
        return 0.0
    precision, recall = common / len(predicted), common / len(expected)
    return 2 * precision * recall / (precision + recall)


def squad2_words(text):
    bare = "".join(c for c in text.lower() if c not in ASCII_PUNCTUATION)
    return without_articles(bare, ARTICLES["en"]).split()


def mlqa_words(text, language):
    bare = "".join(
        c for c in text.lower() if c not in ASCII_PUNCTUATION and unicodedata.category(c)[0] != "P"
    )
    if language == "ar":
        bare = " ".join(bare.split("ال"))
    return mixed(without_articles(bare, ARTICLES.get(language, [])))


def f1_words(text):
    bare = "".join(
        c for c in text.lower() if c not in ASCII_PUNCTUATION and unicodedata.category(c)[0] != "P"
    )
    return [word for word in bare.split() if word not in ARTICLES["en"]]


def characters(text):
    skipped = ASCII_PUNCTUATION + "《》〈〉‘’"
    return [c for c in text.lower() if c not in skipped and not c.isspace()]


def anls(prediction, reference):
    one, two = (" ".join(text.lower().split()) for text in (prediction, reference))
    if not one and not two:
        return 1.0
    away = levenshtein(one, two) / max(len(one), len(two))
    return 1 - away if away < 0.5 else 0.0


def levenshtein(one, two):
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        before, row = row, [i]
        for j, b in enumerate(two, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1]


SCORES = {
    "squad2": lambda a, b, _: harmonic(squad2_words(a), squad2_words(b)),
    "mlqa": lambda a, b, language: harmonic(mlqa_words(a, language), mlqa_words(b, language)),
    "f1": lambda a, b, _: harmonic(f1_words(a), f1_words(b)),
    "character-f1": lambda a, b, _: harmonic(characters(a), characters(b)),
    "anls": lambda a, b, _: anls(a, b),
}
