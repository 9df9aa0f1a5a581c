"""What the leakage guard finds and what it gets wrong; how fast a folder of data is audited.

``leak_recall`` plants leaks: contexts and questions of held-out rows after random substitutions,
insertions and deletions of a tenth of their characters, each put into a row that shares nothing
else (a question keeps its answer). ``ratio`` is the share of them that is found. Beside it are
shown the leaks that the data have by themselves, and false alarms: rows flagged although their
context is of other articles (XQuAD), or taken at random from the same source, where some are near
copies indeed.

``read_rows`` reads files as they were read before formats were recognised by what is in them: the
readers of commit 9b9286a, from the repository, against today's. Rows must be equal.

``audit_110k`` audits every file of the folder; ``ratio`` is rows per second, ``a`` rows and ``b``
seconds.
"""

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from autoqa.data.audit import audit_study
from autoqa.data.near import plain
from autoqa.data.overlap import Overlap
from autoqa.data.prepare import load_source
from autoqa.reading.formats import read_rows
from autoqa.reading.rows import RawRow
from autoqa.registry import BoundStudy, open_study
from autoqa.report.audit_page import audit_page
from autoqa.types import Example

from .harness import Comparison, compare, record

STUDY = """
name = "folder"
{sources}
[backbones.e5]
type = "e5-small"
[recipe]
portions = [{{ source = "squad-en-train" }}]
[validation]
source = "xquad-hi-even-articles"
"""

PLANTED = 250
"""Rows of each source of which leaks are made."""


