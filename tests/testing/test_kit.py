"""Checks are run in order, and say what came of them; exemptions need a reason."""

from pathlib import Path

import pytest

from autoqa.api import Answer, ConfigError, Example, MetricSpec, Options, SourceSpec
from autoqa.testing import CHECKS, MODEL_CHECKS, Check, CheckResult, checks_of, run_checks
from autoqa.testing.cases import SourceCase


class TownOptions(Options):
    """Keys.

    Attributes:
        rows: How many rows.
    """

    rows: int = 2


def load(options: TownOptions) -> list[Example]:
    return [
        Example(str(n), "Where?", "In Rome.", (Answer("Rome", 3),), "en", str(n))
        for n in range(options.rows)
    ]


def source(**changes: object) -> SourceSpec:
    parts = {
        "name": "towns",
        "summary": "Towns",
        "options": TownOptions,
        "load": load,
        "missing": lambda options: None,
        "licence": lambda options: "CC0-1.0",
    }
    return SourceSpec(**{**parts, **changes})  # type: ignore[arg-type]


SOUND = source()
DOUBLED = source(load=lambda options: [*load(options), *load(options)])


def outcomes(results: tuple[CheckResult, ...]) -> dict[str, str]:
    return {each.check.name: each.outcome for each in results}


def test_a_sound_source_passes_what_applies() -> None:
    told: list[CheckResult] = []
    results = run_checks(SOUND, report=told.append)
    assert told == list(results)
    found = outcomes(results)
    assert {name for name, outcome in found.items() if outcome == "failed"} == set()
    assert found["offsets"] == found["ids"] == found["import"] == "passed"
    assert found["entry-point"] == found["language-filter"] == "not applicable"
    assert all(each.sentence for each in results if each.outcome == "not applicable")


def test_what_fails_is_said_and_can_be_excused() -> None:
    results = run_checks(DOUBLED, {"rows": 1})
    (failed,) = [each for each in results if each.outcome == "failed"]
    assert (failed.check.name, failed.needless) == ("ids", False)
    assert failed.sentence.startswith("two rows have the id '0'")

    (excused,) = [
        each
        for each in run_checks(DOUBLED, {"rows": 1}, {"ids": "the file doubles rows"})
        if each.check.name == "ids"
    ]
    assert (excused.outcome, excused.sentence) == ("exempt", "the file doubles rows")
    assert not excused.needless


def test_an_exemption_that_is_not_needed_is_noticed() -> None:
    results = run_checks(SOUND, None, {"ids": "they are doubled"})
    assert [each.check.name for each in results if each.needless] == ["ids"]


@pytest.mark.parametrize(
    "exempt, sentence",
    [
        ({"offset": "why"}, "exempt: a source has no check 'offset'; did you mean 'offsets'?"),
        ({"ids": "  "}, "exempt: say why 'towns' need not pass 'ids'"),
    ],
)
def test_wrong_exemptions_are_refused(exempt: dict[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError, match="exempt") as caught:
        run_checks(SOUND, None, exempt)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"rows": "two"}, 'towns: options.rows: should be a whole number, not "two"'),
        ({"row": 2}, "towns: options.row: unknown key; did you mean 'rows'?"),
        (Options(), "options of 'towns' are a Options"),
    ],
)
def test_wrong_options_are_refused(options: object, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        run_checks(SOUND, options)  # type: ignore[arg-type]
    assert str(caught.value) == sentence


def test_what_is_no_plugin_is_refused() -> None:
    with pytest.raises(TypeError, match="is no plugin"):
        run_checks(7)  # type: ignore[arg-type]
    metric = MetricSpec(name="x", summary="X", function=lambda a, b, c: 1.0)
    with pytest.raises(ConfigError, match="the metric 'x' has no options"):
        run_checks(metric, {"a": 1})


@pytest.mark.parametrize(
    "checks",
    [*CHECKS.values(), *(CHECKS["backbone"] + each for each in MODEL_CHECKS.values())],
    ids=[*CHECKS, *MODEL_CHECKS],
)
def test_checks_have_names_of_their_own_and_say_what_they_do(checks: tuple[Check, ...]) -> None:
    names = [check.name for check in checks]
    assert len(set(names)) == len(names)
    for check in checks:
        assert check.name.replace("-", "").isalpha()
        assert check.summary
        assert "\n" not in check.summary
    assert len(checks_of(SOUND)) == len(CHECKS["source"])


class TestSoundTowns(SourceCase):
    spec = SOUND
    exempt = {}  # noqa: RUF012


def test_a_case_of_the_wrong_kind_is_refused() -> None:
    metric = MetricSpec(name="x", summary="X", function=lambda a, b, c: 1.0)
    with pytest.raises(TypeError, match="Wrong is for sources, and 'x' is a metric"):
        type("Wrong", (SourceCase,), {"spec": metric})
    with pytest.raises(ConfigError, match="has no check 'id'; did you mean 'ids'"):
        type("Wrong", (SourceCase,), {"spec": SOUND, "exempt": {"id": "because"}})


CASES = """
from autoqa.testing.cases import SourceCase
from tests.testing.test_kit import DOUBLED, SOUND

class TestDoubled(SourceCase):
    spec = DOUBLED

class TestExcused(SourceCase):
    spec = DOUBLED
    exempt = {"ids": "rows are doubled", "offsets": "there is no need"}
"""


def test_a_case_is_one_test_for_each_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "test_cases.py").write_text(CASES)
    options = ["-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={tmp_path}"]
    pytest.main([*options, "-c", "/dev/null", str(tmp_path)])
    said = capsys.readouterr().out
    assert "TestDoubled::test_check[ids]" in said
    assert "ids: two rows have the id '0'" in said
    assert "TestExcused::test_check[ids] - rows are doubled" in said
    assert "'towns' passes 'offsets', from which it is exempted (there is no need)" in said
    assert "1 failed" in said
