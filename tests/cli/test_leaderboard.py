import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from autoqa.cli.leaderboard import leaderboard
from autoqa.errors import ConfigError
from autoqa.store.database import Store
from tests.search import fakes
from tests.store.test_database import RECORD


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    folder = fakes.run_folder()
    folder.create()
    folder.study_file.write_text(fakes.STUDY)
    folder.save_examples("public", [fakes.example(n) for n in range(12)])
    with Store(folder.store_url(), "small") as store:
        store.add_candidate(RECORD)
        better = replace(RECORD, id="t0007-50", jaccard=0.7, jaccard_half_width=None)
        store.add_candidate(replace(better, jaccard_by_language={"ta": 0.7}))
    return tmp_path


def test_best_first_with_intervals_and_the_number_of_questions(run: Path) -> None:
    result = CliRunner().invoke(leaderboard, ["small"], catch_exceptions=False)
    lines = [line.split() for line in result.stdout.splitlines() if line.strip()]
    assert lines[0] == [
        "candidate",
        "backbone",
        *["jaccard", "±", "em", "f1", "hi", "ta", "win/s", "recipe"],
    ]
    assert lines[2] == [
        "t0007-50",
        "e5",
        "0.700",
        "–",
        "0.400",
        "0.600",
        "–",
        "0.700",
        "32",
        "0123456789ab",
    ]
    assert lines[3] == [
        "t0003-100",
        "e5",
        "0.500",
        "0.040",
        "0.400",
        "0.600",
        "0.500",
        "–",
        "32",
        "0123456789ab",
    ]
    assert "2 candidates of study small, scored on 12 public questions" in result.stdout


def test_json_and_a_study_file_as_the_name(run: Path) -> None:
    file = run / "study.toml"
    file.write_text(fakes.STUDY)
    result = CliRunner().invoke(leaderboard, [str(file), "--json"], catch_exceptions=False)
    shown = json.loads(result.stdout)
    assert [row["id"] for row in shown["candidates"]] == ["t0007-50", "t0003-100"]
    assert (shown["public_questions"], shown["private_openings"]) == (12, 0)


def test_an_unknown_study_is_answered_with_those_there_are(run: Path) -> None:
    with pytest.raises(ConfigError, match=r"'smal'.*no study of that name.*did you mean 'small'"):
        CliRunner().invoke(leaderboard, ["smal"], catch_exceptions=False)
