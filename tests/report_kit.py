"""A finished search without training: recipes with known effects, and predictions that fit them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import FloatDistribution

from autoqa.analysis.finished_run import StudyRun, open_run
from autoqa.analysis.selection import choose
from autoqa.ensemble.evaluation.candidate_scorer import CandidateScorer
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import save_windows
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows
from autoqa.scores.bootstrap import interval
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.predictions import write_logits
from autoqa.store.run_folder import Part, RunFolder
from autoqa.store.study_tables import Store
from autoqa.store.validation import fingerprint
from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.types import Answer, Example
from tests import bundle_kit
from tests.effect_studies import simulate

STUDY = """
name = "{name}"
[sources.target]
type = "not-installed"
[backbones.e5]
type = "not-installed"
[backbones.minilm]
type = "not-installed"
[recipe]
portions = [{{ source = "target" }}]
[validation]
source = "target"
share = 0.5
[search]
trials = {trials}
"""

SENTENCES = {
    "hi": ("मुंबई शहर में रहते हैं", "अमिता जी", "दिल्ली में", "कहाँ रहते हैं"),
    "ta": ("சென்னை நகரில் வாழ்கிறார்", "குமரன் ஐயா", "மதுரையில்", "எங்கே வாழ்கிறார்"),
    "bn": ("কলকাতা শহরে থাকেন", "রবীন্দ্র বাবু", "ঢাকায়", "কোথায় থাকেন"),
    "te": ("హైదరాబాద్ నగరంలో ఉంటారు", "రాము గారు", "విజయవాడలో", "ఎక్కడ ఉంటారు"),
    "ar": ("يسكن في مدينة القاهرة", "السيد أحمد", "في دمشق", "أين يسكن"),
    "zh": ("住 在 北京 市 中心", "王 先生", "上海", "住 在 哪里"),
    "en": ("lives in <b>London</b> & works", "Mr Smith", "near Paris", "where does he live"),
}
"""By language: where somebody lives, who, where else, and what one may ask."""

LENGTH, STRIDE = 96, 24


def examples(count: int, start: int = 0) -> list[Example]:
    """Questions in seven languages, four about each document."""
    made = []
    languages = list(SENTENCES)
    for number in range(start, start + count):
        language = languages[number % len(languages)]
        lives, who, other, ask = SENTENCES[language]
        before = " ".join([f"{who} {number} {other}"] * (1 + number % 4))
        answer = f"{who} {number}"
        context = f"{before} . {answer} {lives} . {other} {who} {number % 10} ."
        made.append(
            Example(
                id=f"q{number}",
                question=f"{who} {number % 10} {ask} {number} ?",
                context=context,
                answers=(Answer(answer, len(before) + 3),),
                language=language,
                document=f"d{number // 4}",
                source="target",
            )
        )
    return made


@dataclass(frozen=True)
class MadeStudy:
    """A study that was written, and the effects that its scores hold."""

    folder: RunFolder
    name: str

    def open(self) -> StudyRun:
        """Its run; AUTOQA_HOME must be the folder that it was written to."""
        return open_run(self.name)


def _gold_tokens(windows: Windows, rows: Sequence[Example]) -> list[tuple[int, int]]:
    """First and last token of the answer of each question, in the first window that has it."""
    found: dict[int, tuple[int, int]] = {}
    for number in np.flatnonzero(windows.answerable):
        first, last = windows.bounds[number] + windows.label[number]
        found.setdefault(int(windows.example[number]), (int(first), int(last)))
    return [found[number] for number in range(len(rows))]


def _logits(
    rng: np.random.Generator,
    windows: Windows,
    gold: Sequence[tuple[int, int]],
    skill: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Peaks at the answer where skill allows, near it or elsewhere where not."""
    size = int(windows.bounds[-1])
    start, end = (rng.normal(-4, 0.5, size).astype(np.float32) for _ in range(2))
    luck = rng.random(len(gold))
    spots = windows.bounds[:-1] + windows.context[:, 0]
    for number, (first, last) in enumerate(gold):
        low, high = first, last
        if luck[number] > skill[number]:
            kind = int(luck[number] * 1000) % 3
            if kind == 0:
                high = last + 1  # too long
            elif kind == 1 and last > first:
                low = last  # too short
            else:
                low = high = int(spots[np.searchsorted(windows.example, number)])
        start[low] += 12
        end[high] += 12
    return start, end


