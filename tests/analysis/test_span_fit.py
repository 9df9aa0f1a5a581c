"""Fitted scores of spans, on a run whose model likes long answers too well."""

from dataclasses import replace

import numpy as np
import pytest

from autoqa.analysis.finished_run import StudyRun, open_run
from autoqa.analysis.private_scores import ensemble_key
from autoqa.analysis.rule_tests import try_rules
from autoqa.analysis.selection import candidate_seat, choose
from autoqa.analysis.span_fit import (
    SETTINGS,
    SpanFit,
    clear_spans,
    ensemble_at_hand,
    fit_spans,
    stored_span_fit,
    with_scoring,
)
from autoqa.analysis.stored_predictions import load_part
from autoqa.errors import ConfigError, DataError
from autoqa.export.assemble import assemble
from autoqa.features.files import load_windows, save_windows
from autoqa.store.predictions import write_logits
from autoqa.store.run_folder import Part
from tests.analysis.test_rule_tests import MODEL, questions
from tests.analysis.test_rule_tests import run as punctuated  # noqa: F401
from tests.store.damage import without_sums


def prefer(run: StudyRun, part: Part, longer: dict[int, float]) -> None:
    """The right word, at 9 + 9; ends two words further at another logit in some questions."""
    group = run.folder.read_record(MODEL).group
    windows = load_windows(run.folder.windows_path(group, part))
    start, end = np.zeros((2, windows.bounds[-1]), np.float32)
    for w, row in enumerate(windows.example):
        low, high = windows.bounds[w] + windows.context[w]
        first = low + int(np.flatnonzero(windows.offsets[low:high, 0] == 13)[0])
        start[first] = end[first] = 9
        end[first + 2] = longer.get(int(row), 0.0)
    without_sums(run.folder.candidate(MODEL))
    write_logits(run.folder.candidate(MODEL), part, start, end)


@pytest.fixture
def run(punctuated: StudyRun) -> StudyRun:  # noqa: F811
    """Every second question is answered two words too long."""
    prefer(punctuated, "public", dict.fromkeys(range(0, 60, 2), 9.5))
    prefer(punctuated, "private", dict.fromkeys(range(0, 20, 2), 9.5))
    return punctuated


def test_a_prior_that_helps_on_documents_without_a_say_is_on(run: StudyRun) -> None:
    """Answers are one word long, so the first prior that is tried settles all of them."""
    fit = fit_spans(run)
    (scoring,) = fit.scoring.values()
    assert (scoring.start, scoring.end, scoring.length) == (1.0, 1.0, 0.25)
    assert scoring.log_mean == 0
    assert (fit.questions, fit.folds, fit.members) == (60, 5, (MODEL,))
    assert fit.before == pytest.approx(0.5 + 0.5 / 3)
    assert fit.after == pytest.approx(1.0)
    assert fit.gain.gain == pytest.approx(1 / 3)
    assert fit.enabled
    assert stored_span_fit(run) == SpanFit.from_json(fit.to_json()) == fit
    assert run.store.public_reads()["span settings"] == len(SETTINGS) - 1 == 19


def test_weights_that_help_are_on(run: StudyRun) -> None:
    """The right word has 9 + 10, the one behind it 10.2 + 9: 19.1 and 19.08 at 0.9 and 1.1."""
    group = run.folder.read_record(MODEL).group
    windows = load_windows(run.folder.windows_path(group, "public"))
    start, end = np.zeros((2, windows.bounds[-1]), np.float32)
    for w in range(len(windows)):
        low, high = windows.bounds[w] + windows.context[w]
        first = low + int(np.flatnonzero(windows.offsets[low:high, 0] == 13)[0])
        start[first], end[first] = 9, 10
        start[first + 1], end[first + 1] = 10.2, 9
        start[first + 2 : high] = end[first + 2 : high] = -20
        end[low:first] = start[low:first] = -20
    without_sums(run.folder.candidate(MODEL))
    write_logits(run.folder.candidate(MODEL), "public", start, end)
    (scoring,) = fit_spans(run).scoring.values()
    assert (scoring.start, scoring.length) == (0.9, 0.0)


