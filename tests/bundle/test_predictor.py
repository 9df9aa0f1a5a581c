"""A bundle answers the same along every path, and says what it cannot answer."""

import dataclasses
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autoqa
from autoqa.bundle import batching as blocks
from autoqa.bundle.input_rows import Row
from autoqa.bundle.predictor import Ensemble, Prediction
from autoqa.bundle.time_estimate import Estimate
from autoqa.ensemble.joining.aggregate import aggregate
from autoqa.errors import BundleError, ConfigError, DataError
from autoqa.export.write import BundlePlan, write_bundle
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling import load as modeling_load
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.text.rules import apply_rules
from tests import bundle_kit

EXAMPLES = bundle_kit.examples(12)
ROWS = [Row(e.id, e.question, e.context) for e in EXAMPLES]


@pytest.fixture(scope="module")
def ensemble(bundle: Path) -> Ensemble:
    return autoqa.load(bundle)


@pytest.fixture(scope="module")
def expected(ensemble: Ensemble) -> list[Prediction]:
    return ensemble.predict(ROWS)


def same(one: list[Prediction], other: list[Prediction]) -> bool:
    """Equal answers; scores up to the rounding of differently shaped batches."""
    assert [(p.answer, p.start, p.end) for p in one] == [(p.answer, p.start, p.end) for p in other]
    return np.allclose([p.score for p in one], [p.score for p in other], atol=1e-5)


def split(ensemble: Ensemble, rows: Sequence[Row]) -> list[Sequence[Row]]:
    tokenizers, limits = ensemble._tokenizers, ensemble.max_answer_tokens
    return blocks.split(rows, ensemble.manifest, tokenizers, limits)


def cut_rows(ensemble: Ensemble, rows: Sequence[Row]) -> dict[str, Windows]:
    tokenizers, limits = ensemble._tokenizers, ensemble.max_answer_tokens
    return blocks.cut_rows(rows, ensemble.manifest.groups, tokenizers, limits)


def test_single_calls_answer_as_the_batch_does(
    ensemble: Ensemble, expected: list[Prediction]
) -> None:
    assert same([ensemble(question=r.question, context=r.context) for r in ROWS], expected)


def test_blocks_answer_as_the_batch_does(
    ensemble: Ensemble, expected: list[Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_SMALL", 0)
    monkeypatch.setattr(blocks, "_BYTES", 60_000)
    assert 2 < len(split(ensemble, ROWS)) < len(ROWS)
    seen: list[tuple[int, int]] = []
    told: list[Estimate] = []
    found = ensemble.predict(iter(ROWS), announce=told.append, progress=lambda *at: seen.append(at))
    assert same(found, expected)
    windows = blocks.cut_rows(
        ROWS, ensemble.manifest.groups, ensemble._tokenizers, ensemble.max_answer_tokens
    )
    passes = sum(len(windows[member.group]) for member in ensemble.manifest.members)
    assert seen[-1] == (passes, passes)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    (estimate,) = told
    assert (estimate.questions, estimate.models) == (12, 4)
    assert estimate.windows == pytest.approx(passes, rel=0.3)  # from those of the first block
    assert estimate.seconds > 0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 500_000))