@pytest.fixture(scope="module")
def study(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> BoundStudy:
    """A study file that names every file of the folder as a source of its own."""
    tables = []
    for path in sorted(data_folder.iterdir()):
        if path.name == "README.md":
            continue
        name, _, _ = path.name.removesuffix(".gz").rpartition(".")
        languages = {"covid-qa": "en", "chaii-format": "hi"}
        language = languages.get(name.split(".")[0], name.split(".")[1])
        tables.append(
            f'[sources.{name.replace(".", "-")}]\ntype = "file"\npath = "{path}"\n'
            f'language = "{language}"\n'
        )
    file = tmp_path_factory.mktemp("bench") / "folder.toml"
    file.write_text(STUDY.format(sources="".join(tables)), encoding="utf-8")
    return open_study(file)


def edited(text: str, rng: random.Random) -> str:
    """The text after substitutions, insertions and deletions of a tenth of its characters."""
    out = list(text)
    for _ in range(round(len(text) / 10)):
        at, kind = rng.randrange(len(out)), rng.randrange(3)
        out[at : at + (kind != 1)] = rng.choice(text) if kind else ""
    return "".join(out)


def test_leak_recall(study: BoundStudy) -> None:
    rows = {name: load_source(name, source)[0] for name, source in study.sources.items()}
    for train, dev in _pairs(rows):
        _natural(train, rows[train], dev, rows[dev])
    rng = random.Random(0)
    planted = found = 0
    alarms = innocent = 0
    for name, examples in rows.items():
        made = [_planted(one, number, rng) for number, one in enumerate(_some(examples, rng))]
        contexts, questions = zip(*made, strict=True)
        overlap = Overlap(examples)
        hits = [len(overlap.find(leaks)) for leaks in (contexts, questions)]
        planted, found = planted + 2 * len(made), found + sum(hits)
        flagged, total = _false_alarms(examples)
        alarms, innocent = alarms + flagged, innocent + total
        print(
            f"{name}: contexts {hits[0] / len(made):.1%}, questions {hits[1] / len(made):.1%} of "
            f"{len(made)} found; of {total} rows of other documents {flagged / total:.2%} flagged"
        )
    print(f"leak_recall: {found / planted:.2%} of {planted}; false alarms {alarms / innocent:.2%}")
    outcome = Comparison(
        name="leak_recall",
        ratio=round(found / planted, 4),
        a=planted,
        b=found,
        unit="leaks",
        equal=alarms < innocent / 100,
        rounds=1,
    )
    record(outcome)


def _pairs(rows: dict[str, list[Example]]) -> list[tuple[str, str]]:
    trains = [name for name in rows if name.startswith("tydiqa") and name.endswith("-train")]
    pairs = [(name, name.removesuffix("train") + "dev") for name in trains]
    pairs.append(("natural-questions-en", "tydiqa-goldp-en-train"))
    hindi = "xquad-hi-even-articles"
    return pairs + [(n, hindi) for n in rows if n.startswith("xquad") and n != hindi]


def _natural(train: str, rows: Sequence[Example], dev: str, held: Sequence[Example]) -> None:
    """Exact leaks that the data have by themselves: all of them must be found."""
    contexts, ids = {plain(one.context) for one in held}, {one.id for one in held}
    exact = {
        row
        for row, one in enumerate(rows)
        if plain(one.context) in contexts or (one.id in ids and not one.id.isdigit())
    }
    found = Overlap(held).find(rows)
    assert exact <= set(found), f"{train}, {dev}: {len(exact - set(found))} exact leaks missed"
    kinds = dict.fromkeys(("context", "text", "id", "question"), 0)
    texts = {leak.reason: set() for leak in found.values()} if found else {}
    for row, leak in found.items():
        kinds[leak.reason] += 1
        texts[leak.reason].add(rows[row].context)
    shared = {reason: len(each) for reason, each in texts.items()}
    print(f"{train} against {dev}: {len(exact)} exact rows, all found; rows {kinds}, {shared=}")


def _some(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    return rng.sample(examples, min(PLANTED, len(examples)))


def _planted(one: Example, number: int, rng: random.Random) -> tuple[Example, Example]:
    """A row with the edited context, and one with the edited question and the same answer."""
    plainly = replace(one, id=f"planted-{number}")
    context = replace(plainly, context=edited(one.context, rng), question="-", answers=())
    answer = one.answers[0]
    answers = (replace(answer, start=0),)
    question = replace(
        plainly, question=edited(one.question, rng), context=answer.text, answers=answers
    )
    return context, question


def _false_alarms(examples: Sequence[Example]) -> tuple[int, int]:
    """Rows of every second document that are flagged against the others, and their number."""
    documents = list(dict.fromkeys(one.document for one in examples))
    random.Random(1).shuffle(documents)
    held = set(documents[::2])
    rest = [one for one in examples if one.document not in held]
    found = Overlap([one for one in examples if one.document in held]).find(rest)
    # Equal contexts, and equal questions with the same answer, are leaks by definition.
    near = [leak for leak in found.values() if leak.reason == "text" or leak.share < 1]
    return len(near), len(rest)


OLD, OLD_READERS = "9b9286a", "plugins/autoqa-sources/autoqa_sources"
FILES = {
    "squad jsonl.gz": "squad.en.train.jsonl.gz",
    "xquad json": "xquad.hi.even-articles.json",
    "chaii csv": "chaii-format.hi.csv",
    "parquet": "squad.parquet",
}


@pytest.fixture(scope="module")
def old_readers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Iterator[RawRow]]:
    """The readers of an earlier commit, under a name of their own."""
    folder = tmp_path_factory.mktemp("old")
    package = folder / "old_readers"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in ("formats", "mapping", "rows", "languages"):
        shown = subprocess.run(
            ["git", "show", f"{OLD}:{OLD_READERS}/{name}.py"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
        )
        if shown.returncode:
            pytest.skip(f"no commit {OLD} in this repository: {shown.stderr.strip()}")
        text = shown.stdout.replace("autoqa_sources", "old_readers")
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        from old_readers import formats  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(folder))
    return lambda path: formats.READERS[formats.format_of(path)](path)


@pytest.mark.parametrize("kind", FILES)
def test_read_rows(
    kind: str,
    data_folder: Path,
    tmp_path: Path,
    old_readers: Callable[[Path], Iterator[RawRow]],
) -> None:
    path = data_folder / FILES[kind]
    if kind == "parquet":
        import datasets

        path = tmp_path / FILES[kind]
        datasets.Dataset.from_json(
            str(data_folder / FILES["squad jsonl.gz"]), cache_dir=str(tmp_path)
        ).select(range(20_000)).to_parquet(path)

    def parts(row: RawRow) -> tuple[object, ...]:
        return row.id, row.question, row.context, row.answers, row.language, row.document

    def equal(one: list[RawRow], other: list[RawRow]) -> bool:
        return list(map(parts, one)) == list(map(parts, other))

    compare(
        f"read_rows, {kind}",
        lambda: list(old_readers(path)),
        lambda: list(read_rows(path)),
        rounds=5 if kind in ("squad jsonl.gz", "parquet") else 40,
        unit="rows/s",
        equal=equal,
        amount=len,
        clock=time.process_time,
    )


def test_audit_110k(study: BoundStudy) -> None:
    begin = time.perf_counter()
    audit = audit_study(study)
    page = audit_page(audit)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"audit_110k: {audit.rows} rows in {seconds:.1f} s, peak {peak:.2f} GiB, {len(page)=}")
    for source in audit.sources:
        print(f"  {source.name}: {source.rows} rows, {source.findings}")
    outcome = Comparison(
        name="audit_110k",
        ratio=round(audit.rows / seconds, 1),
        a=audit.rows,
        b=round(seconds, 1),
        unit="rows and seconds",
        equal=seconds < 60 and peak < 2,
        rounds=1,
    )
    record(outcome)
