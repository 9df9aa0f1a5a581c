"""Searches that are judged on what no search saw: three outer splits of a target's articles.

``python -m tests.benchmarks.outer_splits FOLDER`` writes, for each split, the sixteen Hindi
articles that a search may use, the eight that judge it, the Telugu rows that are taken out of its
training, and ``studies/hindi.toml`` with these in place of the whole. Each study is then searched
with ``AUTOQA_HOME=FOLDER/runs autoqa search FOLDER/splitN/study.toml``; ``outer_judges.py`` asks
what came of it, and ``bench_outer.py`` compares.
"""

import json
import os
import random
import sys
from pathlib import Path

STUDY = Path(__file__).parents[2] / "studies" / "hindi.toml"
SPLITS = 3
TARGET = "xquad.hi.even-articles.json"
UNSEEN_LANGUAGE = "tydiqa-goldp.te.dev.jsonl.gz"


def write_splits(folder: Path, data: Path, *, trials: int, minutes: float) -> None:
    """Writes files and study of each split.

    Args:
        folder: Where to.
        data: Holds the files that ``studies/hindi.toml`` names.
        trials: Trials of each search.
        minutes: Its limit; beside other work a machine needs more than the study's for as much.
    """
    articles = json.loads((data / TARGET).read_text(encoding="utf-8"))["data"]
    order = random.Random(0).sample(range(len(articles)), len(articles))
    for number in range(SPLITS):
        split = folder / f"split{number}"
        split.mkdir(parents=True, exist_ok=True)
        judges = set(order[number::SPLITS])
        for name, wanted in (("search", False), ("judge", True)):
            rows = [each for i, each in enumerate(articles) if (i in judges) is wanted]
            content = json.dumps({"version": "1.1", "data": rows}, ensure_ascii=False)
            (split / f"{name}.json").write_text(content, encoding="utf-8")
        (split / "study.toml").write_text(
            study_text(number, split, trials=trials, minutes=minutes), encoding="utf-8"
        )


def study_text(number: int, split: Path, *, trials: int, minutes: float) -> str:
    """``studies/hindi.toml`` for one split."""
    text = STUDY.read_text(encoding="utf-8")
    for old, new in (
        ('name = "hindi"', f'name = "split{number}"'),
        (f'path = "${{AUTOQA_DATA}}/{TARGET}"', f'path = "{split}/search.json"'),
        ('languages = ["bn", "te"]', 'languages = ["bn"]'),
        ("trials = 24", f"trials = {trials}"),
        ("minutes = 40", f"minutes = {minutes:g}"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


if __name__ == "__main__":
    write_splits(Path(sys.argv[1]).resolve(), Path(os.environ["AUTOQA_DATA"]), trials=4, minutes=90)
