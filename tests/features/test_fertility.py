"""Languages that a tokenizer hardly knows are named."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from autoqa.features.fertility import fertilities, hard_to_read
from autoqa.features.tokenizer import QATokenizer

from .practice import minilm_folder, write_e5_tokenizer

TEXTS = {
    "en": "The Normans were the people who gave their name to Normandy, a region in France.",
    "hi": "महात्मा गांधी का जन्म 2 अक्टूबर 1869 को पोरबंदर में हुआ था। उनके पिता दीवान थे।",
    "ta": "தமிழ்நாடு இந்தியாவின் தென்முனையில் அமைந்துள்ள மாநிலம்; அதன் தலைநகர் சென்னை ஆகும்.",
    "ru": "Москва является столицей Российской Федерации и крупнейшим по населению городом.",
    "ja": "東京は日本の首都であり、世界最大の都市の一つです。人口は千四百万人です。",
}


def rows(*languages: str) -> list[tuple[str, str]]:
    return [(name, TEXTS[name]) for name in languages]


def test_a_multilingual_one_knows_all(tmp_path: Path) -> None:
    tokenizer = QATokenizer.from_folder(write_e5_tokenizer(tmp_path))
    assert hard_to_read(tokenizer, rows(*TEXTS)) == []
    found = {each.language: each for each in fertilities(tokenizer, TEXTS.items())}
    assert list(found) == sorted(TEXTS)
    assert 1 <= found["en"].per_word < 2
    assert found["ja"].per_word < 1.1, "each of its characters is a word"


def test_an_english_one_knows_english() -> None:
    tokenizer = QATokenizer.from_folder(minilm_folder())
    assert hard_to_read(tokenizer, rows("en")) == []
    sentences = hard_to_read(tokenizer, rows("ta", "en", "ru", "ja"))
    assert [sentence[:3] for sentence in sentences] == ["ja:", "ru:", "ta:"]
    assert "of the tokens are unknown to its tokenizer" in sentences[2]
    assert "ru: a word takes " in sentences[1]


def test_bytes_are_never_unknown_but_many(trained: dict[str, Path]) -> None:
    tokenizer = QATokenizer.from_folder(trained["byte-level"])
    assert tokenizer.unknown_id is None
    (found,) = fertilities(tokenizer, [("ru", TEXTS["ru"])])
    assert found.unknown == 0
    assert found.per_word > 8
    assert found.problem is not None


def test_without_a_stated_language_the_script_tells() -> None:
    tokenizer = QATokenizer.from_folder(minilm_folder())
    (found,) = fertilities(tokenizer, [("", TEXTS["hi"])])
    assert found.language == "hi"
    (found,) = fertilities(tokenizer, [("", "§ 1 2 3 4 5")])
    assert found.problem is None or found.problem.startswith("texts of no stated language: ")


@given(text=st.text(max_size=60))
def test_any_text_has_numbers_or_none(trained: dict[str, Path], text: str) -> None:
    tokenizer = QATokenizer.from_folder(trained["word-piece"])
    found = fertilities(tokenizer, [("xx", text)])
    assert len(found) == bool(text.split())
    assert all(each.per_word >= 0 and 0 <= each.unknown <= 1 for each in found)
