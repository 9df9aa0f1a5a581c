"""Pupils of toy models: what teachers say of windows, and that it is learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from autoqa.errors import DataError
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.select import take
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.modeling.training_setup import load_for_training
from autoqa.recipes import AugmentationUse, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.unlabelled import keep_unlabelled
from autoqa.store.weight_quota import WEIGHTS
from autoqa.training import distil as distilling
from autoqa.training.distil import _weights, distil
from autoqa.training.jobs import DistilJob, TrialJob
from autoqa.training.messages import Message, Note, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.teacher import Lesson, Teacher, joined
from autoqa.training.workbench import Workbench
from autoqa.types import Example
from tests import bundle_kit
from tests.store.damage import zero_half
from tests.toy_study import write_study

RECIPE = Recipe((Stage((Portion("train", share=4.0),), 32, 8),))
RUN = TrainingRun(RECIPE, 1.5e-2, 11)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """A study with two backbones whose tokenizers differ, and a trained candidate of the first."""
    folder = tmp_path_factory.mktemp("distil")
    study = write_study(folder)
    tokenizer, other = folder / "lower-tokenizer", folder / "lower"
    bundle_kit.write_tokenizer(tokenizer, lower=True, backwards=True)
    bundle_kit.write_model(other, tokenizer, seed=5)
    text = study.read_text()
    table = text[text.index("[backbones.toy]") : text.index("[recipe]")]
    table = table.replace("backbones.toy", "backbones.lower").replace("/backbone", "/lower")
    study.write_text(f"{text}\n{table}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOQA_CACHE", str(folder / "cache"))
        made = Workbench(open_study(study), folder / "runs" / "toy")
        run_trial(TrialJob(3, "toy", RUN, made.run_folder, only=1.0), made, lambda _: None)
    return made


@pytest.fixture(autouse=True)
def _cache(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOQA_CACHE", str(bench.run_folder.parents[1] / "cache"))


def record(bench: Workbench) -> CandidateRecord:
    return RunFolder(bench.run_folder).read_record("t0003-100")


def taught(bench: Workbench, backbone: str, **changes: object) -> tuple[DistilJob, list[Message]]:
    plain = TrialJob(3, backbone, replace(RUN, **changes), bench.run_folder, only=1.0)
    job = DistilJob.of(plain, ((record(bench), 2),))
    messages: list[Message] = []
    distil(job, bench, messages.append)
    return job, messages


def teacher(bench: Workbench) -> Teacher:
    folder = RunFolder(bench.run_folder).model("t0003-100")
    return Teacher(folder, WindowGroup.parse(record(bench).group), "fp32")


def lesson_of(bench: Workbench, backbone: str) -> Lesson:
    return Lesson.of(bench.backbone(backbone).public, bench.public)


def divergence(
    bench: Workbench, lesson: Lesson, backbone: str, folder: Path, *, fresh: bool
) -> float:
    """Mean KL of a model from the teacher, in nats."""
    ready = bench.backbone(backbone)
    said = teacher(bench).log_probabilities(lesson, ready.tokenizer.key)
    protocol = ready.bound.protocol
    model = load_for_training(folder, protocol, RUN.seed) if fresh else load_for_inference(folder)
    logits = predict(model.eval(), lesson.windows, precision="fp32")
    possible = np.isfinite(said)
    total = 0.0
    for side, own in enumerate(softmaxed(logits, lesson.windows)):
        of = possible[:, side]
        total += float((np.exp(said[of, side]) * (said[of, side] - own[of])).sum())
    return total / 2 / len(lesson.windows)


def softmaxed(logits: tuple[np.ndarray, ...], windows: Windows) -> list[np.ndarray]:
    """Log-probabilities of starts and of ends, over each window's context and first token."""
    sides = []
    for side in logits:
        own = np.full(len(side), -np.inf, np.float32)
        for w, (low, high) in enumerate(windows.context.tolist()):
            begin = int(windows.bounds[w])
            tokens = [begin, *range(begin + low, begin + high)]
            own[tokens] = side[tokens] - np.log(np.exp(side[tokens].astype(float)).sum())
        sides.append(own)
    return sides


