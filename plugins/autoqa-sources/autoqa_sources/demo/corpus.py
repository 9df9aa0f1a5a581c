"""Articles and the questions about them.

An article tells facts about two things of one kind, two towns say, so that a question cannot be
answered by its kind alone: the thing it asks about must be matched too. In some articles both
share a fact; its answer then occurs twice, as many answers do in real data.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autoqa.api import Answer, Example
from autoqa_sources.demo.names import Names, language_data

TOPICS = ("town", "college", "country", "mountain", "person")

_ENOUGH_WORDS = 60
_MOST_SENTENCES = 8
# Two countries do not have one capital.
_NEVER_SHARED = frozenset({"capital"})


@dataclass(frozen=True, slots=True)
class _Fact:
    """A fact as a sentence tells it; ``start`` counts characters inside the sentence."""

    sentence: str
    value: str
    start: int
    question: str


@dataclass(frozen=True, slots=True)
class _Article:
    context: str
    questions: tuple[tuple[str, Answer], ...]


def examples(
    language: str, *, documents: int, questions: int, seed: int, noise: float
) -> tuple[list[Example], int]:
    """Examples of one language, and how many of them have a wrong offset.

    Args:
        language: A language that has a file in this package.
        documents: How many articles.
        questions: How many questions about each.
        seed: Makes other articles.
        noise: Share of the answers with an earlier occurrence whose offset is put there.
    """
    corpus: list[Example] = []
    moved = 0
    for number, article in enumerate(_articles(language, documents, seed)):
        document = f"demo-{language}-{seed}-{number:04d}"
        # Generators of their own: fewer questions or more noise leave all else as it is.
        question_rng = random.Random(f"{document}/questions")
        noise_rng = random.Random(f"{document}/noise")
        for index in sorted(question_rng.sample(range(len(article.questions)), questions)):
            question, answer = article.questions[index]
            first = article.context.find(answer.text)
            if noise_rng.random() < noise and first != answer.start:
                answer = Answer(answer.text, first)
                moved += 1
            corpus.append(
                Example(
                    id=f"{document}-{index}",
                    question=question,
                    context=article.context,
                    answers=(answer,),
                    language=language,
                    document=document,
                )
            )
    return corpus, moved


def _articles(language: str, documents: int, seed: int) -> Iterator[_Article]:
    data = language_data(language)
    rng = random.Random(f"demo/{language}/{seed}")
    names = Names(data, rng)
    for number in range(documents):
        yield _article(data, TOPICS[number % len(TOPICS)], names, rng)


def _article(data: dict[str, Any], topic: str, names: Names, rng: random.Random) -> _Article:
    kinds = list(data[topic])
    taken: set[str] = set()
    first_kinds = rng.sample(kinds, rng.randint(3, min(4, len(kinds))))
    # What is told of the other thing is told of the first, too: else a question's kind alone
    # would give its answer away. Room is left for a sentence that answers nothing.
    second_kinds = rng.sample(first_kinds, rng.randint(2, min(3, 7 - len(first_kinds))))
    sharable = [kind for kind in second_kinds if kind not in _NEVER_SHARED]
    # At most one, so that most questions have a rival with another answer.
    shared_kinds = rng.sample(sharable, rng.choice((0, 1)) if sharable else 0)
    values = {kind: names.value(kind, taken) for kind in first_kinds}
    blocks = [
        _facts(data[topic], first_kinds, values, names.name(topic), rng),
        _facts(
            data[topic],
            second_kinds,
            {k: values[k] if k in shared_kinds else names.value(k, taken) for k in second_kinds},
            names.name(topic),
            rng,
        ),
    ]
    rng.shuffle(blocks)
    parts: list[_Fact | str] = [fact for block in blocks for fact in block]
    fillers = rng.sample(data["fillers"][topic], len(data["fillers"][topic]))
    while fillers and len(parts) < _MOST_SENTENCES:
        parts.insert(rng.randint(1, len(parts)), fillers.pop())
        if len(" ".join(_sentence(part) for part in parts).split()) >= _ENOUGH_WORDS:
            break
    return _joined(parts)


def _facts(
    templates: dict[str, Any],
    kinds: list[str],
    values: dict[str, str],
    subject: str,
    rng: random.Random,
) -> list[_Fact]:
    facts = []
    for kind in kinds:
        sentence = rng.choice(templates[kind]["sentences"]).replace("{s}", subject)
        before, after = sentence.split("{v}")
        question = rng.choice(templates[kind]["questions"]).replace("{s}", subject)
        facts.append(_Fact(before + values[kind] + after, values[kind], len(before), question))
    return facts


def _joined(parts: list[_Fact | str]) -> _Article:
    questions = []
    position = 0
    for part in parts:
        if isinstance(part, _Fact):
            questions.append((part.question, Answer(part.value, position + part.start)))
        position += len(_sentence(part)) + 1
    return _Article(" ".join(_sentence(part) for part in parts), tuple(questions))


def _sentence(part: _Fact | str) -> str:
    return part if isinstance(part, str) else part.sentence
