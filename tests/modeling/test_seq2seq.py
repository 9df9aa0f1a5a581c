"""Models that generate answers, seen as models of starts and ends."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from autoqa.api import TrainingProtocol
from autoqa.decoding.decoder import SpanDecoder
from autoqa.errors import ConfigError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.windows import Windows
from autoqa.modeling.context_automaton import ContextAutomaton
from autoqa.modeling.forward import predict
from autoqa.modeling.generation import Generated, generate
from autoqa.modeling.load import (
    embedding_modules,
    encoder_layers,
    load_for_inference,
    read_configuration,
    rounded_state,
    save_model,
)
from autoqa.modeling.packing import make_batch
from autoqa.modeling.seq2seq import TextModel, fragment_logits, load_text_model
from autoqa.modeling.training_setup import load_for_training
from tests import bundle_kit
from tests.modeling.architectures import save_pretrained
from tests.text_kit import write_text_backbone

EXAMPLES = bundle_kit.examples(6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from autoqa_backbones.mt5 import MT5Options, prepare

    home = tmp_path_factory.mktemp("text")
    options = MT5Options(model=str(write_text_backbone(home / "text")))
    return prepare(options, home / "cache")


@pytest.fixture(scope="module")
def windows(folder: Path) -> Windows:
    return cut(encode(QATokenizer.from_folder(folder), EXAMPLES), 96, 16)


@pytest.fixture
def model(folder: Path) -> TextModel:
    loaded = load_for_training(folder, TrainingProtocol(dropout=0.0), seed=1, kind="text")
    assert isinstance(loaded, TextModel)
    return loaded


def told(model: TextModel, prefix: tuple[int, ...], windows: Windows) -> torch.Tensor:
    """Log-probabilities of each step of a text, by one pass over all of it."""
    ids = torch.from_numpy(windows.input_ids.astype(np.int64))[None]
    start = model.inner.config.decoder_start_token_id
    with torch.no_grad():
        logits = model.inner(input_ids=ids, decoder_input_ids=torch.tensor([[start, *prefix]]))
    return logits.logits[0].log_softmax(-1)


def context_ids(windows: Windows) -> list[int]:
    low, high = windows.context[0]
    ids: list[int] = windows.input_ids[low:high].tolist()
    return ids


def generated(model: TextModel, window: Windows, beams: int, most: int) -> Generated:
    batch = make_batch(window, model.device)
    with torch.no_grad():
        encoded = model.inner.get_encoder()(batch.input_ids[None])[0]
        automaton = ContextAutomaton(context_ids(window), frozenset({0, 1}))
        mask = torch.ones_like(batch.input_ids[None])
        (said,) = generate(model.inner, encoded, mask, [automaton], most=most, beams=beams)
    return said


def test_probabilities_are_those_of_one_pass_over_the_text(
    model: TextModel, windows: Windows
) -> None:
    model.eval()
    window = take(windows, [0])
    said = generated(model, window, beams=4, most=3)
    nothing = told(model, (), window)[0, 1]
    assert said.nothing == pytest.approx(float(nothing), abs=1e-4)
    assert len(said.texts) >= 4
    for text, value in said.texts.items():
        steps = told(model, text, window)
        expected = sum(float(steps[i, token]) for i, token in enumerate((*text, 1)))
        assert value == pytest.approx(expected, abs=1e-4)
        assert ContextAutomaton(context_ids(window)).first(text) is not None


def test_with_room_for_all_beginnings_the_best_fragment_of_all_is_found(
    model: TextModel, windows: Windows
) -> None:
    model.eval()
    window = take(windows, [0])
    ids = context_ids(window)
    fragments = {tuple(ids[low : low + size]) for low in range(len(ids)) for size in (1, 2)}
    fragments = {each for each in fragments if len(each) and not {0, 1} & set(each)}
    said = generated(model, window, beams=1000, most=2)
    assert said.texts.keys() == fragments
    few = generated(model, window, beams=2, most=2)
    assert few.texts.keys() < fragments
    for text, value in few.texts.items():
        assert value == pytest.approx(said.texts[text], abs=1e-4)


def test_a_window_is_told_the_same_whatever_is_beside_it(
    model: TextModel, windows: Windows
) -> None:
    model.eval()
    rows = np.argsort(windows.lengths, kind="stable")[[0, len(windows) // 2, -1]]
    chosen = take(windows, rows)
    together = predict(model, chosen, precision="fp32")
    for number in range(len(chosen)):
        inside = slice(chosen.bounds[number], chosen.bounds[number + 1])
        alone = predict(model, take(chosen, [number]), precision="fp32")
        for side, other in zip(together, alone, strict=True):
            best = np.argsort(-side[inside])[:3]
            np.testing.assert_allclose(side[inside][best], other[best], atol=1e-3)


texts = st.dictionaries(
    st.lists(st.integers(2, 5), min_size=1, max_size=3).map(tuple),
    st.floats(-50, -0.01),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(2, 5), min_size=1, max_size=10), texts, st.floats(-50, 0))
def test_the_best_span_is_the_likeliest_text_where_it_stands_first(
    tokens: list[int], texts: dict[tuple[int, ...], float], nothing: float
) -> None:
    automaton = ContextAutomaton(tokens)
    inside = {t: v for t, v in texts.items() if automaton.first(t) is not None}
    context = " ".join(f"w{token}" for token in tokens)
    offsets = [(0, 0), *((3 * i, 3 * i + 2) for i in range(len(tokens)))]
    windows = Windows(
        input_ids=np.array([0, *tokens], np.int32),
        type_ids=np.zeros(len(tokens) + 1, np.int32),
        offsets=np.array(offsets, np.int32),
        starts_word=np.ones(len(tokens) + 1, bool),
        bounds=np.array([0, len(tokens) + 1]),
        example=np.zeros(1, np.int32),
        context=np.array([[1, len(tokens) + 1]], np.int32),
        label=np.zeros((1, 2), np.int32),
    )
    said = Generated(nothing, texts)
    start, end = fragment_logits(said, automaton, len(offsets), np.arange(1, len(offsets)))
    decoder = SpanDecoder(windows, [context])
    listed = list(decoder.n_best(start, end, 8)[0])
    scores = [span.score for span in listed]
    assert scores == sorted(scores, reverse=True)
    assert all(context[span.start : span.end] == span.text for span in listed)
    assert start[0] == end[0] == np.float32(nothing)
    if not inside:
        return
    highest = max(map(np.float32, inside.values()))
    (best,) = decoder.best(start, end)
    winners = [automaton.first(t) for t, v in inside.items() if np.float32(v) == highest]
    places = [(3 * low, 3 * high + 2) for low, high in filter(None, winners)]
    if len(places) == 1:
        assert (best.start, best.end) == places[0]
        assert (listed[0].start, listed[0].end) == places[0]


def test_the_loss_is_that_of_transformers_on_the_labelled_tokens(
    model: TextModel, windows: Windows
) -> None:
    window = take(windows, np.flatnonzero(windows.answerable)[:1])
    first, last = window.label[0]
    target = [*window.input_ids[first : last + 1].tolist(), 1]
    ids = torch.from_numpy(window.input_ids.astype(np.int64))[None]
    expected = model.inner(input_ids=ids, labels=torch.tensor([target])).loss
    loss = model.loss(make_batch(window, model.device))
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), abs=1e-5)


def test_a_window_without_the_answer_learns_to_say_nothing(
    model: TextModel, windows: Windows
) -> None:
    window = take(windows, np.flatnonzero(~windows.answerable)[:1])
    loss = model.loss(make_batch(window, model.device))
    assert float(loss.detach()) == pytest.approx(-float(told(model, (), window)[0, 1]), abs=1e-5)


def test_what_an_augmentation_hides_is_generated_as_it_was(
    model: TextModel, windows: Windows
) -> None:
    window = take(windows, np.flatnonzero(windows.answerable)[:1])
    first, last = window.label[0]
    hidden = window.input_ids.copy()
    hidden[first : last + 1] = 2
    masked = replace(window, input_ids=hidden, unhidden=window.input_ids)
    batch = take(masked, [0])
    target = [*window.input_ids[first : last + 1].tolist(), 1]
    ids = torch.from_numpy(hidden.astype(np.int64))[None]
    expected = model.inner(input_ids=ids, labels=torch.tensor([target])).loss
    assert float(model.loss(make_batch(batch, model.device)).detach()) == pytest.approx(
        float(expected.detach()), abs=1e-5
    )


@pytest.mark.parametrize("tied", [False, True])
def test_weights_are_stored_once_and_come_back(
    folder: Path, windows: Windows, tmp_path: Path, tied: bool
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folder, source)
    if not tied:  # as Google's mT5 has them
        weights = load_file(folder / "model.safetensors")
        (source / "model.safetensors").unlink()
        weights["lm_head.weight"] = weights["shared.weight"].flip(0)
        save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    model = load_for_training(source, TrainingProtocol(dropout=0.0), seed=1, kind="text")
    state = rounded_state(model)
    tables = {name for name in state if re.search("embed_tokens|shared|lm_head", name)}
    assert tables - {"shared.weight"} == (set() if tied else {"lm_head.weight"})
    save_model(model, state, source, tmp_path / "saved")
    model.load_state({name: tensor.float() for name, tensor in state.items()})
    again = load_for_inference(tmp_path / "saved")
    assert isinstance(again, TextModel)
    assert not again.training
    model.eval()
    some = take(windows, [0, 1])
    for one, other in zip(predict(model, some), predict(again, some), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_t5_1_1_scales_no_output_after_it_is_saved_either(
    folder: Path, windows: Windows, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    shutil.copytree(folder, source)
    config = json.loads((source / "config.json").read_text())
    (source / "config.json").unlink()
    config |= {
        "model_type": "t5",
        "tie_word_embeddings": False,
        "architectures": ["T5ForConditionalGeneration"],
    }
    (source / "config.json").write_text(json.dumps(config))
    model = load_for_training(source, TrainingProtocol(dropout=0.0), seed=1, kind="text")
    save_model(model, model.state(), source, tmp_path / "saved")
    again = load_for_inference(tmp_path / "saved")
    model.eval()
    some = take(windows, [0, 1])
    for one, other in zip(predict(model, some), predict(again, some), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_weights_of_another_model_are_refused(model: TextModel) -> None:
    state = model.state()
    with pytest.raises(RuntimeError, match=r"shared\.weight"):
        model.load_state({name: t for name, t in state.items() if name != "shared.weight"})
    with pytest.raises(RuntimeError, match="odd"):
        model.load_state(state | {"odd": torch.zeros(1)})


def test_encoder_and_decoder_are_its_layers_and_one_table_its_embeddings(model: TextModel) -> None:
    assert len(encoder_layers(model)) == 4
    assert embedding_modules(model) == [model.inner.shared]


def test_layers_are_frozen_from_the_encoder_s_lowest_on(folder: Path) -> None:
    protocol = TrainingProtocol(freeze_embeddings=True, frozen_layers=1)
    model = load_for_training(folder, protocol, seed=1, kind="text")
    frozen = {name for name, p in model.inner.named_parameters() if not p.requires_grad}
    assert "shared.weight" in frozen
    assert {name.split(".layer.")[0] for name in frozen - {"shared.weight"}} == {"encoder.block.0"}


@pytest.mark.parametrize("architecture", ["eurobert", "nomic_bert"])
def test_what_generates_nothing_is_refused(tmp_path: Path, architecture: str) -> None:
    folder = save_pretrained(tmp_path / "model", architecture)
    with pytest.raises(ConfigError, match=r"does not generate texts from texts; take mt5"):
        load_text_model(folder, read_configuration(folder), torch.device("cpu"))


def test_bart_s_kind_generates_too(tmp_path: Path) -> None:
    folder = save_pretrained(tmp_path / "model", "bart")
    model = load_text_model(folder, read_configuration(folder), torch.device("cpu"))
    assert len(encoder_layers(model)) == 4
    logits = model.eval()(model.made_up_batch())
    assert all(bool(torch.isfinite(side).all()) for side in logits)
