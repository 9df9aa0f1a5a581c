"""What is said of "no answer" where a file holds only one kind of questions."""

from dataclasses import asdict

from rich.console import Console

from autoqa.bundle.reliability_entries import AnswerSplitEntry, NoAnswerEntry, ThresholdEntry
from autoqa.export.reliability_card import reliability_lines
from autoqa.report.reliability import split_table
from autoqa.scores.answerability import AnswerSplit

SPLIT = AnswerSplit(
    answerable=3,
    has_answer=0.5,
    unanswerable=0,
    no_answer=0.0,
    all=0.5,
    best=0.5,
    best_threshold=1.0,
    always=0.5,
)


def test_a_kind_without_questions_has_no_score():
    console = Console(width=100, record=True)
    console.print(split_table(SPLIT))
    cells = [line.split() for line in console.export_text().splitlines()]
    assert ["no", "answer", "0", "–"] in cells
    assert ["has", "answer", "3", "0.500"] in cells


def test_the_card_has_none_either():
    threshold = ThresholdEntry(value=0.5, low=0.4, high=0.6, answerable=3, unanswerable=3)
    split = AnswerSplitEntry(**asdict(SPLIT))
    entry = NoAnswerEntry.model_construct(
        threshold=threshold, by_language={}, public=split, private=None
    )
    lines = "\n".join(reliability_lines(entry, None))
    assert "| 0.50 of 3 | – | 0.50 |" in lines
