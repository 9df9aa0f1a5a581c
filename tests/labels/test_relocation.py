"""Relocation of answers once a study was searched."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from autoqa_sources.file import FileOptions, load
from hypothesis import given
from hypothesis import strategies as st

from autoqa.data.checks import checked
from autoqa.decoding.fragments import log_probabilities
from autoqa.errors import DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.labels.ambiguous_answers import (
    USUAL,
    AmbiguousAnswer,
    PlacedAnswer,
    find_ambiguous,
)
from autoqa.labels.relocation import EXPECTED_WRONG, Relocation, relocate
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.training.workbench import Workbench
from autoqa.types import Answer, Example
from tests.labels.test_candidate_opinions import recipe, searched
from tests.training.conftest import make_bench  # noqa: F401

Bench = Callable[[str], Workbench]


@pytest.fixture
def bench(
    make_bench: Bench,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Workbench:
    """A study whose search trained two recipes; many answers occur twice in their context."""
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    made = make_bench("toy")
    run = searched(made, [(recipe(0.6, 1), 11), (recipe(0.5, 1), 12)])
    run.folder.study_file.write_text((tmp_path / "study.toml").read_text("utf-8"), "utf-8")
    return made


def moved(bench: Workbench, source: str, models: int) -> Relocation:
    return relocate(bench.bound, source, target=None, models=models, any_place=True)


def test_training_rows_are_judged_by_those_who_have_not_seen_them(bench: Workbench) -> None:
    found = moved(bench, "train", 4)
    texts = moved(bench, "train", 0)
    assert texts.judged == 0
    assert 0 < found.judged < len(found.placed) == len(texts.placed)
    for one, text in zip(found.placed, texts.placed, strict=True):
        assert one.ambiguous.starts == text.ambiguous.starts
        if one.ambiguous.models is None:
            assert (one.start, one.confidence) == (text.start, text.confidence)
    confidence = [one.confidence for one in found.placed if one.ambiguous.models is not None]
    before = [
        text.confidence
        for one, text in zip(found.placed, texts.placed, strict=True)
        if one.ambiguous.models is not None
    ]
    assert confidence != before


def test_public_rows_are_judged_by_the_best_candidate(bench: Workbench) -> None:
    public = {row.id: row for row in bench.data.public}
    found = {one.ambiguous.example.id: one.ambiguous for one in moved(bench, "exam", 1).placed}
    judged = {name: asked for name, asked in found.items() if asked.models is not None}
    assert judged.keys() == found.keys() & public.keys()
    assert judged.keys() < found.keys()  # the private part is nobody's business
    best = max(
        bench.run_folder.glob("candidates/*/candidate.json"),
        key=lambda path: float(path.read_text("utf-8").split('"jaccard":')[1].split(",")[0]),
    )
    folder = best.parent / "model"
    rows = [public[name] for name in judged]
    windows = cut(encode(QATokenizer.from_folder(folder), rows), 32, 8)
    logits = predict(load_for_inference(folder), windows, precision="fp32")
    places = [
        [(start, start + len(asked.answer.text)) for start in asked.starts]
        for asked in judged.values()
    ]
    expected = log_probabilities(*logits, windows, places)
    for asked, values in zip(judged.values(), expected, strict=True):
        assert asked.models is not None
        np.testing.assert_allclose(asked.models, np.maximum(values - values.max(), -10), atol=0.02)


def test_another_validation_set_than_the_search_had(bench: Workbench) -> None:
    text = (bench.run_folder / "study.toml").read_text("utf-8")
    (bench.run_folder / "study.toml").write_text(
        text.replace("public = 0.5", "public = 0.5\nseed = 5"), "utf-8"
    )
    with pytest.raises(DataError, match=r"not the one that study .* Or pass --models 0"):
        moved(bench, "train", 4)
    assert moved(bench, "train", 0).placed


def test_a_label_at_a_later_place_is_left_where_it_is(bench: Workbench) -> None:
    every = moved(bench, "train", 0)
    first = relocate(bench.bound, "train", target=None, models=0)
    assert all(one.ambiguous.answer.start == one.ambiguous.starts[0] for one in first.placed)
    assert first.elsewhere == len(every.placed) - len(first.placed) > 0


def placing(*confidences: float) -> Relocation:
    """Answers at the first of two places that belong to the second, and one that stays."""
    row = Example("q", "Who?", "Ada, Ada", (Answer("Ada", 0),), "en", "d", "mine")
    asked = AmbiguousAnswer(row, 0, (0, 5), np.zeros((2, 7)))
    placed = [PlacedAnswer(asked, 5, each) for each in confidences] + [PlacedAnswer(asked, 0, 0.99)]
    return Relocation("mine", "", len(placed), 0, 0, tuple(placed), USUAL)


@given(st.lists(st.floats(0.3, 1.0), max_size=30))
def test_fewer_than_a_tenth_of_the_moves_are_expected_to_be_wrong(confidences: list[float]) -> None:
    found = placing(*confidences)
    threshold = found.careful_threshold()
    moves = found.moves(threshold)
    doubts = [1 - move.confidence for move in moves]
    assert not moves or sum(doubts) / len(moves) < EXPECTED_WRONG
    # Those that are the next in sureness would be too many.
    left = [each for each in confidences if each < threshold]
    if left:
        more = left.count(max(left))
        doubt = sum(doubts) + more * (1 - max(left))
        assert doubt / (len(moves) + more) >= EXPECTED_WRONG - 1e-12


def test_unsure_moves_alone_are_none() -> None:
    assert placing(0.79, 0.7, 0.55).moves(placing(0.79, 0.7, 0.55).careful_threshold()) == []


def test_offsets_that_annotators_gave_stay(data_folder: Path) -> None:
    options = FileOptions(path=str(data_folder / "tydiqa-goldp.en*.jsonl.gz"), language="en")
    rows = checked(load(options), "tydi")
    found = [each for each in find_ambiguous(rows) if each.answer.start == each.starts[0]]
    placed = tuple(USUAL.place(each) for each in found)
    relocation = Relocation("tydi", "", len(rows), 0, 0, placed, USUAL)
    assert len(relocation.moves(0.5)) > 0
    assert relocation.moves(relocation.careful_threshold()) == []