@pytest.mark.parametrize("backbone", ["toy", "lower"])
def test_a_pupil_comes_near_its_teacher(bench: Workbench, backbone: str) -> None:
    """The other backbone has other tokens, so what is learned went by way of characters."""
    job, messages = taught(bench, backbone)
    (pupil,) = (m.candidate for m in messages if isinstance(m, SnapshotTaken))
    folder = RunFolder(bench.run_folder)
    assert pupil.id == job.candidate_id(1.0) == folder.read_record(pupil.id).id
    assert pupil.id.startswith(f"distil-{backbone}-")
    assert pupil.teachers == ("t0003-100", "t0003-100")
    assert pupil.recipe_hash not in (RECIPE.hash, record(bench).recipe_hash)
    assert not (folder.lessons / pupil.id).exists()
    tokenizer = bench.backbone(backbone).tokenizer
    seen = bench.data.train["train"]
    lessons = [Lesson.of(cut(encode(tokenizer, seen), 32, 8), seen), lesson_of(bench, backbone)]
    start, end = bench.backbone(backbone).folder, folder.model(pupil.id)
    untaught = [divergence(bench, each, backbone, start, fresh=True) for each in lessons]
    near = [divergence(bench, each, backbone, end, fresh=False) for each in lessons]
    assert near[0] < 0.5 * untaught[0], "windows that it was taught"
    assert near[1] < 0.5 * untaught[1], "windows that neither has seen"


def test_a_teacher_says_of_its_own_windows_what_it_predicts(bench: Workbench) -> None:
    lesson = lesson_of(bench, "toy")
    said = teacher(bench).log_probabilities(lesson, bench.backbone("toy").tokenizer.key)
    model = load_for_inference(RunFolder(bench.run_folder).model("t0003-100"))
    expected = softmaxed(predict(model, lesson.windows, precision="fp32"), lesson.windows)
    np.testing.assert_allclose(said, np.stack(expected, 1), rtol=1e-4, atol=1e-4)


def test_both_ways_of_asking_agree_on_where_the_answer_is(bench: Workbench) -> None:
    """Asked about its own tokens by way of characters, a teacher finds the same places likely."""
    lesson = lesson_of(bench, "toy")
    straight = teacher(bench).log_probabilities(lesson, bench.backbone("toy").tokenizer.key)
    around = teacher(bench).log_probabilities(lesson, "another")
    begins = lesson.windows.bounds[:-1]
    np.testing.assert_allclose(
        np.add.reduceat(np.exp(around), begins, axis=0), 1, atol=1e-5, err_msg="mass of windows"
    )
    alone = [w for w, row in enumerate(lesson.windows.example) if _once(lesson.windows, row)]
    assert len(alone) > 5
    for w in alone:
        context = slice(int(begins[w]) + 1, int(lesson.windows.bounds[w + 1]))
        given = np.exp(straight[context]) / np.exp(straight[context]).sum(axis=0)
        np.testing.assert_allclose(np.exp(around[context]), given, atol=1e-4)


def _once(windows: Windows, row: int) -> bool:
    return int((windows.example == row).sum()) == 1


def test_windows_that_come_again_are_asked_about_once(bench: Workbench) -> None:
    windows = bench.backbone("toy").public
    again = take(windows, [3, 0, 3, 1, 0])
    lesson = Lesson.of(again, bench.public)
    assert lesson.rows.tolist() == [0, 1, 0, 2, 1]
    np.testing.assert_array_equal(take(lesson.windows, lesson.rows).input_ids, again.input_ids)


def test_a_question_that_fills_a_teachers_window_is_asked_by_its_beginning(
    bench: Workbench,
) -> None:
    folder = RunFolder(bench.run_folder).model("t0003-100")
    long = " ".join(["Where does Ada live ?"] * 5)
    rows = [replace(bench.public[0], question=long), bench.public[1]]
    windows = cut(encode(QATokenizer.from_folder(folder), rows), 40, 2)
    narrow = Teacher(folder, WindowGroup.parse(record(bench).group), "fp32")
    said = narrow.log_probabilities(Lesson.of(windows, rows), "another")
    owner = np.repeat(windows.example, windows.lengths)
    assert not np.isnan(said).any()
    assert set(owner.tolist()) == {0, 1}
    other = np.log(np.full_like(said, 0.5))
    log_probability, sure = joined([(said, 1), (other, 3)], windows)
    expected = (np.exp(said) + 3 * 0.5) / 4
    np.testing.assert_allclose(np.exp(log_probability), expected, atol=1e-3)
    assert (sure > 0).all()


def test_labels_count_half_and_the_unlabelled_as_far_as_teachers_are_sure() -> None:
    unlabelled, sure = np.array([False, False, True, True]), np.array([0.9, 0.0, 0.7, 0.0])
    shares = _weights(unlabelled, sure.astype(np.float32))
    np.testing.assert_allclose(shares, [[0.5, 0.5], [1, 0], [0, 0.7], [0, 0]])


def fresh_rows(count: int) -> list[Example]:
    """Questions about other places than the validation set's."""
    return [
        replace(each, id=f"new-{each.id}", context=each.context.replace("old station", f"lake {n}"))
        for n, each in enumerate(bundle_kit.examples(count, 100))
    ]


def with_unlabelled(bench: Workbench, rows: list[Example]) -> Recipe:
    source = keep_unlabelled(RunFolder(bench.run_folder), rows)
    cutout = (AugmentationUse("cutout", (("share", 0.2),)),)
    return Recipe((Stage((Portion("train"), Portion(source)), 32, 8, cutout),))


