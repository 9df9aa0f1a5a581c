"""A head that only this test registers, from the study file to a bundle's answers."""

from pathlib import Path
from typing import Any, Self

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import autoqa
from autoqa.bundle.entries import GroupEntry, MemberEntry
from autoqa.config import load_study
from autoqa.ensemble.joining.plan import EnsemblePlan
from autoqa.errors import BundleError, ConfigError
from autoqa.export.onnx_convert import check_model
from autoqa.export.write import BundlePlan, write_bundle
from autoqa.modeling.forward import predict
from autoqa.modeling.heads.base import AnswerHead, LogitTensors
from autoqa.modeling.heads.registry import fresh_head, head_class, head_name
from autoqa.modeling.load import load_for_inference
from autoqa.modeling.packing import Batch
from autoqa.recipes import HEADS, Method, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.scores.summary import ScoreEntry
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.training.jobs import TrialJob
from autoqa.training.messages import Message, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.workbench import Workbench
from tests.toy_study import write_study

METHOD = '\n[recipe.method]\nhead = "scaled"\n'


class ScaledHead(AnswerHead):
    """The linear scores, each multiplied with a number that is learned."""

    no_onnx = "which exists in a test only"

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([2.0, 0.5]))

    @classmethod
    def fresh(cls, config: Any) -> Self:
        assert config.hidden_size == 32
        return cls()

    def training_logits(
        self, hidden: torch.Tensor, linear: LogitTensors, batch: Batch
    ) -> LogitTensors:
        return self.answer_logits(hidden, linear, batch)

    def answer_logits(
        self, hidden: torch.Tensor, linear: LogitTensors, batch: Batch
    ) -> LogitTensors:
        start, end = linear
        return start * self.scale[0], end * self.scale[1]


@pytest.fixture
def scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HEADS, "scaled", f"{__name__}:ScaledHead")


def test_every_registered_head_can_be_made_and_named() -> None:
    for name in HEADS:
        head_type = head_class(name)
        if head_type is not None:
            assert issubclass(head_type, AnswerHead)
    assert fresh_head("independent", inner=None) is None
    with pytest.raises(ConfigError, match="no answer head 'condtional'; did you mean 'conditio"):
        head_class("condtional")
    with pytest.raises(ValueError, match=r"ScaledHead is not registered in autoqa\.recipes\.HEADS"):
        head_name(ScaledHead())


@pytest.mark.usefixtures("scaled")
def test_a_study_file_takes_a_registered_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_study(tmp_path, METHOD)
    assert load_study(study).recipe.method.head == "scaled"
    study.write_text(study.read_text().replace('"scaled"', '["scaled", "independent"]'))
    assert load_study(study).recipe.method.head == ("scaled", "independent")
    study.write_text(study.read_text().replace('"scaled"', '"scald"'))
    with pytest.raises(ConfigError, match=r"method.head\[0\]: .* not \"scald\"; did you mean 'sca"):
        load_study(study)
    monkeypatch.delitem(HEADS, "scaled")
    study.write_text(study.read_text().replace('["scald", "independent"]', '"scaled"'))
    with pytest.raises(
        ConfigError,
        match=r"recipe\.method\.head: should be 'independent' or 'conditional' or a list, not",
    ):
        load_study(study)


@pytest.mark.usefixtures("scaled")
def test_a_registered_head_is_trained_stored_and_answers_from_a_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    bench = Workbench(open_study(write_study(tmp_path, METHOD)), tmp_path / "runs" / "toy")
    recipe = Recipe((Stage((Portion("train"),), 32, 8),), Method(head="scaled"))
    messages: list[Message] = []
    job = TrialJob(1, "toy", TrainingRun(recipe, 5e-3, 1), bench.run_folder)
    run_trial(job, bench, messages.append)
    record = next(m.candidate for m in messages if isinstance(m, SnapshotTaken))
    folder = RunFolder(bench.run_folder).model(record.id)
    stored = load_file(folder / "model.safetensors")["autoqa_head.scale"].float()
    assert (stored != torch.tensor([2.0, 0.5])).all()
    model = load_for_inference(folder)
    assert isinstance(model.head, ScaledHead)
    assert torch.equal(model.head.scale.detach().cpu(), stored)
    scaled = predict(model, bench.backbone("toy").public, precision="fp32")
    model.head = None
    linear = predict(model, bench.backbone("toy").public, precision="fp32")
    assert scaled[0] == pytest.approx(linear[0] * float(stored[0]), abs=1e-5)
    assert scaled[1] == pytest.approx(linear[1] * float(stored[1]), abs=1e-5)
    with pytest.raises(ConfigError, match="a scaled answer head, which exists in a test only: exp"):
        check_model(folder, record.id)

    write_bundle(_plan(record, folder), tmp_path / "bundle")
    predictor = autoqa.load(tmp_path / "bundle")
    answered = [predictor(question=e.question, context=e.context) for e in bench.public]
    right = [p.answer == e.answers[0].text for p, e in zip(answered, bench.public, strict=True)]
    assert sum(right) / len(right) == pytest.approx(record.scores["em"])

    monkeypatch.delitem(HEADS, "scaled")
    with pytest.raises(BundleError, match="names the answer head 'scaled', but this autoqa knows"):
        load_for_inference(folder)


def _plan(record: CandidateRecord, folder: Path) -> BundlePlan:
    score = ScoreEntry(jaccard=0.5, low=0.4, high=0.6, em=0.5, f1=0.5, questions=30)
    group = GroupEntry(id=record.group, folder=f"tokenizers/{record.group}", length=32, stride=8)
    member = MemberEntry(
        id=record.id,
        backbone=record.backbone,
        group=record.group,
        weight=1,
        folder=f"members/{record.id}",
        precision="fp32",
        licence=record.licence or "MIT",
        trial=record.trial,
        fraction=record.fraction,
        learning_rate=record.learning_rate,
        seed=record.seed,
        recipe=record.recipe,
        public=score,
    )
    return BundlePlan(
        study="toy",
        members=(member,),
        groups=(group,),
        ensemble=EnsemblePlan([member.member], group.id),
        max_answer_tokens=48,
        public=score,
        private=score,
        openings=1,
        models={record.id: folder},
    )
