"""Relocation of answers once a study was searched."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autoqa.decoding.fragments import log_probabilities
from autoqa.errors import DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.labels.relocation import Relocation, relocate
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.training.workbench import Workbench
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
    return relocate(bench.bound, source, target=None, models=models)


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
