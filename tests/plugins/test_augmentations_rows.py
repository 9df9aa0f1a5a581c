"""Augmentations of rows: offsets stay exact, nothing is mutated, seeds decide."""

import copy
import unicodedata
from collections import Counter
from importlib.metadata import entry_points
from typing import Any, ClassVar

import numpy as np
import pytest
from autoqa_augmentations.cross_lingual import CrossLingualOptions
from autoqa_augmentations.number_swap import number_swap
from autoqa_augmentations.sentence_drop import SentenceDropOptions, sentence_drop
from autoqa_augmentations.sentence_parts import SentenceParts
from autoqa_augmentations.sentence_shuffle import SentenceShuffleOptions, sentence_shuffle
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autoqa.api import API_VERSION, Answer, AugmentationSpec, Example, TrainingRows, sentences
from autoqa.data.checks import row_problem
from autoqa.testing.augmentation_samples import pool
from autoqa.testing.cases import AugmentationCase
from autoqa.testing.subject import Subject

SPECS = {entry.name: entry.load() for entry in entry_points(group="autoqa.augmentations")}
NAMES = ("back-translation", "cross-lingual", "number-swap", "sentence-drop", "sentence-shuffle")
PIECES = (
    *("Rollo swore in 911. ", "It cost 1,234.50 marks! ", "J. S. Bach died on 28 July 1750.\n\n"),
    *("गांधी का जन्म 2 अक्टूबर 1869 को हुआ था। ", "उनके पिता १८६९ में दीवान थे॥ ", "சென்னை 12 தலைநகர். "),
    *(
        "彼は1868年に来た。",
        "「行く。」",
        "ولد عام ١٨٦٩. ",
        "B52 and 10th stay 10",
        " \n",
        "no end ",
    ),
)
RNG = np.random.default_rng


@st.composite
def examples(draw: st.DrawFn) -> Example:
    context = "x" + "".join(draw(st.lists(st.sampled_from(PIECES), max_size=7)))
    answers = []
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(context) - 1))
        end = draw(st.integers(start + 1, min(len(context), start + 60)))
        if context[start:end].strip():
            answers.append(Answer(context[start:end], start))
    question = draw(st.sampled_from(["Who?", "What of 1869 and १८६९?", "Why 10, not 1,234?"]))
    return Example("q", question, context, tuple(answers), "en", "d", "s")


def training_rows(*rows: Example, **sources: tuple[Example, ...]) -> TrainingRows:
    return TrainingRows(examples=rows, source=lambda name: sources.get(name, rows))


@pytest.mark.parametrize("name", NAMES)
def test_specs_are_found_and_complete(name: str) -> None:
    spec = SPECS[name]
    assert isinstance(spec, AugmentationSpec)
    assert (spec.name, spec.api_version) == (name, API_VERSION)
    documented = spec.build.__doc__ or ""
    for heading in ("**What.**", "**When.**", "**Source.**"):
        assert heading in documented
    with pytest.raises(ValidationError):
        spec.options(share=1.5)


def test_equal_sentences_that_change_places_change_nothing() -> None:
    example = Example("q", "Who?", "He swore. He swore. ", (), "en", "d", "s")
    assert all(sentence_shuffle(example, RNG(seed)) is example for seed in range(9))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["number-swap", "sentence-drop", "sentence-shuffle"]), examples(), st.data())
def test_offsets_stay_exact_and_seeds_decide(
    name: str, example: Example, data: st.DataObject
) -> None:
    seed = data.draw(st.integers(0, 9))
    spec = SPECS[name]
    augmentation = spec.build(spec.options(share=0.9))
    before = copy.deepcopy(example)
    (made,) = augmentation.rows(training_rows(example), RNG(seed))
    assert example == before
    assert row_problem(made) is None
    assert len(made.answers) == len(example.answers)
    assert (made is example) == (made == example)
    assert (made.id, made.document, made.source) == ("q", "d", "s")
    assert list(augmentation.rows(training_rows(example), RNG(seed))) == [made]
    nothing = spec.build(spec.options(share=0))
    assert nothing.rows(training_rows(example), RNG(seed))[0] is example
    if name != "number-swap":
        assert [a.text for a in made.answers] == [a.text for a in example.answers]


