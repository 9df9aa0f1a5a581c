"""A member's folder gives, with plain transformers, what autoqa gives; what cannot is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from autoqa_backbones.minilm import MiniLMOptions, prepare
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

import autoqa
from autoqa.decoding.decoder import best_span
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference, rounded_state, save_model
from autoqa.store.run_folder import RunFolder
from autoqa.types import Example
from tests import bundle_kit
from tests.conftest import Run
from tests.modeling.conftest import save_tiny
from tests.plugins.test_backbones_minilm import needs_weights
from tests.store.damage import without_sums


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    return bundle_kit.write_run(tmp_path / "runs")


def plain_logits(folder: Path, row: Example) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Start and end logits and the tokens of one window, as any user of transformers gets them."""
    model = AutoModelForQuestionAnswering.from_pretrained(folder)
    inputs = AutoTokenizer.from_pretrained(folder)(row.question, row.context, return_tensors="pt")
    with torch.no_grad():
        output = model.eval()(**inputs)
    start, end = output.start_logits[0].numpy(), output.end_logits[0].numpy()
    return start, end, inputs["input_ids"][0].tolist()


def check_same(source: Path, folder: Path, row: Example, length: int, stride: int) -> None:
    windows = cut(encode(QATokenizer.from_folder(source), [row]), length, stride)
    assert len(windows) == 1
    start, end = predict(load_for_inference(source, "cpu"), windows, precision="fp32")
    plain_start, plain_end, tokens = plain_logits(folder, row)
    assert tokens == windows.input_ids.tolist()
    np.testing.assert_allclose(plain_start, start, atol=1e-4)
    np.testing.assert_allclose(plain_end, end, atol=1e-4)
    found = [
        best_span(*logits, windows, [row.context])[0][::3]
        for logits in ((start, end), (plain_start, plain_end))
    ]
    assert found[0] == found[1]


def test_a_member_answers_alike(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    target = tmp_path / "model"
    options = ("--member", "t0003-100", "--as", "transformers", "--to", target)
    code, out, err = run("export", "toy", *options)
    assert (code, err) == (0, "")
    assert out.startswith(f"{target}: t0003-100 (lower) for AutoModelForQuestionAnswering, public ")
    names = {"README.md", "config.json", "model.safetensors", "tokenizer.json"}
    assert {path.name for path in target.iterdir()} == names | {"tokenizer_config.json"}
    row = Example("1", "Where does Ada live ?", "Ada lives in Rome , near Oslo .", (), "en", "d")
    check_same(toy.model("t0003-100"), target, row, bundle_kit.LENGTH, bundle_kit.STRIDE)
    assert f"windows of {bundle_kit.LENGTH} tokens" in (target / "README.md").read_text()
    code, _, err = run("export", "toy", *options)
    assert code == 2
    assert "exists already" in err
    assert run("export", "toy", *options, "--force")[0] == 0
    with autoqa.open_run("toy") as opened:
        opened.export_member("t0003-100", tmp_path / "again")
    for path in target.iterdir():
        again = (tmp_path / "again" / path.name).read_bytes()
        assert path.name == "README.md" or again == path.read_bytes()


@needs_weights
def test_a_real_backbone_answers_alike(toy: RunFolder, tmp_path: Path, run: Run) -> None:
    source = prepare(MiniLMOptions(), tmp_path / "cache")
    model = load_for_inference(source, "cpu")
    with torch.no_grad():
        model.inner.qa_outputs.weight.normal_(std=0.5)
    replace_model(toy, "t0001-100", source, model)
    target = tmp_path / "model"
    options = ("--member", "t0001-100", "--as", "transformers", "--to", target)
    assert run("export", "toy", *options)[0] == 0
    question, context = (
        "Who founded Kimemport?",
        "Mabitin Kingsley founded Kimemport in 1987, café!",
    )
    row = Example("1", question, context, (), "en", "d")
    check_same(toy.model("t0001-100"), target, row, 128, 32)


def replace_model(run: RunFolder, name: str, source: Path, model: object) -> None:
    """Another model in the place of a candidate's."""
    folder = run.model(name)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    save_model(model, rounded_state(model), source, folder)  # type: ignore[arg-type]
    without_sums(run.candidate(name))


@pytest.mark.parametrize(
    "member, expected",
    [
        ("t0004-100", "member t0004-100 has a conditional answer head, which no class of"),
        (
            "t0001-100",
            "member t0001-100 is an encoder of the kind 'bert' with a head of autoqa's",
        ),
    ],
)
def test_what_transformers_has_no_class_for_is_refused(
    toy: RunFolder, tmp_path: Path, run: Run, member: str, expected: str
) -> None:
    if member == "t0001-100":
        headless = save_tiny(tmp_path / "tiny")
        replace_model(toy, member, headless, load_for_inference(headless, "cpu"))
        path = toy.model(member) / "config.json"
        config = json.loads(path.read_text()) | {"architectures": ["SpanEncoder"]}
        path.write_text(json.dumps(config))
    target = tmp_path / "model"
    code, out, err = run(
        "export", "toy", "--member", member, "--as", "transformers", "--to", target
    )
    assert (code, out) == (2, "")
    assert err.startswith("Error: " + expected)
    assert err.count("\n") == 1
    assert not target.exists()


@pytest.mark.parametrize(
    "options, code, expected",
    [
        (("--member", "t0001-100"), 2, "--member t0001-100 is for --as transformers"),
        (("--as", "transformers"), 2, "Missing option '--member'"),
        (("--as", "transformers", "--member", "t0001-100"), 2, "Missing option '--to'"),
        (
            ("--as", "transformers", "--member", "t0001-100", "--kaggle", "--pick", "best"),
            2,
            "--as transformers writes one member as it is: leave out --kaggle, --pick",
        ),
        (
            ("--as", "transformers", "--member", "t0001-10", "--to", "x"),
            5,
            "member 't0001-10': the study 'toy' has no such candidate; did you mean 't0001-100'? "
            "`autoqa leaderboard` lists them.",
        ),
    ],
)
def test_options_that_contradict_get_a_sentence(
    toy: RunFolder, run: Run, options: tuple[str, ...], code: int, expected: str
) -> None:
    found, out, err = run("export", "toy", *options)
    assert (found, out) == (code, "")
    assert expected in err
    assert "Traceback" not in err
