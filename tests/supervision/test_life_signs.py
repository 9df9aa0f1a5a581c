from autoqa.supervision.life_signs import (
    AWAY_SECONDS,
    LOOPLESS_SECONDS,
    SILENT_GAPS,
    SILENT_SECONDS,
    LifeSigns,
)
from autoqa.training.messages import Note, Progress


def said(signs: LifeSigns, phase: str, step: int, after: int) -> None:
    for _ in range(after):
        signs.passed(1.0)
    signs.heard(Progress(0, phase, step=step, steps=9))


def test_a_loop_may_be_silent_in_relation_to_its_slowest_step() -> None:
    signs = LifeSigns()
    assert (signs.phase, signs.allowed) == ("starting", LOOPLESS_SECONDS)
    said(signs, "training", 1, after=500)
    assert signs.allowed == LOOPLESS_SECONDS, "nobody knows yet how long a step takes"
    said(signs, "training", 2, after=1)
    assert signs.allowed == SILENT_SECONDS
    said(signs, "training", 3, after=7)
    said(signs, "training", 4, after=1)
    assert signs.allowed == 7 * SILENT_GAPS
    said(signs, "evaluating", 1, after=40)
    assert signs.allowed == LOOPLESS_SECONDS
    said(signs, "training", 5, after=300)
    assert signs.allowed == 7 * SILENT_GAPS, "what came in between was no step"


def test_what_follows_the_end_of_a_loop_is_none() -> None:
    signs = LifeSigns()
    for step in (7, 8):
        said(signs, "evaluating", step, after=1)
    assert signs.allowed == SILENT_SECONDS
    said(signs, "evaluating", 9, after=1)
    assert signs.allowed == LOOPLESS_SECONDS
    signs.heard(Progress(0, "saving"))
    assert (signs.phase, signs.allowed) == ("saving", LOOPLESS_SECONDS)


def test_any_message_is_a_sign_of_life_and_time_away_is_no_silence() -> None:
    signs = LifeSigns()
    signs.passed(2.0)
    signs.passed(3600.0)
    assert signs.silence == 2 + AWAY_SECONDS
    signs.heard(Note(0, "is well"))
    assert signs.silence == 0