@settings(max_examples=100, deadline=None)
@given(examples(), st.integers(0, 9))
def test_parts_are_whole_sentences(example: Example, seed: int) -> None:
    parts = SentenceParts.of(example)
    for answer in example.answers:
        assert any(low <= answer.start and answer.end <= high for low, high in parts.spans)
    texts = [example.context[low:high] for low, high in parts.spans]
    shuffled = sentence_shuffle(example, RNG(seed))
    assert Counter(shuffled.context) == Counter(example.context)
    assert all(text in shuffled.context for text in texts)
    dropped = sentence_drop(example, RNG(seed), share=0.5)
    held = [text for text, yes in zip(texts, parts.answered, strict=True) if yes]
    assert all(text in dropped.context for text in held)


TEXT = "Asha was born in Pune. She wrote a book. It won a prize! Then she left."
ROW = Example(
    "r", "What did she write?", TEXT, (Answer("a book", TEXT.index("a book")),), "en", "d"
)


def test_sentences_are_dropped_at_the_asked_rate_and_never_the_answer() -> None:
    augmentation = SPECS["sentence-drop"].build(SentenceDropOptions(share=0.3))
    made = augmentation.rows(training_rows(*[ROW] * 2000), RNG(0))
    assert all("She wrote a book." in each.context for each in made)
    left = np.mean([len(sentences(each.context)) for each in made])
    assert left == pytest.approx(1 + 3 * 0.7, abs=0.06)
    assert {each.context for each in made} >= {
        TEXT,
        "She wrote a book.",
        "She wrote a book. Then she left.",
    }


def test_sentences_are_shuffled_with_their_white_space() -> None:
    augmentation = SPECS["sentence-shuffle"].build(SentenceShuffleOptions(share=1.0))
    made = augmentation.rows(training_rows(*[ROW] * 200), RNG(0))
    assert {len(each.context) for each in made} == {len(TEXT)}
    assert {tuple(sorted(each.context.split())) for each in made} == {tuple(sorted(TEXT.split()))}
    assert len({each.context for each in made}) == 24


def numbers(text: str) -> list[str]:
    """Runs of digits, as European ones."""
    plain = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else " " for c in text)
    return plain.split()


def test_numbers_are_exchanged_alike_in_question_context_and_answers() -> None:
    context = "Born in 1869 (१८६९), he sold 1,234 of 1234 in 2 days, 12 in May 1948; A4, 007."
    answers = (Answer("1869", 8), Answer("12 in May 1948", context.index("12 in")))
    row = Example("r", "Where was he in 1869?", context, answers, "en", "d")
    for seed in range(20):
        made = number_swap(row, RNG(seed))
        assert row_problem(made) is None
        assert len(made.context) == len(context)
        new = numbers(made.context)
        assert new[0] == new[1] == numbers(made.question)[0] == made.answers[0].text
        assert new[2] + new[3] == new[4]
        assert 1000 <= int(new[0]) < int(made.answers[1].text.split()[-1]) <= 2099
        assert 10 <= int(made.answers[1].text.split()[0]) <= 31
        assert "A4" in made.context
        assert made.context.endswith(("00" + new[-1][-1]) + ".")
        zero = ord("०")
        assert all(zero <= ord(c) < zero + 10 for c in made.context[14:18])
    assert len({number_swap(row, RNG(seed)).context for seed in range(20)}) == 20


def written(number: int, form: str) -> str:
    if form == "देवनागरी":
        return "".join(chr(ord("०") + int(digit)) for digit in str(number))
    return form.format(number)


NUMBERS = st.builds(
    written,
    # Few of each kind, and pairs on both sides of where kinds meet: collisions are likely.
    st.one_of(st.integers(0, 9), st.integers(28, 35), st.integers(2095, 2105), st.integers(0)),
    st.sampled_from(["{}", "{:,}", "00{}", "देवनागरी", "{}th", "A{}", "{}९"]),
)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(0, 2**32))
def test_numbers_are_exchanged_one_to_one(texts: list[str], seed: int) -> None:
    asked, context = texts[0], "; ".join(texts)
    row = Example(
        "r",
        asked,
        context,
        (Answer(asked, 0), Answer(texts[-1], context.rindex(texts[-1]))),
        "en",
        "d",
    )
    made = number_swap(row, RNG(seed))
    assert row_problem(made) is None
    new = made.context.split("; ")
    assert [len(text) for text in new] == [len(text) for text in texts]
    assert made.question == made.answers[0].text == new[0]
    assert made.answers[1].text == new[-1]
    pairs = {("".join(numbers(o)), "".join(numbers(n))) for o, n in zip(texts, new, strict=True)}
    values = {(int(old), int(other)) for old, other in pairs}
    assert len({old for old, _ in values}) == len(values), "equal ones become equal"
    assert len({other for _, other in values}) == len(values), "different ones stay different"


