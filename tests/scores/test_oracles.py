"""Every metric against the same once more, on answers in eleven languages and four others."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.scores.anls import edit_distance
from autoqa.scores.metrics import score_by
from autoqa.scores.registry import all_metrics, get_metric
from autoqa.types import Answer, Example
from tests.scores import oracles

WORDS = {
    "ar": "القاهرة قاهرة مصر في مقال والكتاب ال سنة ١٩٤٧ محمد، «النيل» مُحَمَّد",
    "bn": "ঢাকা বাংলাদেশ ১৯৭১ সালে। নদী কৃষ্ণ ক্ষ",
    "en": "the a an A The cat, U.S. $1,000 1947 Anne's thé theory £5 a_b x— “quoted”",
    "fi": "Helsinki vuonna 1952 äiti Åland – on",
    "hi": "नई दिल्ली में १९४७ भारत। ई.पू. क्षत्रिय the ज़",
    "id": "Jakarta tahun 1945, orang-orang di (Jawa)",
    "ja": "東京都 東京 は、 カップヌードル ー 1999年 がっこう 「Tokyo」 々 か\u3099",
    "ko": "서울 서울특별시 에서 1988년 (한국) 〈책〉 ‘말’ 金",
    "ru": "Москва в 1812 году — Ёлка й",
    "th": "กรุงเทพ น้ำตก พ.ศ. ๒๕๔๐ ไทย ฯ ของ Bangkok",
    "zh": "北京 中国 。 1949年 《红楼梦》 Peking大学 一一",
    "es": "el la La niño 1936 ¿qué? las",
    "de": "der Die das Straße ein einer Äpfel",
    "vi": "của là những Hà Nội cái Việt",
    "km": "ភាសា ខ្មែរ ២០០០ 2000",
}
GAPS = [" ", " ", " ", "", "  ", "\u3000", "\n"]
PER_EXAMPLE, EXAMPLES = 50, 260


def text(rng, words, language):
    spaced = language not in ("ja", "zh", "th", "km")
    gaps = [gap for gap in GAPS if gap or not spaced]
    count = rng.choice([0, 1, 1, 2, 3, 4, 7])
    return "".join(rng.choice(words) + rng.choice(gaps) for _ in range(count))


def other(rng, words, language, first):
    """Another answer, mostly a part of the first with some more."""
    if rng.random() < 0.3:
        return text(rng, words, language)
    ends = sorted(rng.choices(range(len(first) + 1), k=2))
    part = first[slice(*ends)]
    return part + rng.choice([" ", " . "]) + text(rng, words, language)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 2**32))
def test_metrics_equal_their_straightforward_form(seed):
    assert PER_EXAMPLE * EXAMPLES >= 10_000
    rng = random.Random(seed)
    for _ in range(PER_EXAMPLE):
        language = rng.choice(list(WORDS))
        words = WORDS[language].split()
        first = text(rng, words, language)
        second = other(rng, words, language, first)
        for name, straightforward in oracles.SCORES.items():
            given_score = get_metric(name).function(first, second, language)
            expected = straightforward(first, second, language)
            assert given_score == pytest.approx(expected, abs=1e-12), (name, language)


@settings(max_examples=500)
@given(st.text(max_size=30), st.text(max_size=30))
def test_any_texts(first, second):
    """For ``mlqa`` only texts of one kind of script, see there."""
    for name in ("squad2", "f1", "character-f1", "anls"):
        expected = oracles.SCORES[name](first, second, "en")
        assert get_metric(name).function(first, second, "en") == pytest.approx(expected), name


@given(st.text("abc", max_size=70), st.text("abc", max_size=70))
def test_edit_distance(first, second):
    assert edit_distance(first, second) == oracles.levenshtein(first, second)


@settings(max_examples=300)
@given(st.text("東京aThe. ,का", max_size=20), st.text("東京aThe. ,का", max_size=20))
def test_what_a_metric_says_of_items_is_its_score(first, second):
    for metric in all_metrics():
        if metric.overlap is None:
            continue
        counted = metric.overlap.score(first, second, "en", metric.segmentation)
        assert metric.function(first, second, "en") == counted, metric.name


@pytest.mark.parametrize(
    ("name", "language", "prediction", "reference", "value"),
    [
        # Tokyo prefecture and Tokyo: nothing in common for words, most of it for characters.
        ("jaccard", "ja", "東京都", "東京", 0),
        ("f1", "ja", "東京都", "東京", 0),
        ("squad2", "ja", "東京都", "東京", 0),
        ("mlqa", "ja", "東京都", "東京", 0.8),
        ("character-f1", "ja", "東京都", "東京", 0.8),
        ("anls", "ja", "東京都", "東京", 2 / 3),
        # The danda is punctuation for MLQA, and a letter like others for SQuAD.
        ("squad2", "hi", "१९४७ में।", "१९४७ में", 0.5),
        ("mlqa", "hi", "१९४७ में।", "१९४७ में", 1),
        # Articles are those of the language.
        ("squad2", "hi", "the Delhi", "Delhi", 1),
        ("mlqa", "hi", "the Delhi", "Delhi", 2 / 3),
        ("mlqa", "en", "the Delhi", "Delhi", 1),
        ("mlqa", "de-AT", "der Dom", "Dom", 1),
        # ال goes inside words, too.
        ("mlqa", "ar", "مقال", "مق", 1),
        # A question without an answer, and SQuAD 2.0's rule for it.
        ("squad2", "en", "", "", 1),
        ("squad2", "en", "Paris", "", 0),
        ("squad2", "en", "the", "", 1),
        # KorQuAD: a particle costs little.
        ("character-f1", "ko", "서울에서", "서울", 2 / 3),
        ("f1", "ko", "서울에서", "서울", 0),
    ],
)
def test_worked_values(name, language, prediction, reference, value):
    assert get_metric(name).function(prediction, reference, language) == pytest.approx(value)


def test_the_published_example_of_squad2():
    """Of the metric card of ``squad_v2`` in Hugging Face's evaluate: 66.67 of 100."""
    references = ["1976", "Beyoncé and Bruno Mars", "climate change"]
    rows = [Example(text, "?", text, (Answer(text, 0),), "en", text) for text in references]
    for metric in ("squad2", "em", "f1"):
        scores = score_by(metric, ["1976", "Beyonce", "climate change"], rows)
        assert 100 * scores.mean() == pytest.approx(66.66666666666667)


def test_anls_forgives_misspellings_only():
    anls = get_metric("anls").function
    assert anls("Denver Bronco", "denver  broncos", "en") == pytest.approx(1 - 1 / 14)
    assert anls("abcd", "ab", "en") == 0
    assert anls("abcde", "abc", "en") == pytest.approx(0.6)
