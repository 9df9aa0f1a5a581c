"""The generated corpus: exact, reproducible, and not answerable by the kind of question alone."""

import re
from collections import Counter
from hashlib import sha256
from importlib.metadata import entry_points
from typing import Any

import pytest
from autoqa_sources.demo.corpus import TOPICS
from autoqa_sources.demo.names import NAMED, NUMBERS, language_data
from autoqa_sources.demo.spec import DemoOptions, load
from hypothesis import example as case
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autoqa.api import API_VERSION, Example, SourceSpec

LANGUAGES = ("bn", "en", "hi", "ta", "te")
SCRIPTS = {"bn": "ঀ-৿", "en": "A-Za-z", "hi": "ऀ-ॿ", "ta": "஀-௿", "te": "ఀ-౿"}
SENTENCE_END = re.compile(r"[.।](?: |$)")


def corpus(**options: Any) -> list[Example]:
    return list(load(DemoOptions(**options)))


def test_entry_points_give_the_sources() -> None:
    specs = {
        point.name: point.load()
        for point in entry_points(group="autoqa.sources")
        if point.value.startswith("autoqa_sources")
    }
    assert {"file", "huggingface", "demo", "squad", "generated-questions"} <= set(specs)
    for name, spec in specs.items():
        assert isinstance(spec, SourceSpec)
        assert (spec.name, spec.api_version) == (name, API_VERSION)


@settings(max_examples=25)
@case(seed=254074, language="bn", questions=4)  # a name of two letters
@given(
    seed=st.integers(0, 10**6),
    language=st.sampled_from(LANGUAGES),
    questions=st.integers(1, 5),
)
def test_clean_answers_stand_in_the_sentence_about_their_subject(
    seed: int, language: str, questions: int
) -> None:
    for example in corpus(
        languages=(language,), documents=5, questions_per_document=questions, seed=seed
    ):
        (answer,) = example.answers
        assert example.context[answer.start : answer.end] == answer.text
        # Jaccard counts words between white space: nothing may cling to an answer.
        assert answer.start == 0 or example.context[answer.start - 1] == " "
        assert example.context[answer.end] == " "
        before, after = example.context[: answer.start], example.context[answer.end :]
        sentence = SENTENCE_END.split(before)[-1] + answer.text + SENTENCE_END.split(after)[0]
        # The subject is the longest name that question and sentence have in common.
        question_words = {word.strip("?") for word in example.question.split()}
        assert max(map(len, question_words & set(sentence.split()))) > 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_shape_of_the_contexts(language: str) -> None:
    examples = corpus(languages=(language,), documents=100)
    assert len(examples) == 400
    assert len({example.id for example in examples}) == 400
    assert len({example.document for example in examples}) == 100
    for example in examples:
        assert 60 <= len(example.context.split()) <= 150
        assert 4 <= len(SENTENCE_END.findall(example.context)) <= 8
        assert "{" not in example.context + example.question
    # Every kind of answer, hence of question, is asked for.
    assert len({example.question.split()[-2] for example in examples}) > 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_new_in_every_document(language: str) -> None:
    examples = corpus(languages=(language,), documents=300, questions_per_document=5)
    holders: dict[str, set[str]] = {}
    for example in examples:
        text = example.answers[0].text
        if not any(char.isdigit() for char in text):
            holders.setdefault(text, set()).add(example.document)
    professions = set(language_data(language)["values"]["profession"])
    assert {name for name, where in holders.items() if len(where) > 1} <= professions


def test_kind_of_question_alone_does_not_answer() -> None:
    """In most rows the other thing has another answer to the same kind of question."""
    hi = language_data("hi")
    kinds = [
        (re.escape(question).replace(r"\{s\}", "(.+)"), templates["sentences"])
        for topic in TOPICS
        for templates in hi[topic].values()
        for question in templates["questions"]
    ]
    examples = corpus(languages=("hi",), documents=100, questions_per_document=5)
    rivals = 0
    for example in examples:
        (sentences,) = [
            told for question, told in kinds if re.fullmatch(question, example.question)
        ]
        # A value that occurs in both sentences is no rival.
        rivals += len(_told(sentences, example.context)) > 1
    assert rivals > 0.6 * len(examples)


