"""Rows with several right answers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoqa.features.cut import cut, find_cuts
from autoqa.features.encode import Encoded, encode
from autoqa.features.windows import Windows
from autoqa.recipes import Method, Portion, Recipe, Stage, TrainingRun
from autoqa.training.jobs import TrialJob
from autoqa.training.references import References, Several, labelled, single_answers
from autoqa.training.schedule import LearningRate
from autoqa.training.state_key import state_key
from autoqa.training.workbench import Workbench
from autoqa.types import Answer, Example
from tests.features.practice import assert_same

Bench = Callable[[str], Workbench]
STAGE = Stage((Portion("train"),), 24, 4)


def asked(context: str, *places: tuple[int, int], number: int = 0) -> Example:
    answers = tuple(Answer(context[low:high], low) for low, high in places)
    return Example(f"{number}", "Who ?", context, answers, "en", f"{number}", "train")


def spread(rng: np.random.Generator, number: int) -> Example:
    """A context of 40 words, and up to four answers in it."""
    words = [f"{word}" for word in rng.choice(["near", "the", "old", "station", "in"], 40)]
    context = " ".join(words)
    edges = np.cumsum([0, *(len(word) + 1 for word in words)])
    places = []
    for _ in range(int(rng.integers(0, 5))):
        low = int(rng.integers(0, 40))
        high = min(40, low + int(rng.integers(1, 6)))
        places.append((int(edges[low]), int(edges[high]) - 1))
    return asked(context, *places, number=number)


def texts(windows: Windows, row: int, context: str) -> str:
    """What a window's label stands for; empty where it has none."""
    first, last = windows.bounds[row] + windows.label[row]
    if not windows.answerable[row]:
        return ""
    return context[windows.offsets[first, 0] : windows.offsets[last, 1]]


def slow(windows: Windows, examples: list[Example]) -> list[list[str]]:
    """Texts of all right answers that each window holds."""
    held = []
    for row, place in enumerate(windows.example.tolist()):
        inside = slice(*(windows.bounds[row] + windows.context[row]))
        low, high = windows.offsets[inside, 0].min(), windows.offsets[inside, 1].max()
        answers = examples[place].answers
        held.append([a.text for a in dict.fromkeys(answers) if low <= a.start and a.end <= high])
    return held


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from tests.bundle_kit import write_tokenizer

    return write_tokenizer(tmp_path_factory.mktemp("tokenizer"))


def references(tokenizer: Any, examples: list[Example]) -> References:
    rows, single = single_answers(examples)
    return References.of(rows, encode(tokenizer, single))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10**6), choice=st.sampled_from(["each", "draw"]))
def test_windows_are_labelled_with_right_answers_that_they_hold(
    tokenizer: Any, seed: int, choice: Several
) -> None:
    rng = np.random.default_rng(seed)
    examples = [spread(rng, number) for number in range(6)]
    order = rng.integers(0, 6, 9)  # rows come in any order, and again
    drawn = [examples[row] for row in order.tolist()]
    encoded: Encoded = encode(tokenizer, drawn)
    cuts = find_cuts(encoded, 24, 4)
    windows, place = labelled(
        encoded, cuts, order, references(tokenizer, examples), choice,
        negatives=1.0, seed=(seed,), rng=rng,
    )  # fmt: skip
    plain = cut(encoded, 24, 4)
    held = slow(plain, drawn)
    found: list[list[str]] = [[] for _ in held]
    number = -1
    counts = [max(1, len(answers) if choice == "each" else 1) for answers in held]
    assert len(windows) == sum(counts)
    for window, count in enumerate(counts):
        for _ in range(count):
            number += 1
            assert place[number] == plain.example[window]
            mine, theirs = (
                w.input_ids[w.bounds[i] : w.bounds[i + 1]]
                for w, i in ((windows, number), (plain, window))
            )
            assert mine.tolist() == theirs.tolist()
            found[window].append(texts(windows, number, drawn[place[number]].context))
    for answers, labels in zip(held, found, strict=True):
        if choice == "each":
            assert sorted(labels) == (sorted(answers) or [""])
        else:
            assert labels[0] in (answers or [""])


