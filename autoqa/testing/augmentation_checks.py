"""What an augmentation has to do."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from autoqa.api import Augmentation, AugmentationSpec, DataError, TokenBatch, TrainingRows
from autoqa.data.checks import checked
from autoqa.features.cut import window_fault
from autoqa.features.windows import Windows
from autoqa.testing.augmentation_samples import (
    drawn_examples,
    is_one_token,
    token_batch,
    whole_source,
    windows_of,
)
from autoqa.testing.check import Check, CheckFailedError, NotApplicableError, require
from autoqa.testing.hypotheses import for_all, numbers
from autoqa.testing.source_checks import check_light
from autoqa.testing.spec_checks import OPTION_CHECKS, SPEC_CHECKS
from autoqa.testing.subject import Subject

AugmentationSubject = Subject[AugmentationSpec]

_HOOKS = ("rows", "plan", "mask")


def built(subject: AugmentationSubject, *hooks: str) -> Augmentation:
    """The augmentation, if it overrides one of some hooks."""
    sentence = subject.spec.missing(subject.options)
    if sentence is not None:
        raise NotApplicableError(f"not on this machine: {sentence}")
    augmentation = subject.spec.build(subject.options)
    require(
        isinstance(augmentation, Augmentation),
        f"build gives {type(augmentation).__name__}, not autoqa.api.Augmentation",
    )
    if hooks and not any(_overrides(augmentation, hook) for hook in hooks):
        raise NotApplicableError(f"it does not override {' or '.join(hooks)}")
    return augmentation


def _overrides(augmentation: Augmentation, hook: str) -> bool:
    return getattr(type(augmentation), hook) is not getattr(Augmentation, hook)


def check_hooks(subject: AugmentationSubject) -> None:
    """It overrides a hook."""
    augmentation = built(subject)
    require(
        any(_overrides(augmentation, hook) for hook in _HOOKS),
        f"{type(augmentation).__name__} overrides none of {', '.join(_HOOKS)}, so it does nothing",
    )


def check_windows(subject: AugmentationSubject) -> None:
    """Windows cover the context, and none is longer than there is room."""
    augmentation = built(subject, "plan")

    def covered(drawn: Sequence[int]) -> None:
        tokens, room, stride, seed = drawn
        stride = min(stride, room - 1) if tokens > room else stride
        made = augmentation.plan(tokens, room, stride, np.random.default_rng(seed))
        if made is None:
            return
        first, last = (np.asarray(each, dtype=np.int64) for each in made)
        fault = window_fault(first, last, tokens, room)
        require(
            fault is None,
            f"plan({tokens}, {room}, {stride}, rng) cuts a context so that {fault}: windows "
            f"{first.tolist()} to {last.tolist()}",
        )

    for_all(numbers((0, 300), (1, 200), (0, 199), (0, 9)), covered)


def check_answers(subject: AugmentationSubject) -> None:
    """Answers can be read off the labels of the windows that it makes."""
    augmentation = built(subject)

    def decodes(drawn: Sequence[int]) -> None:
        rng = np.random.default_rng(drawn[0])
        examples = drawn_examples(drawn[1])
        rows = TrainingRows(examples=examples, source=whole_source)
        given = list(augmentation.rows(rows, rng))
        plan = augmentation.plan if _overrides(augmentation, "plan") else None
        windows = windows_of(given, plan, rng)
        found = set()
        masked = _masked(augmentation, windows, rng)
        require(len(masked) == len(windows.input_ids), _shape_sentence(masked, windows))
        for number in np.flatnonzero(windows.answerable).tolist():
            row = given[int(windows.example[number])]
            begin = windows.bounds[number]
            first, last = windows.label[number]
            start, end = windows.offsets[begin + first][0], windows.offsets[begin + last][1]
            answer = row.answers[0]
            require(
                start <= answer.start and answer.end <= end,
                f"of the answer {answer.text!r} only {row.context[start:end]!r} is left",
            )
            found.add(row.id)
        single = {r.id for r in given if r.answers and is_one_token(r.answers[0].text)}
        lost = sorted(single - found)
        require(not lost, f"no window holds the one-word answer of row {next(iter(lost), None)!r}")

    for_all(numbers((0, 99), (0, 12)), decodes)


def check_mutation(subject: AugmentationSubject) -> None:
    """Nothing that it is handed is changed."""
    augmentation = built(subject, "rows", "mask")

    def kept(drawn: Sequence[int]) -> None:
        rng = np.random.default_rng(drawn[0])
        examples = list(drawn_examples(drawn[1]))
        before = list(examples)
        augmentation.rows(TrainingRows(examples=examples, source=whole_source), rng)
        require(examples == before, "rows changes the list of examples that it is handed")
        batch = token_batch(windows_of(examples, None, rng))
        copies = {each.name: np.copy(getattr(batch, each.name)) for each in fields(batch)}
        augmentation.mask(batch, rng)
        for name, copy in copies.items():
            require(
                np.array_equal(copy, getattr(batch, name)),
                f"mask changes {name} of the batch that it is handed; change a copy",
            )

    for_all(numbers((0, 99), (0, 12)), kept)


def check_seed(subject: AugmentationSubject) -> None:
    """Equal generators give equal results, and no other randomness is used."""
    augmentation = built(subject)

    def twice(name: str, action: Callable[[np.random.Generator], Any], seed: int) -> None:
        first, second = (action(np.random.default_rng(seed)) for _ in range(2))
        require(
            _same(first, second),
            f"{name} gives another result for a generator with the same seed; take all randomness "
            "from the one that it is handed",
        )

    def seeded(drawn: Sequence[int]) -> None:
        seed, count = drawn
        examples = drawn_examples(count)
        rows = TrainingRows(examples=examples, source=whole_source)
        batch = token_batch(windows_of(examples, None, np.random.default_rng(seed)))
        twice("rows", lambda rng: list(augmentation.rows(rows, rng)), seed)
        twice("plan", lambda rng: augmentation.plan(100 + count, 40, 10, rng), seed)
        twice("mask", lambda rng: augmentation.mask(batch, rng), seed)

    for_all(numbers((0, 99), (0, 12)), seeded)


def check_empty(subject: AugmentationSubject) -> None:
    """No rows and no tokens are no error."""
    augmentation, rng = built(subject), np.random.default_rng(0)
    given = list(augmentation.rows(TrainingRows(examples=(), source=whole_source), rng))
    require(not given, f"rows makes {len(given)} examples of none")
    none = np.zeros(0, bool)
    empty = TokenBatch(
        input_ids=np.zeros(0, np.int32),
        is_context=none,
        is_answer=none,
        starts_word=none,
        mask_id=4,
    )
    require(len(augmentation.mask(empty, rng)) == 0, "mask makes tokens of none")


def check_tokens(subject: AugmentationSubject) -> None:
    """``mask`` gives as many tokens as it is handed, of the same type."""
    augmentation = built(subject, "mask")

    def fits(drawn: Sequence[int]) -> None:
        rng = np.random.default_rng(drawn[0])
        batch = token_batch(windows_of(drawn_examples(1 + drawn[1]), None, rng))
        made = augmentation.mask(batch, rng)
        given = batch.input_ids
        require(
            isinstance(made, np.ndarray) and (made.shape, made.dtype) == (given.shape, given.dtype),
            f"mask gives {getattr(made, 'dtype', type(made))} {getattr(made, 'shape', '')}, not "
            f"{given.dtype} {given.shape}",
        )
        require((made >= 0).all(), "mask gives negative token ids")

    for_all(numbers((0, 99), (0, 11)), fits)


def check_rows(subject: AugmentationSubject) -> None:
    """``rows`` gives examples with exact offsets and unique ids, of documents that were drawn."""
    augmentation = built(subject, "rows")

    def sound(drawn: Sequence[int]) -> None:
        examples = drawn_examples(drawn[1])
        rows = TrainingRows(examples=examples, source=whole_source)
        given = augmentation.rows(rows, np.random.default_rng(drawn[0]))
        try:
            checked(given, "rows")
        except DataError as error:
            raise CheckFailedError(f"after rows: {error}") from error
        ids = [row.id for row in given]
        doubled = next((each for each in ids if ids.count(each) > 1), None)
        require(doubled is None, f"rows gives two examples the id {doubled!r}")
        known = {row.document for row in (*examples, *whole_source(""))}
        strange = next((row for row in given if row.document not in known), None)
        require(
            strange is None,
            f"rows gives the document {strange and strange.document!r}, which no example was from; "
            "a changed context keeps the document that it comes from",
        )

    for_all(numbers((0, 99), (0, 12)), sound)


def check_missing(subject: AugmentationSubject) -> None:
    """``missing`` is quick and light."""
    check_light(subject)


def _masked(augmentation: Augmentation, windows: Windows, rng: np.random.Generator) -> np.ndarray:
    return augmentation.mask(token_batch(windows), rng)


def _shape_sentence(masked: np.ndarray, windows: Windows) -> str:
    return f"mask makes {len(masked)} of {len(windows.input_ids)} tokens"


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, tuple):
        return all(_same(*pair) for pair in zip(first, second, strict=True))
    if isinstance(first, np.ndarray):
        return np.array_equal(first, second)
    return bool(first == second)


AUGMENTATION_CHECKS = (
    *SPEC_CHECKS,
    *OPTION_CHECKS,
    Check(
        name="missing", summary="`missing` and `key` are quick and light", function=check_missing
    ),
    Check(name="hooks", summary="it overrides `rows`, `plan` or `mask`", function=check_hooks),
    Check(name="windows", summary="windows cover the context and fit", function=check_windows),
    Check(name="tokens", summary="`mask` keeps number and type of tokens", function=check_tokens),
    Check(
        name="rows", summary="`rows` keeps offsets, ids and documents right", function=check_rows
    ),
    Check(name="answers", summary="answers can still be decoded", function=check_answers),
    Check(name="mutation", summary="what it is handed stays as it was", function=check_mutation),
    Check(name="seed", summary="equal generators give equal results", function=check_seed),
    Check(name="empty", summary="no rows and no tokens are no error", function=check_empty),
)