def write_study(
    home: Path,
    name: str = "made",
    *,
    trials: int = 20,
    questions: int = 56,
    snapshots: Sequence[float] = (0.5, 1.0),
    seed: int = 0,
    rows: Sequence[Example] | None = None,
) -> MadeStudy:
    """Writes a run folder with candidates, their predictions, and Optuna's trials.

    Args:
        home: The folder of runs.
        name: The study's name.
        trials: Finished trials; one more has failed.
        questions: Of the public part; the private part has 28.
        snapshots: Points of each run.
        seed: Decides recipes and predictions.
        rows: The public questions, in place of made ones.
    """
    folder = RunFolder(home / name)
    folder.create()
    text = STUDY.format(name=name, trials=trials)
    folder.study_file.write_text(text, encoding="utf-8")
    parts: dict[Part, list[Example]] = {
        "public": list(rows or examples(questions)),
        "private": examples(28, 100_000),
    }
    for part, each in parts.items():
        folder.save_examples(part, each)
    simulated = simulate(seed, trials, documents=max(1, len(parts["public"]) // 4))
    groups = {
        backbone: _Group(home, folder, parts, backbone)
        for backbone in sorted({record.backbone for record in simulated.records})
    }
    rng = np.random.default_rng(seed)
    made: list[CandidateRecord] = []
    with Store(folder.store_url(), name) as store:
        store.save_study(text)
        store.save_validation(fingerprint(parts["public"], parts["private"]))
        for record, scores in zip(simulated.records, simulated.scores, strict=True):
            skill = np.resize(np.clip(scores, 0.02, 0.98), len(parts["public"]))
            for fraction in snapshots:
                point = replace(record, id=f"t{record.trial:04d}-{round(100 * fraction)}")
                weaker = skill - 0.1 * (1 - fraction)
                made.append(groups[record.backbone].write(rng, point, fraction, weaker))
                store.add_candidate(made[-1])
        _write_trials(folder, name, made)
    return MadeStudy(folder, name)


class _Group:
    """Windows of one backbone, and candidates that answer in them."""

    def __init__(
        self, home: Path, folder: RunFolder, parts: dict[Part, list[Example]], backbone: str
    ) -> None:
        tokenizer = bundle_kit.write_tokenizer(
            home / ".tokenizers" / backbone, lower=backbone == "minilm"
        )
        self.folder, self.parts = folder, parts
        self.key = str(WindowGroup(tokenizer.key, LENGTH, STRIDE))
        self.windows = {
            p: cut(encode(tokenizer, rows), LENGTH, STRIDE) for p, rows in parts.items()
        }
        self.gold = {p: _gold_tokens(self.windows[p], rows) for p, rows in parts.items()}
        for part, windows in self.windows.items():
            save_windows(folder.windows_path(self.key, part), windows)
        self.scorer = CandidateScorer(folder, parts["public"])

    def write(
        self, rng: np.random.Generator, record: CandidateRecord, fraction: float, skill: np.ndarray
    ) -> CandidateRecord:
        """What a worker leaves of a snapshot, but for the weights."""
        documents = [example.document for example in self.parts["public"]]
        record = replace(record, group=self.key, fraction=fraction)
        with self.folder.writing_candidate(record.id) as place:
            for part in self.parts:
                own = skill if part == "public" else np.full(28, skill.mean())
                logits = _logits(rng, self.windows[part], self.gold[part], own)
                write_logits(place, part, *logits)
            (place / "candidate.json").write_text(record.as_text(), encoding="utf-8")
        scores = self.scorer.of(record)
        record = replace(
            record,
            scores={"jaccard": float(scores.mean()), "em": float((scores == 1).mean()), "f1": 0.5},
            by_language={"hi": float(scores[::7].mean())},
            half_width=interval(scores, documents, rounds=200).half_width,
        )
        with self.folder.writing_candidate(record.id) as place:
            for part in self.parts:
                own = self.folder.logits_path(record.id, part)
                (place / own.relative_to(self.folder.candidate(record.id))).write_bytes(
                    own.read_bytes()
                )
            (place / "candidate.json").write_text(record.as_text(), encoding="utf-8")
        return record


def _write_trials(folder: RunFolder, name: str, made: Sequence[CandidateRecord]) -> None:
    study = open_study(name, folder.store_url(), seed=0)
    last = {record.trial: record for record in made}
    for number, record in sorted(last.items()):
        attributes = TrialAttributes(backbone=record.backbone, recipe_hash=record.recipe_hash)
        rate = f"{record.backbone}.learning_rate"
        trial = optuna.trial.create_trial(
            value=record.score,
            params={rate: record.learning_rate},
            distributions={rate: FloatDistribution(1e-7, 1.0, log=True)},
            user_attrs=attributes.as_dict(),
            intermediate_values={
                round(100 * each.fraction): each.score
                for each in made
                if each.trial == record.trial
            },
        )
        assert trial.datetime_start is not None
        trial.datetime_complete = trial.datetime_start + timedelta(minutes=6 + number % 5)
        study.add_trial(trial)
    failed = TrialAttributes(backbone="e5", failure="the loss is not finite at step 7")
    study.add_trial(
        optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL, user_attrs=failed.as_dict())
    )


def select(made: MadeStudy) -> None:
    """Chooses an ensemble, as `autoqa select` does."""
    run = made.open()
    with run.store:
        choose(run)


def damage_database(run_folder: Path) -> None:
    """Leaves something else where the database was."""
    for beside in run_folder.glob("study.db-*"):
        beside.unlink()
    (run_folder / "study.db").write_bytes(b"no database" * 500)