def test_blocks_are_the_rows_in_order(ensemble: Ensemble, sizes: list[int], limit: int) -> None:
    rows = [Row(str(n), "Who ?", "word " * length) for n, length in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_SMALL", 0)
        patch.setattr(blocks, "_BYTES", limit)
        parts = blocks.split(
            rows, ensemble.manifest, ensemble._tokenizers, ensemble.max_answer_tokens
        )
    assert [row for part in parts for row in part] == rows
    assert all(parts)


def test_a_block_of_one_row_announces_its_very_windows(ensemble: Ensemble) -> None:
    told: list[Estimate] = []
    ensemble.predict(ROWS[:1], announce=told.append)
    windows = blocks.cut_rows(
        ROWS[:1], ensemble.manifest.groups, ensemble._tokenizers, ensemble.max_answer_tokens
    )
    assert told[0].windows == sum(len(windows[m.group]) for m in ensemble.manifest.members)
    ensemble.predict([], announce=told.append)
    assert len(told) == 1


def test_long_contexts_are_answered(ensemble: Ensemble) -> None:
    context = "Ada lives in Rome . " * 600
    found = ensemble(question="Where does Ada live ?", context=context)
    assert found.answer
    assert set(found.answer.split()) <= set(context[found.start : found.end].split())


def test_order_and_company_do_not_matter(ensemble: Ensemble, expected: list[Prediction]) -> None:
    assert same(ensemble.predict(ROWS[::-1])[::-1], expected)
    assert same(ensemble.predict(ROWS[3:5]), expected[3:5])


def test_each_group_answers_within_its_own_limit(bundle: Path, ensemble: Ensemble) -> None:
    assert list(ensemble.max_answer_tokens.values()) == [7, 12, 12]
    longest = max(len(p.answer.split()) for p in ensemble.predict(ROWS))
    for limit in (1, 2, 12):
        other = autoqa.load(bundle, max_answer_tokens=limit)
        assert set(other.max_answer_tokens.values()) == {limit}
        found = other.predict(ROWS)
        # A token of the toy tokenizer is a word.
        assert max(len(p.answer.split()) for p in found) <= limit
        assert all(windows.max_answer_tokens == limit for windows in cut_rows(other, ROWS).values())
    assert longest > 2, "the limits above say something"


@pytest.mark.parametrize("limit", [0, -3, 2.5, True, bundle_kit.LENGTH, 10**9])
def test_a_limit_that_no_answer_can_have_is_refused(bundle: Path, limit: int) -> None:
    with pytest.raises(ConfigError) as caught:
        autoqa.load(bundle, max_answer_tokens=limit)
    assert str(caught.value) == (
        f"max_answer_tokens is {limit!r}: give a whole number from 1 to {bundle_kit.LENGTH - 1}; "
        f"an answer stands in one window, and those of the bundle have {bundle_kit.LENGTH} tokens, "
        "question included."
    )


def test_the_bundle_answers_as_its_parts_do(
    ensemble: Ensemble, expected: list[Prediction], plan: BundlePlan
) -> None:
    """The members in the run folder, through the functions that selection uses."""
    windows, logits = {}, {}
    for member in plan.members:
        model = load_for_inference(plan.models[member.id], "cpu")
        tokenizer = QATokenizer.from_folder(plan.models[member.id])
        windows[member.group] = dataclasses.replace(
            cut(encode(tokenizer, EXAMPLES), bundle_kit.LENGTH, bundle_kit.STRIDE),
            max_answer_tokens=7 if member.group == plan.groups[0].id else 12,
        )
        logits[member.id] = predict(model, windows[member.group], precision="fp32")
    spans = aggregate(
        plan.ensemble,
        logits,
        windows,
        [e.context for e in EXAMPLES],
    )
    assert same([Prediction(s.text, s.start, s.end, s.score) for s in spans], expected)


@pytest.fixture(scope="module", params=["characters", "vote-only", "vote"])
def joined(
    request: pytest.FixtureRequest, plan: BundlePlan, tmp_path_factory: pytest.TempPathFactory
) -> Ensemble:
    """The same members joined in each way, by position, with rules for one of two languages."""
    words = "set" if request.param == "characters" else "position"
    ensemble = dataclasses.replace(
        plan.ensemble, aggregator=request.param, words=words, rules={"hi": ("punctuation",)}
    )
    target = tmp_path_factory.mktemp("joined") / "bundle"
    write_bundle(dataclasses.replace(plan, ensemble=ensemble), target)
    assert request.param in (target / "manifest.json").read_text()
    return autoqa.load(target)


def test_each_way_answers_as_its_parts_do(joined: Ensemble, plan: BundlePlan) -> None:
    windows, logits = {}, {}
    for member in plan.members:
        tokenizer = QATokenizer.from_folder(plan.models[member.id])
        windows[member.group] = dataclasses.replace(
            cut(encode(tokenizer, EXAMPLES), bundle_kit.LENGTH, bundle_kit.STRIDE),
            max_answer_tokens=7 if member.group == plan.groups[0].id else 12,
        )
        model = load_for_inference(plan.models[member.id], "cpu")
        logits[member.id] = predict(model, windows[member.group], precision="fp32")
    contexts = [e.context for e in EXAMPLES]
    spans = aggregate(
        dataclasses.replace(
            plan.ensemble,
            aggregator=joined.manifest.vote.aggregator,
            words=joined.manifest.vote.words,
        ),
        logits,
        windows,
        contexts,
    )
    raw = [Prediction(s.text, s.start, s.end, s.score) for s in spans]
    assert same(joined.predict(ROWS), raw)  # of these rows none says that it is Hindi
    languages = [e.language for e in EXAMPLES]
    clean = apply_rules(spans, contexts, languages, {"hi": ["punctuation"]})
    wanted = [Prediction(s.text, s.start, s.end, s.score) for s in clean]
    rows = [Row(e.id, e.question, e.context, e.language) for e in EXAMPLES]
    assert same(joined.predict(rows), wanted)
    singles = [joined(question=r.question, context=r.context, language=r.language) for r in rows]
    assert same(singles, wanted)
    changed = [language for a, b, language in zip(raw, wanted, languages, strict=False) if a != b]
    assert set(changed) == {"hi"}


def test_answers_lie_in_their_context(expected: list[Prediction]) -> None:
    for row, found in zip(ROWS, expected, strict=True):
        assert 0 <= found.start < found.end <= len(row.context)
        fragment = iter(row.context[found.start : found.end].split())
        assert all(word in fragment for word in found.answer.split())  # in the context's order
        assert 0 <= found.score <= 1
    assert len({found.answer for found in expected}) > 3


def test_models_stay_for_single_calls_only(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []
    original = modeling_load.load_for_inference

    def counted(folder: Path, device: str = "auto") -> object:
        loads.append(folder.name)
        return original(folder, device)

    monkeypatch.setattr(modeling_load, "load_for_inference", counted)
    lasting, passing = autoqa.load(bundle), autoqa.load(bundle, resident=False)
    for _ in range(2):
        lasting(question=ROWS[0].question, context=ROWS[0].context)
    assert len(loads) == 4
    for _ in range(2):
        passing(question=ROWS[0].question, context=ROWS[0].context)
    assert len(loads) == 12
    passing.predict(ROWS)
    assert len(loads) == 16
    passing.predict(ROWS, announce=lambda _: None)  # the trial pass is of a model that stays
    assert len(loads) == 20
    assert not passing._shelf.resident
    for _ in range(2):
        passing.predict(ROWS, keep_loaded=True)
    assert len(loads) == 24


def test_one_model_is_in_memory_at_a_time(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[object]] = []
    original = modeling_load.load_for_inference

    def watched(folder: Path, device: str = "auto") -> object:
        assert not [model for model in alive if model() is not None]
        model = original(folder, device)
        alive.append(weakref.ref(model))
        return model

    monkeypatch.setattr(modeling_load, "load_for_inference", watched)
    autoqa.load(bundle).predict(ROWS, announce=lambda _: None)
    assert len(alive) == 4
    assert not [model for model in alive if model() is not None]


def test_no_rows_no_answers(ensemble: Ensemble) -> None:
    assert ensemble.predict([]) == []


@pytest.mark.parametrize("context", ["\u200b", "\u200b \u200b", "x", "?", "🙂 " * 100])
def test_odd_contexts_are_answered(ensemble: Ensemble, context: str) -> None:
    found = ensemble(question="Where ?", context=context)
    assert context[found.start : found.end].strip() == context[found.start : found.end]


@pytest.mark.parametrize("question, context", [("", "c"), ("q", " \n"), ("q\ud800", "c"), (3, "c")])
def test_what_is_no_text_is_refused(ensemble: Ensemble, question: str, context: str) -> None:
    with pytest.raises(DataError, match=r"^the row: (question|context) "):
        ensemble(question=question, context=context)


def test_a_question_that_fills_the_window_is_shortened_and_counted(ensemble: Ensemble) -> None:
    room = bundle_kit.LENGTH - 3 - bundle_kit.STRIDE
    fits, too_long = "why " * (room - 1), "why " * room
    long, short = "Ada lives in Rome . " * 5, "Ada ."
    rows = [
        Row("a", fits, long),
        Row("b", too_long, long),
        Row("c", too_long, short),
        Row("d", too_long * 2, short),
    ]
    told: list[list[str]] = []
    found = ensemble.predict(rows, shortened=told.append)
    assert told == [["b", "d"]]
    beginning = Row("b", "why " * (room // 2), long)
    assert same([found[1]], ensemble.predict([beginning], shortened=told.append))
    assert len(told) == 1


def test_questions_of_all_blocks_are_counted(
    ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "_SMALL", 0)
    monkeypatch.setattr(blocks, "_BYTES", 1)
    rows = [Row(name, "why " * 40, "Ada lives in Rome . " * 5) for name in "abc"]
    told: list[list[str]] = []
    ensemble.predict(rows, shortened=told.append)
    assert told == [["a", "b", "c"]]


def test_loading_verifies(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        autoqa.load(tmp_path)
    with pytest.raises(BundleError):
        autoqa.load(str(bundle / "members"))


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "", "mps"])
def test_an_unknown_device_is_refused(bundle: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f"device '{device}'"):
        autoqa.load(bundle, device=device)