@pytest.mark.parametrize(
    "text", ["no numbers", "the 10th of 10", "B52 and 52", "0 and 00", "1" * 5000, "1९ or 19"]
)
def test_doubtful_numbers_stay(text: str) -> None:
    row = Example("r", "Who?", text, (Answer(text[:2], 0),), "en", "d")
    assert number_swap(row, RNG(0)) is row


# -- cross-lingual ---------------------------------------------------------------------------------


def parallel(name: str, language: str, question: str) -> Example:
    context = f"{language} text of {name}"
    return Example(name, question, context, (Answer(language, 0),), language, name + language, "s")


ENGLISH = parallel("7a@en", "en", "Who?")
HINDI = parallel("7a@hi", "hi", "कौन?")
TAMIL = parallel("7a", "ta", "யார்?")


def crossed(rows: TrainingRows, seed: int = 0, **options: Any) -> list[Example]:
    made = SPECS["cross-lingual"].build(CrossLingualOptions(share=1.0, **options))
    return list(made.rows(rows, RNG(seed)))


def test_questions_come_in_another_language_and_answers_stay() -> None:
    rows = TrainingRows(
        examples=(ENGLISH, HINDI),
        source=lambda name: {"s": (ENGLISH, HINDI), "tamil": (TAMIL,)}[name],
    )
    english, hindi = crossed(rows)
    assert (english.question, hindi.question) == ("कौन?", "Who?")
    assert (english.context, english.answers) == (ENGLISH.context, ENGLISH.answers)
    asked = {crossed(rows, seed, sources=("tamil",))[0].question for seed in range(20)}
    assert asked == {"कौन?", "யார்?"}
    only = {crossed(rows, seed, sources=("tamil",), languages=("ta",))[0] for seed in range(9)}
    assert {each.question for each in only} == {"யார்?"}


def test_only_ids_that_say_so_are_the_same_question() -> None:
    numbered = [parallel("17", "en", "Who?"), parallel("17", "hi", "कौन?")]
    rows = training_rows(*numbered)
    assert crossed(rows) == numbered
    named = [parallel("en-17", "en", "Who?"), parallel("hi-17", "hi", "कौन?")]
    assert crossed(training_rows(*named)) == named
    turned = crossed(training_rows(*named), id_pattern=r"[a-z]+-(.*)")
    assert [each.question for each in turned] == ["कौन?", "Who?"]


@pytest.mark.parametrize("pattern", ["(", "no group"])
def test_patterns_are_checked(pattern: str) -> None:
    with pytest.raises(ValidationError, match="id_pattern"):
        CrossLingualOptions(id_pattern=pattern)


def test_languages_are_codes() -> None:
    with pytest.raises(ValidationError, match=r"languages\.0"):
        CrossLingualOptions(languages=("English",))


# -- the kit ---------------------------------------------------------------------------------------


class TestSentenceDrop(AugmentationCase):
    spec = SPECS["sentence-drop"]
    options: ClassVar = {"share": 0.5}


class TestSentenceShuffle(AugmentationCase):
    spec = SPECS["sentence-shuffle"]
    options: ClassVar = {"share": 1.0}


class TestNumberSwap(AugmentationCase):
    spec = SPECS["number-swap"]
    options: ClassVar = {"share": 1.0}


class TestCrossLingual(AugmentationCase):
    spec = SPECS["cross-lingual"]
    options: ClassVar = {"share": 1.0, "id_pattern": "(.).*"}


class TestBackTranslation(AugmentationCase):
    spec = SPECS["back-translation"]
    exempt: ClassVar = {"defaults": "one of two keys is needed: a table, or a model"}

    @pytest.fixture(scope="class")
    def subject(self, tmp_path_factory: pytest.TempPathFactory) -> Subject[AugmentationSpec]:
        folder = tmp_path_factory.mktemp("table")
        rows = "\n".join(f"{row.question},{row.question} Say!" for row in pool())
        (folder / "t.csv").write_text(f"question,paraphrase\n{rows}\n")
        options = self.spec.options(table=str(folder / "t.csv"), share=0.8)
        return Subject(spec=self.spec, options=options, folder=folder)