def _told(templates: list[str], context: str) -> set[str]:
    """Different values that a context gives for one kind of fact."""
    patterns = [
        re.escape(template).replace(r"\{s\}", "[^।]+?").replace(r"\{v\}", "([^।]+?)")
        for template in templates
    ]
    return {value for pattern in patterns for value in re.findall(pattern, context)}


def test_noise_moves_offsets_to_the_first_occurrence_and_changes_nothing_else() -> None:
    clean = load(DemoOptions(documents=200))
    noisy = load(DemoOptions(documents=200, noise=1.0))
    half = load(DemoOptions(documents=200, noise=0.5))
    assert clean.notes == ()
    moved = 0
    for before, after in zip(clean, noisy, strict=True):
        assert (before.id, before.question, before.context) == (
            after.id,
            after.question,
            after.context,
        )
        true, put = before.answers[0], after.answers[0]
        assert put.text == true.text
        assert put.start == before.context.find(true.text)
        moved += put.start != true.start
    assert moved > 0.1 * len(clean)
    assert noisy.notes == (
        f"offsets put to an earlier occurrence of the answer (noise = 1): {moved} of 800.",
    )
    moved_by_half = sum(a.answers != b.answers for a, b in zip(clean, half, strict=True))
    assert 0.3 * moved < moved_by_half < 0.7 * moved


def test_a_larger_corpus_begins_with_the_smaller() -> None:
    small, large = corpus(documents=20), corpus(documents=40)
    assert large[: len(small)] == small
    few = corpus(documents=20, questions_per_document=1)
    assert {example.context for example in few} == {example.context for example in small}


def test_seeds_share_no_article() -> None:
    corpus_0, corpus_1 = corpus(documents=50), corpus(documents=50, seed=1)
    assert not {example.context for example in corpus_0} & {example.context for example in corpus_1}
    assert not {example.id for example in corpus_0} & {example.id for example in corpus_1}


def test_same_on_every_machine() -> None:
    """A changed template or generator changes every score measured on this corpus."""
    text = repr(corpus(languages=LANGUAGES, documents=10))
    assert sha256(text.encode()).hexdigest()[:12] == "f9d2ce2c78c7"


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_files_are_complete(language: str) -> None:
    data, english = language_data(language), language_data("en")
    written = re.compile(f"[{SCRIPTS[language]}]")
    assert len(set(data["digits"])) == 10
    assert set(data["fillers"]) == set(TOPICS)
    for topic in TOPICS:
        assert set(data[topic]) == set(english[topic])
        assert len(data["fillers"][topic]) == 3
        for kind, templates in data[topic].items():
            assert kind in NUMBERS or kind in NAMED or kind == "profession"
            assert len(templates["sentences"]) == len(templates["questions"]) == 2
            for sentence in templates["sentences"]:
                assert Counter(re.findall(r"\{.\}", sentence)) == {"{s}": 1, "{v}": 1}
                assert re.search(r"(^| )\{v\} ", sentence), sentence
            for text in templates["sentences"] + templates["questions"]:
                assert "{s}" in text
                assert written.search(text)
                if language != "en":
                    letters = re.sub(r"\{.\}|[\s.,?।\-]", "", text)
                    assert re.fullmatch(f"[{SCRIPTS[language]}]+", letters), text
            for question in templates["questions"]:
                assert question.endswith("?")
                assert "{v}" not in question


def test_options_are_checked() -> None:
    for bad in ({"languages": ()}, {"languages": ("xx",)}, {"noise": 2}, {"documents": 0}):
        with pytest.raises(ValidationError):
            DemoOptions(**bad)  # type: ignore[arg-type]