def test_one_draw_holds_wherever_the_row_comes(tokenizer: Any) -> None:
    example = asked("near the old station in", (0, 4), (9, 12), (13, 20))
    encoded = encode(tokenizer, [example] * 50)
    cuts = find_cuts(encoded, 24, 4)
    known = references(tokenizer, [example])

    def drawn(seed: int) -> set[str]:
        windows, _ = labelled(
            encoded, cuts, np.zeros(50, np.int64), known, "draw",
            negatives=1.0, seed=(seed, 5), rng=np.random.default_rng(seed),
        )  # fmt: skip
        return {texts(windows, row, example.context) for row in range(len(windows))}

    runs = [drawn(seed) for seed in range(20)]
    assert all(len(run) == 1 for run in runs)
    assert set().union(*runs) == {"near", "old", "station"}
    assert drawn(3) == runs[3]


def test_negatives_are_windows_without_any_answer(tokenizer: Any) -> None:
    context = " ".join(["near the old station in"] * 12)
    example = asked(context, (0, 4), (len(context) - 2, len(context)))
    encoded = encode(tokenizer, [example])
    cuts = find_cuts(encoded, 24, 4)
    held = slow(cut(encoded, 24, 4), [example])
    assert 0 < sum(map(bool, held)) < len(held)
    windows, _ = labelled(
        encoded, cuts, np.zeros(1, np.int64), references(tokenizer, [example]), "each",
        negatives=0.0, seed=(0,), rng=np.random.default_rng(0),
    )  # fmt: skip
    assert windows.answerable.all()
    assert len(windows) == sum(map(len, held))


def test_answers_in_one_place_are_one(tokenizer: Any) -> None:
    context = "near the old station in"
    blank = asked(context, (0, 4), (0, 5), (0, 4))
    assert single_answers([blank]) == ([], [])
    twice = asked(context, (9, 12), (0, 4), (0, 5), (9, 12))
    rows, single = single_answers([blank, twice])
    assert rows == [1, 1]
    assert [row.answers for row in single] == [(Answer("old", 9),), (Answer("near", 0),)]
    half = asked(context, (13, 20), (13, 16))  # half of a token has the token as its label
    assert len(references(tokenizer, [half]).row) == 1


def several(bench: Workbench) -> Workbench:
    """A workbench in whose training rows every third has a second answer: its first word."""
    rows = []
    for number, row in enumerate(bench.data.train["train"]):
        word = row.context.split()[0]
        more = (Answer(word, 0),) if number % 3 == 0 else ()
        rows.append(replace(row, answers=(*row.answers, *more)))
    bench.data = replace(bench.data, train={"train": tuple(rows)})
    return bench


def stage(bench: Workbench, answers: str, seed: int = 0) -> Windows:
    from tests.training.test_batches import prepared

    return prepared(
        bench,
        STAGE,
        seed,
        labelling=bench.labelling("toy", answers),  # type: ignore[arg-type]
    ).windows


def test_stages_teach_what_the_recipe_says(make_bench: Bench) -> None:
    bench = several(make_bench("several"))
    first, each, draw = (stage(bench, choice) for choice in ("first", "each", "draw"))
    assert_same(first, stage(several(make_bench("again")), "first"))
    assert len(first) == len(draw) < len(each)
    assert draw.answerable.sum() >= first.answerable.sum(), "more windows hold some answer"
    assert_same(draw, stage(several(make_bench("other")), "draw"))
    labels = {stage(bench, "draw", seed).label.tobytes() for seed in range(6)}
    assert len(labels) > 1


@pytest.mark.parametrize("answers", ["each", "draw"])
def test_without_several_answers_all_choices_are_one(make_bench: Bench, answers: str) -> None:
    bench = make_bench("plain")
    assert_same(stage(bench, answers), stage(bench, "first"))


def test_states_depend_on_further_answers_only_where_they_are_taught(make_bench: Bench) -> None:
    one, other = make_bench("one"), several(make_bench("other"))

    def key(bench: Workbench, method: Method) -> str:
        run = TrainingRun(Recipe((STAGE,), method), 1e-3, 0)
        job = TrialJob(0, "toy", run, bench.run_folder)
        return state_key(job, bench, LearningRate(method, (4,), 0.1), 0, None)

    assert key(one, Method()) == key(other, Method())
    for answers in ("each", "draw"):
        method = Method(answers=answers)  # type: ignore[arg-type]
        assert key(one, method) != key(other, method)
        assert key(one, method) != key(one, Method())