def test_unlabelled_rows_are_learned_from_but_none_of_the_validation_set(bench: Workbench) -> None:
    rows = [*fresh_rows(6), replace(bench.public[0], id="taken over", source="")]
    job, messages = taught(bench, "toy", recipe=with_unlabelled(bench, rows))
    notes = [m.text for m in messages if isinstance(m, Note)]
    assert any("1 of 7 rows left out of training" in note for note in notes)
    (pupil,) = (m.candidate for m in messages if isinstance(m, SnapshotTaken))
    sources = [each["source"] for each in pupil.recipe["stages"][0]["portions"]]
    assert len(bench.data.train[sources[1]]) == 6
    with pytest.raises(DataError, match="all 1 questions without answers"):
        taught(bench, "toy", recipe=with_unlabelled(bench, rows[-1:]))
    assert job.run.recipe.hash != RECIPE.hash


@pytest.mark.parametrize("backbone", ["toy", "lower"])
def test_teachers_answer_the_rows_that_augmentations_made(
    bench: Workbench, backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lower-case tokens are matched by the characters of the changed contexts."""
    lessons: list[Lesson] = []
    of = Lesson.of
    monkeypatch.setattr(Lesson, "of", lambda *given: lessons.append(of(*given)) or lessons[-1])
    changed = (AugmentationUse("sentence-shuffle", (("share", 0.7),)),)
    recipe = Recipe((Stage((Portion("train", share=2.0),), 32, 8, changed),))
    _, messages = taught(bench, backbone, recipe=recipe)
    assert any(isinstance(each, SnapshotTaken) for each in messages)
    (lesson,) = lessons
    train = len(bench.data.train["train"])
    assert len(lesson.examples) > train
    assert lesson.windows.example.max() >= train > lesson.windows.example.min()


def test_a_pupil_goes_on_from_the_mean_that_it_is_to_begin_with(bench: Workbench) -> None:
    folder = RunFolder(bench.run_folder)
    other = TrialJob(
        4, "toy", replace(RUN, seed=12), bench.run_folder, only=1.0, head_seed=RUN.seed
    )
    run_trial(other, bench, lambda _: None)
    both = [(record(bench), 2), (folder.read_record("t0004-100"), 1)]
    mean = {
        name: np.mean([load_file(folder.model(each.id) / WEIGHTS)[name] for each, _ in both], 0)
        for name in load_file(folder.model("t0003-100") / WEIGHTS)
    }
    run = replace(RUN, learning_rate=1e-12, begins_with=tuple(each.id for each, _ in both))
    plain = TrialJob(3, "toy", run, bench.run_folder, only=1.0)
    job = DistilJob.of(plain, tuple(both))
    distil(job, bench, lambda _: None)
    for name, tensor in load_file(folder.model(job.candidate_id(1.0)) / WEIGHTS).items():
        np.testing.assert_allclose(tensor, mean[name], atol=1e-6)


def test_an_interrupted_job_asks_no_teacher_twice(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a teacher said is enough: its weights are not read again."""
    weights = RunFolder(bench.run_folder).model("t0003-100") / WEIGHTS

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(distilling._School, "_targets", interrupted)
        with pytest.raises(KeyboardInterrupt):
            taught(bench, "toy", seed=12)
    hidden = weights.rename(weights.with_suffix(".away"))
    try:
        _, messages = taught(bench, "toy", seed=12)
        assert any(isinstance(message, SnapshotTaken) for message in messages)
        with pytest.raises(DataError, match="the weights of t0003-100 are damaged or lost"):
            taught(bench, "toy", seed=13)
    finally:
        hidden.rename(weights)


def test_damaged_answers_of_a_teacher_are_asked_for_again(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[bytes] = []

    def interrupted(school: distilling._School, *_: object) -> None:
        for path in school.answers.glob("*.npy"):
            kept.append(path.read_bytes())
            zero_half(path)
        raise KeyboardInterrupt

    def compared(school: distilling._School, *_: object) -> None:
        assert [path.read_bytes() for path in school.answers.glob("*.npy")] == kept
        raise KeyboardInterrupt

    for then in (interrupted, compared):
        monkeypatch.setattr(distilling._School, "_targets", then)
        with pytest.raises(KeyboardInterrupt):
            taught(bench, "toy", seed=14)
    assert kept


def test_the_same_job_makes_the_same_pupil(bench: Workbench, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        plain = TrialJob(3, "toy", RUN, tmp_path / name, only=1.0)
        job = DistilJob.of(plain, ((record(bench), 1),))
        distil(job, bench, lambda _: None)
        made.append(
            (RunFolder(tmp_path / name).model(job.candidate_id(1.0)) / WEIGHTS).read_bytes()
        )
    assert made[0] == made[1]
