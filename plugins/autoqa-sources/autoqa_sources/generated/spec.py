"""``type = "generated-questions"``: questions that a model asks about texts without any.

As Alberti et al. (2019), "Synthetic QA corpora generation with roundtrip consistency": an answer is
chosen in a text, one model asks for it, another answers, and what comes back to the answer is kept.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from autoqa.api import (
    Answer,
    DataError,
    Download,
    Example,
    Examples,
    MadeTexts,
    ModelFiles,
    SourceSpec,
    pieces,
)
from autoqa_sources.file import FileOptions
from autoqa_sources.file import missing as missing_files
from autoqa_sources.generated.answer_model import answered
from autoqa_sources.generated.candidates import candidate_answers, common_words
from autoqa_sources.generated.contexts import Unlabelled, contexts
from autoqa_sources.generated.options import GeneratedOptions
from autoqa_sources.generated.question_model import generated


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fragment that is asked for.

    Attributes:
        context: Where it stands.
        start: Its first character.
        end: One past its last character.
        question: What was asked; empty before.
    """

    context: Unlabelled
    start: int
    end: int
    question: str = ""

    @property
    def text(self) -> str:
        """The fragment."""
        return self.context.text[self.start : self.end]

    @property
    def example(self) -> Example:
        """The question about its context."""
        named = hashlib.sha256(f"{self.context.text}\n{self.start}\n{self.end}".encode())
        answers = (Answer(self.text, self.start),)
        own = self.context
        return Example(
            named.hexdigest()[:16], self.question, own.text, answers, own.language, own.document
        )


def load(options: GeneratedOptions) -> Examples:
    """Asks questions; what was asked and answered before is not asked again.

    Raises:
        MissingAssetError: A file or a model is not here.
        DataError: A file cannot be used, or no question is left.
        ConfigError: A model is of another kind.
    """
    chosen = candidates(contexts(options), options)
    asked = ask(chosen, options)
    kept = asked if options.answerer is None else confirmed(asked, options)
    if not kept:
        raise DataError(
            f"{options.path}: none of {len(chosen)} answers has a question that is kept, "
            f"{len(asked)} were asked; lower agreement, or take another generator or answerer."
        )
    count = len({each.context.text for each in chosen})
    read = (
        "kept without being answered"
        if options.answerer is None
        else f"{len(kept)} kept, whose answer by {options.answerer} has an overlap of "
        f"{options.agreement:g} or more with the one asked for"
    )
    note = (
        f"questions that {options.generator} asked about {count} texts: {len(asked)} for "
        f"{len(chosen)} answers; {read}."
    )
    return Examples([each.example for each in kept], [note])


def candidates(texts: Sequence[Unlabelled], options: GeneratedOptions) -> list[Candidate]:
    """Answers to ask for, drawn by the seed; those of a text do not depend on the other draws."""
    drawn = list(texts)
    if options.contexts is not None and options.contexts < len(drawn):
        rng = np.random.default_rng(options.seed)
        rows = rng.choice(len(drawn), options.contexts, replace=False)
        drawn = [texts[row] for row in sorted(rows.tolist())]
    common = common_words(each.text for each in texts)
    found = []
    for each in drawn:
        spans = candidate_answers(each.text, common)
        digest = hashlib.sha256(f"{options.seed}\n{each.text}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
        rows = rng.permutation(len(spans))[: options.answers_per_context]
        found += [Candidate(each, *spans[row]) for row in sorted(rows.tolist())]
    return found


def ask(chosen: Sequence[Candidate], options: GeneratedOptions) -> list[Candidate]:
    """The candidates with questions; those without a question, or with another's, go."""
    prompts = [prompt(each, options) for each in chosen]
    asking = partial(
        generated, options.models[0], beams=options.beams, batch_size=options.batch_size
    )
    made = _questions(options).of(prompts, asking)
    found: dict[tuple[str, str], Candidate] = {}
    for each, text in zip(chosen, prompts, strict=True):
        for question in made[text]:
            own = Candidate(each.context, each.start, each.end, question)
            found.setdefault((each.context.text, question), own)
    return list(found.values())


def prompt(candidate: Candidate, options: GeneratedOptions) -> str:
    """What the generator is given."""
    text, mark = candidate.context.text, options.highlight
    before, behind = text[: candidate.start], text[candidate.end :]
    highlighted = f"{before}{mark} {candidate.text} {mark}{behind}"
    return options.prompt.format(highlighted=highlighted, context=text, answer=candidate.text)


def confirmed(asked: Sequence[Candidate], options: GeneratedOptions) -> list[Candidate]:
    """Those whose question another model answers with the text that was asked for."""
    answering = partial(answered, options.models[1], batch_size=options.batch_size)
    made = _answers(options).of(map(_pair, asked), answering)
    return [
        each
        for each in asked
        if any(overlap(text, each.text) >= options.agreement for text in made[_pair(each)])
    ]


def to_make(options: GeneratedOptions) -> str | None:
    """What the models have not said yet, as a sentence; asks none.

    Raises:
        MissingAssetError: A file is not here.
        DataError: A file cannot be used.
    """
    chosen = candidates(contexts(options), options)
    unasked = _questions(options).absent(prompt(each, options) for each in chosen)
    if unasked:
        texts = len({each.context.text for each in chosen})
        return (
            f"{options.generator} has {len(unasked)} of {len(chosen)} answers in {texts} texts yet "
            "to ask for, which can take hours; how many questions are kept is known after that"
        )
    if options.answerer is None:
        return None
    unread = _answers(options).absent(map(_pair, ask(chosen, options)))
    if not unread:
        return None
    return (
        f"{options.answerer} has {len(unread)} questions yet to answer, which can take hours; how "
        "many of them are kept is known after that"
    )


def overlap(one: str, other: str) -> float:
    """Jaccard overlap of two texts' words, without the marks around them; 0 to 1."""
    sets = [{word.strip(".,;:!?।\"'()") for word in pieces(text, "mixed")} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1]) if sets[0] | sets[1] else 0.0


def _pair(asked: Candidate) -> str:
    return json.dumps([asked.question, asked.context.text])


def _questions(options: GeneratedOptions) -> MadeTexts:
    return MadeTexts("questions", _key(options.models[0], options.beams))


def _answers(options: GeneratedOptions) -> MadeTexts:
    return MadeTexts("answers", _key(options.models[1]))


def _key(model: ModelFiles, *asked: object) -> str:
    return hashlib.sha256(" ".join(map(str, (model.key(), *asked))).encode()).hexdigest()[:16]


def missing(options: GeneratedOptions) -> str | None:
    """Says which file, package or model is not on this machine."""
    absent = missing_files(FileOptions(path=options.path, format=options.format))
    return absent or next((said for each in options.models if (said := each.missing())), None)


def downloads(options: GeneratedOptions) -> Sequence[Download]:
    """The models, where they are not here."""
    return [each for model in options.models for each in model.downloads()]


spec = SourceSpec(
    name="generated-questions",
    summary="Questions that a model asks about texts, kept where another finds the same answer",
    options=GeneratedOptions,
    load=load,
    missing=missing,
    downloads=downloads,
    to_make=to_make,
)