def test_what_helps_nowhere_stays_off(run: StudyRun) -> None:
    prefer(run, "public", {})
    fit = fit_spans(run)
    assert (fit.before, fit.after, fit.gain.gain) == (1.0, 1.0, 0.0)
    assert not fit.enabled
    plan = ensemble_at_hand(run)
    assert with_scoring(run, plan) is plan


def test_what_one_document_gains_from_is_no_reason(run: StudyRun) -> None:
    """Chosen on the others, it is the plain sum; the document itself has no say about itself."""
    prefer(run, "public", {0: 9.5, 1: 9.5})
    fit = fit_spans(run)
    assert fit.gain.low <= 0
    assert not fit.enabled


def test_the_bundle_and_the_rules_go_by_it_and_other_members_do_not(run: StudyRun) -> None:
    seat = candidate_seat(run, MODEL)
    before = assemble(run, [seat], seat.group, reason="before")
    fit = fit_spans(run)
    after = assemble(run, [seat], seat.group, reason="after")
    assert after.ensemble.scoring == fit.scoring
    assert after.opened, "another ensemble than that without"
    assert after.public.score == after.members[0].public.score == pytest.approx(1.0)
    assert before.private.score == pytest.approx(0.5 + 0.5 / 3)
    assert after.private.score == pytest.approx(1.0)
    assert try_rules(run).before == pytest.approx(1.0)
    other = replace(fit, members=("t0009-100",))
    run.folder.span_scoring.write_text(other.to_json())
    again = assemble(run, [seat], seat.group, reason="other members")
    assert again.ensemble.scoring == {}
    assert not again.opened, "known from before"
    assert clear_spans(run)
    assert not clear_spans(run)
    assert stored_span_fit(run) is None


def test_the_last_selection_is_fitted(run: StudyRun) -> None:
    choose(run)
    assert fit_spans(run).members == (MODEL,)
    plan = ensemble_at_hand(run)
    assert ensemble_key(run, with_scoring(run, plan)) != ensemble_key(run, plan)
    part = load_part(run, plan.members, "public")
    assert part.score(with_scoring(run, plan)).score == pytest.approx(1.0)


def test_too_few_documents_are_refused(run: StudyRun) -> None:
    rows = [replace(row, document=f"d{i % 2}") for i, row in enumerate(questions(60, 0))]
    run.folder.examples_path("public").unlink()
    run.folder.save_examples("public", rows)
    with pytest.raises(DataError, match="the public part has 2 documents; fitting needs three"):
        fit_spans(run)
    assert not run.folder.span_scoring.exists()


def test_without_answers_there_is_no_length_to_know(run: StudyRun) -> None:
    group = run.folder.read_record(MODEL).group
    windows = load_windows(run.folder.windows_path(group, "public"))
    windows.label[:] = 0
    run.folder.windows_path(group, "public").unlink()
    save_windows(run.folder.windows_path(group, "public"), windows)
    with pytest.raises(DataError, match="too few windows of the public part hold a whole answer"):
        fit_spans(run)


def test_characters_have_no_logits_to_weigh(run: StudyRun) -> None:
    text = run.folder.study_file.read_text()
    changed = text.replace("[selection]", '[selection]\naggregator = "characters"')
    run.folder.study_file.write_text(changed)
    with pytest.raises(ConfigError, match=r"selection\.aggregator: 'characters' averages prob"):
        fit_spans(open_run("toy"))


@pytest.mark.parametrize("text", ["", "[]", '{"members": []}', "{}", "\udcff"])
def test_a_damaged_file_is_named(run: StudyRun, text: str) -> None:
    run.folder.span_scoring.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(DataError, match=r"span-scoring\.json: .*spans` writes it anew, with"):
        stored_span_fit(run)
