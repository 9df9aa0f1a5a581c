"""What every candidate of a searched split answers to questions that no search saw.

``python -m tests.benchmarks.outer_judges FOLDER [NUMBER]...`` asks all candidates of
``FOLDER/splitN`` (all three splits, or the numbered ones) about the eight articles and the Telugu
rows that judge it, and keeps their logits in ``FOLDER/splitN/judged``; what is there is not asked
again. Logits are the model's own, in bf16 where the processor has it, as in a search.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from autoqa_sources.file import FileOptions, load

from autoqa.analysis.finished_run import StudyRun
from autoqa.config import load_study
from autoqa.ensemble.evaluation.evaluator import Contender
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.tokenizer import QATokenizer
from autoqa.features.window_group import WindowGroup
from autoqa.features.windows import Windows
from autoqa.modeling.forward import predict
from autoqa.modeling.load import load_for_inference
from autoqa.store.candidate_record import CandidateRecord
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.types import Example

from .candidates import Field
from .outer_splits import SPLITS, UNSEEN_LANGUAGE


@dataclass(frozen=True)
class Judged:
    """One split after its search.

    Attributes:
        run: What the search left.
        records: Its candidates, soups among them.
        fields: Questions, windows and all candidates' logits, by ``hindi`` and ``unseen language``.
    """

    run: StudyRun
    records: Sequence[CandidateRecord]
    fields: dict[str, Field]


def questions(folder: Path, number: int) -> dict[str, list[Example]]:
    """The judging questions of a split."""
    target = folder / f"split{number}" / "judge.json"
    unseen = Path(os.environ["AUTOQA_DATA"]) / UNSEEN_LANGUAGE
    return {
        "hindi": list(load(FileOptions(path=str(target), language="hi"))),
        "unseen language": list(load(FileOptions(path=str(unseen)))),
    }


def open_split(folder: Path, number: int) -> StudyRun:
    """The run of a searched split."""
    run = RunFolder(folder / "runs" / f"split{number}")
    study = load_study(run.study_file, frozen=True)
    return StudyRun(study, run, Store(run.store_url(study.search.storage), study.name))


def judged(folder: Path, number: int) -> Judged:
    """A searched split with what its candidates say to the judging questions."""
    run, fields = open_split(folder, number), {}
    records = run.candidates()
    for name, examples in questions(folder, number).items():
        kept = folder / f"split{number}" / "judged" / name.replace(" ", "-")
        kept.mkdir(parents=True, exist_ok=True)
        windows: dict[str, Windows] = {}
        contenders = []
        for each in records:
            model = run.folder.model(each.id)
            if each.group not in windows:
                group = WindowGroup.parse(each.group)
                encoded = encode(QATokenizer.from_folder(model), examples)
                windows[each.group] = cut(encoded, group.length, group.stride)
            path = kept / f"{each.id}.npy"
            if not path.is_file():
                print(f"split {number}, {name}: {each.id}", flush=True)
                logits = predict(load_for_inference(model), windows[each.group])
                np.save(path, np.stack(logits).astype(np.float16))
            start, end = np.load(path).astype(np.float32)
            seconds = 1000 * each.inference_seconds / len(run.folder.load_examples("public"))
            contenders.append(
                Contender(
                    each.id,
                    each.group,
                    f"{each.backbone} {each.recipe_hash}",
                    (start, end),
                    seconds,
                    each.ingredients,
                )
            )
        fields[name] = Field(examples, windows, contenders)  # type: ignore[arg-type]
    return Judged(run, records, fields)


if __name__ == "__main__":
    for split in map(int, sys.argv[2:]) if sys.argv[2:] else range(SPLITS):
        judged(Path(sys.argv[1]), split)
