"""The paired test of rules, on a run whose models leave punctuation in their Hindi answers."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from autoqa.analysis.finished_run import StudyRun, open_run
from autoqa.analysis.rule_tests import (
    Postprocessing,
    clear,
    compare_rules,
    enabled_rules,
    stored_rule_tests,
    try_rules,
)
from autoqa.analysis.selection import candidate_seat
from autoqa.analysis.stored_predictions import ensemble_plan, load_part
from autoqa.ensemble.choosing.selection import Seat
from autoqa.errors import ConfigError, DataError
from autoqa.export.assemble import assemble
from autoqa.features.cut import cut
from autoqa.features.encode import encode
from autoqa.features.files import save_windows
from autoqa.features.tokenizer import QATokenizer
from autoqa.scores.bootstrap import LEVEL, ROUNDS, Comparison, paired
from autoqa.scores.metrics import score_by
from autoqa.store.predictions import write_logits
from autoqa.text.rules import RULES, apply_rules
from autoqa.text.scripts import language_of
from autoqa.types import Answer, Example, Span
from tests import bundle_kit
from tests.store.damage import without_sums

MODEL = "t0001-100"


def questions(count: int, start: int, commas: tuple[str, ...] = ("hi",)) -> list[Example]:
    """Answers of one word; in some languages the context has a comma behind it."""
    made = []
    for i in range(start, start + count):
        language = ("hi", "en")[i % 2]
        text = f"Rome{i}"
        comma = " ," if language in commas else ""
        made.append(
            Example(
                id=f"q{i}",
                question="Where does Ada live ?",
                context=f"Ada lives in {text}{comma} near the old station .",
                answers=(Answer(text, 13),),
                language=language,
                document=f"d{i // 2}",
            )
        )
    return made


def write_answers(run: StudyRun, part: str, rows: list[Example], tokenizer: QATokenizer) -> None:
    """Stored predictions that give the right word, with the comma where there is one."""
    windows = cut(encode(tokenizer, rows), bundle_kit.LENGTH, bundle_kit.STRIDE)
    group = run.folder.read_record(MODEL).group
    save_windows(run.folder.windows_path(group, part), windows)
    start, end = np.zeros((2, windows.bounds[-1]), np.float32)
    for w, row in enumerate(windows.example):
        low, high = windows.bounds[w] + windows.context[w]
        stop = rows[row].answers[0].end + (2 if "," in rows[row].context else 0)
        start[low:high][windows.offsets[low:high, 0] == 13] = 9
        end[low:high][windows.offsets[low:high, 1] == stop] = 9
    without_sums(run.folder.candidate(MODEL))
    write_logits(run.folder.candidate(MODEL), part, start, end)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyRun:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path))
    folder = bundle_kit.write_run(tmp_path)
    for name in folder.candidate_ids():
        if name != MODEL:
            (folder.candidate(name) / "candidate.json").unlink()
    run = open_run("toy")
    tokenizer = QATokenizer.from_folder(folder.model(MODEL))
    for part, rows in (("public", questions(60, 0)), ("private", questions(20, 60))):
        folder.examples_path(part).unlink()
        folder.save_examples(part, rows)
        write_answers(run, part, rows, tokenizer)
    return run


def test_a_rule_is_enabled_where_it_helps_and_nowhere_else(run: StudyRun) -> None:
    found = try_rules(run)
    assert found.members == (MODEL,)
    assert found.rules == {"hi": ("punctuation",)}
    assert [(t.rule, t.language) for t in found.tests] == [
        (rule, language) for language in ("en", "hi") for rule in RULES
    ]
    (test,) = [t for t in found.tests if t.enabled]
    assert (test.questions, test.changed) == (30, 30)
    assert test.gain is not None
    assert test.gain.gain == pytest.approx(0.5)
    assert found.before == pytest.approx(0.75)
    assert found.after == pytest.approx(1.0)
    assert found.total.low > 0
    assert all(t.gain is None for t in found.tests if not t.changed)
    assert stored_rule_tests(run) == found
    assert enabled_rules(run) == found.rules
    assert Postprocessing.from_json(found.to_json()) == found


def test_the_bundle_takes_the_rules_along_and_scores_with_them(run: StudyRun) -> None:
    seat = candidate_seat(run, MODEL)
    before = assemble(run, [seat], seat.group, reason="before")
    assert (before.ensemble.rules, before.public.score) == ({}, pytest.approx(0.75))
    try_rules(run)
    after = assemble(run, [seat], seat.group, reason="after")
    assert after.ensemble.rules == {"hi": ("punctuation",)}
    assert after.public.score == after.members[0].public.score == pytest.approx(1.0)
    assert after.private.score == pytest.approx(1.0)
    assert clear(run)
    assert not clear(run)
    assert stored_rule_tests(run) is None
    assert assemble(run, [seat], seat.group, reason="cleared").ensemble.rules == {}


def test_more_comparisons_make_each_interval_wider() -> None:
    """One rule makes six of forty answers better: enough for a lone test, too few among forty."""
    contexts = [f"x{i}, y" for i in range(40)]
    examples = [
        Example(str(i), "?", c, (Answer(c.split(",")[0], 0),), "en", f"d{i}")
        for i, c in enumerate(contexts)
    ]
    spans = [
        Span(0, len(str(i)) + 1 + (i < 6), 0.5, c[: len(str(i)) + 1 + (i < 6)])
        for i, c in enumerate(contexts)
    ]
    alone = compare_rules(spans, examples, ("a",))
    assert alone.level == pytest.approx(LEVEL)
    test = next(t for t in alone.tests if t.rule == "punctuation")
    assert test.enabled
    scores = score_by("jaccard", [span.text for span in spans], examples)
    documents = [e.document for e in examples]
    assert test.gain == paired(np.ones(40), scores, documents)
    strict = paired(np.ones(40), scores, documents, rounds=40 * ROUNDS, level=1 - 0.05 / 40)
    assert strict.low == 0 < test.gain.low


def test_a_rule_that_hurts_is_not_enabled(run: StudyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def rule(span: Span, context: str) -> Span:
        return Span(span.start, span.start + 1, span.score, context[span.start])

    bad = dataclasses.replace(RULES["brackets"], apply=rule)
    monkeypatch.setitem(RULES, "brackets", bad)
    found = try_rules(run)
    assert found.rules == {"hi": ("punctuation",)}
    worst = [t for t in found.tests if t.rule == "brackets"]
    assert all(t.gain is not None and t.gain.high < 0 and not t.enabled for t in worst)
    assert found.level == pytest.approx(1 - 0.05 / 3)  # three of eight comparisons change answers


def test_one_document_shows_nothing() -> None:
    example = Example("1", "?", "Rome, then", (Answer("Rome", 0),), "en", "d")
    found = compare_rules([Span(0, 5, 0.5, "Rome,")], [example], ("a",))
    assert found.rules == {}
    assert [t.gain for t in found.tests if t.changed] == [Comparison(1.0, -1.0, 1.0, 1.0, 0.5)]


def test_the_last_selection_is_tested_if_it_is_not_stale(run: StudyRun) -> None:
    from autoqa.analysis.selection import choose

    choose(run)
    assert try_rules(run).members == (MODEL,)


def test_what_is_tested_is_what_is_applied(run: StudyRun) -> None:
    found = try_rules(run)
    group = run.folder.read_record(MODEL).group
    plan = ensemble_plan(run, [Seat(MODEL, group, 1.0, "")], group)
    part = load_part(run, plan.members, "public")
    contexts = [e.context for e in part.examples]
    languages = [language_of(e.language, e.context) for e in part.examples]
    raw = part.spans(plan)
    assert part.spans(replace(plan, rules=found.rules)) == apply_rules(
        raw, contexts, languages, found.rules
    )
    with pytest.raises(ConfigError, match="sealed"):
        load_part(run, plan.members, "private")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "no result of a test of rules"),
        ("[]", "no result of a test of rules"),
        ('{"tests": []}', "no result of a test of rules"),
        ("\udcff", "postprocess.json"),
    ],
)
def test_a_damaged_file_is_named(run: StudyRun, text: str, expected: str) -> None:
    run.folder.postprocess.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(DataError, match=expected) as caught:
        stored_rule_tests(run)
    assert "postprocess.json" in str(caught.value)
    assert "--none" in str(caught.value)


def test_an_unknown_rule_is_named(run: StudyRun) -> None:
    content = json.loads(try_rules(run).to_json())
    content["tests"][0]["rule"] = "magic"
    run.folder.postprocess.write_text(json.dumps(content))
    with pytest.raises(DataError, match="rule 'magic' is unknown; this autoqa has brackets"):
        enabled_rules(run)
