"""Two long runs, four of half their length, eight of a quarter, or four in two rounds?

All train on equally many windows of SQuAD and of every second article of XQuAD, and are averaged
with equal weights; nothing is selected, so the public score of an average is that of a model which
no one has looked at. ``python -m tests.benchmarks.long_vs_many FOLDER`` needs AUTOQA_DATA; see
``--help`` for sizes. The rounds differ in their seeds only.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from autoqa.recipes import RATE_OF_FURTHER_RUN, Portion, Recipe, Stage, TrainingRun
from autoqa.registry import open_study
from autoqa.searching.rounds import going_on
from autoqa.store.candidate_record import CandidateRecord
from autoqa.training.jobs import SoupJob, TrialJob
from autoqa.training.messages import Message, SnapshotTaken
from autoqa.training.run import run_trial
from autoqa.training.soup import make_soup
from autoqa.training.workbench import Workbench

from .harness import Comparison, record

WAYS = {"2 long": (2, 1.0), "4 middle": (4, 0.5), "8 short": (8, 0.25), "2 + 2 in rounds": (4, 0.5)}
"""Runs, and their share of a long run's windows."""

STUDY = """
name = "long-vs-many"
[sources.squad]
type = "file"
path = "{data}/squad.en.train.jsonl.gz"
[sources.target]
type = "file"
path = "{data}/xquad.{language}.even-articles.json"
language = "{language}"
[backbones.it]
type = "{backbone}"
[recipe]
portions = [{{ source = "squad" }}, {{ source = "target" }}]
[validation]
source = "target"
share = {held_out}
public = 0.6
"""


def taken(messages: Sequence[Message]) -> CandidateRecord:
    """The last candidate that was made."""
    return [each.candidate for each in messages if isinstance(each, SnapshotTaken)][-1]


def candidates(
    bench: Workbench,
    numbers: range,
    scale: float,
    squad: float,
    target: float,
    seed: int,
    start: Sequence[CandidateRecord] = (),
) -> list[CandidateRecord]:
    """Trains runs that differ in their seed, from the pretrained weights or from a mean."""
    protocol = bench.bound.backbones["it"].protocol
    portions = (Portion("squad", share=squad * scale), Portion("target", share=target * scale))
    recipe = Recipe((Stage(portions, protocol.length, protocol.stride),))
    found = []
    for number in numbers:
        messages: list[Message] = []
        run = TrainingRun(recipe, protocol.learning_rate, 100 * seed + number)
        run = going_on(run, start, RATE_OF_FURTHER_RUN)
        run_trial(TrialJob(number, "it", run, bench.run_folder), bench, messages.append)
        found.append(taken(messages))
    return found


def main() -> None:
    """Prints a line for each way and round, and records each way against two long runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backbone", default="e5-small")
    parser.add_argument("--language", default="hi")
    parser.add_argument("--squad", type=float, default=0.09, help="share of SQuAD in a long run")
    parser.add_argument("--target", type=float, default=2.0, help="share of the target's rows")
    parser.add_argument("--held-out", type=float, default=0.5, help="share of the articles")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    study = options.folder / "study.toml"
    study.write_text(
        STUDY.format(
            data=os.environ["AUTOQA_DATA"],
            language=options.language,
            backbone=options.backbone,
            held_out=options.held_out,
        ),
        encoding="utf-8",
    )
    scores: dict[str, list[float]] = {name: [] for name in WAYS}
    for seed in range(options.rounds):
        for name, (runs, scale) in WAYS.items():
            place = options.folder / f"{seed}-{name.replace(' ', '-')}"
            bench = Workbench(open_study(study), place)
            sizes = scale, options.squad, options.target, seed
            if name.endswith("rounds"):
                first = candidates(bench, range(runs // 2), *sizes)
                made = candidates(bench, range(runs // 2, runs), *sizes, first)
            else:
                made = candidates(bench, range(runs), *sizes)
            messages: list[Message] = []
            make_soup(SoupJob(tuple(made), place), bench, messages.append)
            scores[name].append(taken(messages).score)
            single = np.mean([each.score for each in made])
            print(f"round {seed}, {name}: singles {single:.3f}, soup {scores[name][-1]:.3f}")
    long = float(np.mean(scores["2 long"]))
    for name, found in scores.items():
        mean = float(np.mean(found))
        record(
            Comparison(
                name=f"long_vs_many {name}",
                ratio=round(mean / long, 4),
                a=round(long, 4),
                b=round(mean, 4),
                unit="jaccard",
                equal=True,  # the same questions
                rounds=options.rounds,
            )
        )
        print(f"{name}: {mean:.3f}, {mean / long:.3f} × two long ones")


if __name__ == "__main__":
    main()
