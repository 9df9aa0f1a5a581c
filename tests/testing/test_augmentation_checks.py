"""What is wrong with an augmentation is found by the check for it, in a sentence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autoqa.api import Answer, Augmentation, AugmentationSpec, Options
from tests.testing.test_source_checks import failed

DRAWN = np.random.default_rng(3)


def augmentation(**hooks: Callable[..., Any]) -> AugmentationSpec:
    kind = type("Made", (Augmentation,), hooks)
    return AugmentationSpec(
        name="made", summary="Made", options=Options, build=lambda options: kind()
    )


def _shifted(self: Any, rows: Any, rng: Any) -> Any:
    return [
        replace(row, answers=tuple(Answer(a.text, a.start + 1) for a in row.answers))
        for row in rows.examples
    ]


def _into_empty(self: Any, rows: Any, rng: Any) -> Any:
    return rows.source("any")


def _sorted_in_place(self: Any, rows: Any, rng: Any) -> Any:
    rows.examples.sort(key=lambda row: row.question)
    return rows.examples


def _masked_in_place(self: Any, batch: Any, rng: Any) -> Any:
    batch.input_ids[batch.is_context] = batch.mask_id
    return batch.input_ids


def _of_the_world(self: Any, batch: Any, rng: Any) -> Any:
    hit = DRAWN.random(len(batch.input_ids)) < 0.5
    return np.where(hit, np.int32(batch.mask_id), batch.input_ids)


def _halves(self: Any, tokens: int, room: int, stride: int, rng: Any) -> Any:
    return np.array([0]), np.array([min(tokens, room)])


@pytest.mark.parametrize(
    "hooks, check, sentence",
    [
        ({}, "hooks", "Made overrides none of rows, plan, mask, so it does nothing"),
        ({"plan": _halves}, "windows", "plan(2, 1, 0, rng) cuts a context so that a part of it is"),
        (
            {"plan": lambda self, tokens, room, stride, rng: (np.array([0]), np.array([tokens]))},
            "windows",
            "plan(2, 1, 0, rng) cuts a context so that a window is too long: windows [0] to [2]",
        ),
        ({"mask": lambda self, batch, rng: batch.input_ids[1:]}, "tokens", "mask gives int32 ("),
        (
            {"mask": lambda self, batch, rng: batch.input_ids.astype(float)},
            "tokens",
            "mask gives float64 (",
        ),
        ({"mask": _masked_in_place}, "mutation", "mask changes input_ids of the batch"),
        ({"rows": _sorted_in_place}, "mutation", "rows changes the list of examples"),
        ({"mask": _of_the_world}, "seed", "mask gives another result for a generator with the"),
        ({"rows": _shifted}, "rows", "after rows: sources.rows: row 1, id "),
        ({"rows": _shifted}, "answers", "of the answer "),
        (
            {"rows": lambda self, rows, rng: [*rows.examples, *rows.examples]},
            "rows",
            "rows gives two examples the id ",
        ),
        (
            {"rows": lambda self, rows, rng: [replace(r, document="x") for r in rows.examples]},
            "rows",
            "rows gives the document 'x', which no example was from",
        ),
        ({"rows": _into_empty}, "empty", "rows makes "),
    ],
)
def test_what_is_wrong_is_found(hooks: dict[str, Any], check: str, sentence: str) -> None:
    said = failed(augmentation(**hooks), only=check)
    assert said[check].startswith(sentence), said


def test_a_sound_one_of_all_hooks_passes() -> None:
    def rows(self: Any, given: Any, rng: np.random.Generator) -> Any:
        return [given.examples[n] for n in rng.permutation(len(given.examples))]

    def mask(self: Any, batch: Any, rng: np.random.Generator) -> Any:
        hit = batch.is_context & (rng.random(len(batch.input_ids)) < 0.3)
        return np.where(hit, np.int32(batch.mask_id), batch.input_ids)

    def plan(self: Any, tokens: int, room: int, stride: int, rng: np.random.Generator) -> Any:
        if tokens <= room:
            return None
        first = np.arange(0, tokens, room)
        return first, np.minimum(first + room, tokens)

    assert failed(augmentation(rows=rows, mask=mask, plan=plan)) == {}


def test_what_build_gives_is_looked_at() -> None:
    spec = AugmentationSpec(name="made", summary="Made", options=Options, build=lambda o: 7)  # type: ignore[arg-type,return-value]
    assert failed(spec)["hooks"] == "build gives int, not autoqa.api.Augmentation"
