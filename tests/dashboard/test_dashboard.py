"""A study in Optuna's dashboard: what is shown, what is refused, and that nothing is written."""

import csv
import io
import json
import socket
import sqlite3
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import pytest

from autoqa.analysis.effects import study_effects
from autoqa.analysis.leaderboard import build_leaderboard
from autoqa.cli.main import main
from autoqa.dashboard.pages import StudyPages
from autoqa.dashboard.server import application, opened_pages, serve
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.trials.optuna_study import open_study
from autoqa.trials.trial_attributes import TrialAttributes
from autoqa.upkeep.study_place import find_study
from tests.postgres import Postgres

optuna_dashboard = pytest.importorskip("optuna_dashboard")

Ask = Callable[..., tuple[str, Any]]


@contextmanager
def shown(storage: str | None = None) -> Iterator[tuple[Ask, StudyPages]]:
    with opened_pages(find_study("golden", storage)) as pages:
        app = application(pages)

        def ask(path: str, body: Any = None, method: str = "GET") -> tuple[str, Any]:
            content = json.dumps(body).encode()
            request = {"REQUEST_METHOD": method, "PATH_INFO": path}
            request |= {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": str(len(content))}
            request |= {"wsgi.input": io.BytesIO(content)}
            setup_testing_defaults(request)
            status: list[str] = []
            answer = b"".join(app(request, lambda said, *_: status.append(said)))
            return status[0], json.loads(answer) if path.startswith("/api") and answer else answer

        yield ask, pages


def dump(folder: RunFolder) -> list[str]:
    with closing(sqlite3.connect(folder.database)) as database:
        return list(database.iterdump())


def test_notes_plots_and_files_stand_beside_the_trials(golden: RunFolder) -> None:
    before = dump(golden)
    with shown() as (ask, pages):
        pages.refresh()
        _, detail = ask("/api/studies/1")
        study = optuna.load_study(study_name="golden", storage=pages.storage)
        assert optuna_dashboard.get_note(study) == detail["note"]["body"]
    assert "5 of 7 trials have finished" in detail["note"]["body"]  # one repeated another
    assert "24 public questions" in detail["note"]["body"]
    assert "metric `jaccard`" in detail["note"]["body"]
    trial = detail["trials"][0]
    assert trial["note"]["body"].startswith("# Trial 0: plain, 0.333\n")
    assert "stage 1 of 1: windows of 24" in trial["note"]["body"]
    attributes = {each["key"]: each["value"] for each in trial["user_attrs"]}
    assert attributes["next_seconds"] == attributes["seconds"]
    assert attributes["candidates"] == "t0000-050, t0000-100"
    assert not any(" " in name for name in attributes)
    assert "card" not in attributes
    plots = {
        each["id"]: json.loads(each["graph_object"]) for each in detail["plotly_graph_objects"]
    }
    points, ladder = plots["history-with-ladder"]["data"]
    assert len(points["x"]) == len(ladder["y"]) == 10
    assert max(ladder["y"]) < max(points["y"])  # a gain that does not stand out moves nothing
    assert len(plots["learning-curves"]["data"]) == 5
    (*backbones, best) = plots["scores-over-time"]["data"]
    assert sum(len(each["y"]) for each in backbones) == len(best["y"]) == 5
    assert best["y"] == sorted(best["y"])
    assert max(max(each["y"]) for each in backbones) == best["y"][-1]
    assert "what-helped" not in plots, "five runs are too few"
    assert dump(golden) == before


def test_what_helped_is_a_plot_with_the_intervals_of_the_report(
    made: Path,
) -> None:
    with opened_pages(find_study("made")) as pages:
        pages.refresh()
        attributes = pages.storage.get_study_system_attrs(
            pages.storage.get_study_id_from_name("made")
        )
        drawn = optuna_dashboard._custom_plot_data.get_plotly_graph_objects(attributes)
        found = study_effects(build_leaderboard(pages.run)).found
    for figure in drawn.values():
        layout = json.loads(figure)["layout"]
        assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    (points,) = json.loads(drawn["what-helped"])["data"]
    assert points["y"] == [each.name for each in reversed(found)]
    assert points["x"] == pytest.approx([each.estimate.effect for each in reversed(found)])
    high = [x + up for x, up in zip(points["x"], points["error_x"]["array"], strict=True)]
    assert high == pytest.approx([each.estimate.wide_high for each in reversed(found)])


def test_files_hold_the_public_part_only(golden: RunFolder) -> None:
    with shown() as (ask, _):
        _, detail = ask("/api/studies/1")
        trial = detail["trials"][0]
        files = {each["filename"]: each["artifact_id"] for each in trial["artifacts"]}
        texts = {
            name: ask(f"/artifacts/1/{trial['trial_id']}/{each}")[1].decode()
            for name, each in files.items()
        }
        (study_file,) = [e for e in detail["artifacts"] if e["filename"] == "study.toml"]
        text = ask(f"/artifacts/1/{study_file['artifact_id']}")[1].decode()
    assert text == golden.study_file.read_text(encoding="utf-8")
    assert texts["trial-0-recipe-card.txt"].startswith("stage 1 of 1")
    curve = list(csv.DictReader(io.StringIO(texts["trial-0-curve.csv"])))
    assert [each["percent"] for each in curve] == ["50", "100"]
    rows = list(csv.DictReader(io.StringIO(texts["trial-0-public-predictions.csv"])))
    assert {row["id"] for row in rows} == {each.id for each in golden.load_examples("public")}
    mean = sum(float(row["jaccard"]) for row in rows) / len(rows)
    assert mean == pytest.approx(float(curve[1]["jaccard"]), abs=1e-4)


def test_a_file_that_cannot_be_made_says_why(golden: RunFolder) -> None:
    path = golden.logits_path("t0000-100", "public")
    path.write_bytes(path.read_bytes()[:-8])
    with shown() as (ask, pages):
        pages.refresh()
        _, detail = ask("/api/studies/1")
        trial = detail["trials"][0]
        (file,) = [e for e in trial["artifacts"] if "predictions" in e["filename"]]
        said = ask(f"/artifacts/1/{trial['trial_id']}/{file['artifact_id']}")[1].decode()
    assert "t0000-100" in said
    figures = {e["id"]: json.loads(e["graph_object"]) for e in detail["plotly_graph_objects"]}
    assert "t0000-100" not in figures["history-with-ladder"]["data"][0]["x"]


def test_what_people_write_is_kept_and_goes_first(golden: RunFolder) -> None:
    with shown() as (ask, pages):
        _, before = ask("/api/studies/1")
        trial = before["trials"][3]
        note = {"body": "looks odd " * 400, "version": trial["note"]["version"] + 1}
        assert ask(f"/api/studies/1/{trial['trial_id']}/note", note, "PUT")[0].startswith("204")
        data = {"file": "data:text/plain;base64,aGk=", "filename": "mine.txt"}
        status, made = ask("/api/artifacts/1", data, "POST")
        assert status.startswith("201")
        own = next(e for e in before["artifacts"] if e["filename"] == "study.toml")["artifact_id"]
        assert ask(f"/api/artifacts/1/{own}", method="DELETE")[0].startswith("404")
        pages.refresh()
    with shown() as (ask, _):
        _, after = ask("/api/studies/1")
        assert after["trials"][3]["note"]["body"] == note["body"]
        assert after["trials"][4]["note"] == before["trials"][4]["note"]
        assert ask(f"/artifacts/1/{made['artifact_id']}")[1] == b"hi"
    assert (golden.path / "artifacts").is_dir()


def test_what_people_wrote_moves_and_goes_with_the_study(
    golden: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown() as (ask, _):
        _, before = ask("/api/studies/1")
        note = {"body": "mine", "version": before["note"]["version"] + 1}
        assert ask("/api/studies/1/note", note, "PUT")[0].startswith("204")
    for words in (["compact", "golden"], ["rename", "golden", "towns"]):
        with pytest.raises(SystemExit) as ended:
            main(["studies", *words])
        assert not ended.value.code, capsys.readouterr().err
    with opened_pages(find_study("towns")) as pages:
        study = optuna.load_study(study_name="towns", storage=pages.storage)
        assert optuna_dashboard.get_note(study) == "mine"
    with pytest.raises(SystemExit) as ended:
        main(["studies", "rm", "towns", "--yes"])
    assert not ended.value.code
    assert not golden.path.with_name("towns").exists()


@pytest.mark.parametrize(
    ("path", "body", "method"),
    [
        ("/api/studies/1", None, "DELETE"),
        ("/api/studies/1/rename", {"study_name": "other"}, "POST"),
        ("/api/studies", {"study_name": "new", "directions": ["maximize"]}, "POST"),
        ("/api/trials/1/tell", {"state": "Fail"}, "POST"),
    ],
)
def test_what_would_harm_a_search_is_refused(
    golden: RunFolder, path: str, body: Any, method: str
) -> None:
    before = dump(golden)
    with shown() as (ask, _):
        status, answer = ask(path, body, method)
    assert status.startswith("403")
    assert "search" in answer["reason"] or "autoqa studies" in answer["reason"]
    assert dump(golden) == before


def test_a_search_that_runs_is_followed(golden: RunFolder) -> None:
    with shown() as (ask, pages):
        _, before = ask("/api/studies/1")
        study = open_study("golden", golden.store_url(), 0)
        trial = study.ask()
        TrialAttributes(backbone="plain", recipe="[towns] 24/6").write(trial)
        trial.report(0.25, 50)
        pages.refresh()
        study_id, number = trial.study._study_id, trial.number
        pages.storage.get_all_trials(study_id)
        _, system = ask("/api/studies/1/param_importances")
        notes = pages.storage.get_study_system_attrs(study_id)
    body = notes[f"dashboard:{trial._trial_id}:note_str:0"]
    assert body.startswith(f"# Trial {number}: plain\n\n`[towns] 24/6`\n\n- running")
    assert system["param_importances"]
    assert len(before["trials"]) == number


def test_a_study_without_a_parameter_has_no_importances(golden: RunFolder) -> None:
    with closing(sqlite3.connect(golden.database)) as database:
        database.execute("DELETE FROM trial_params")
        database.commit()
    with shown() as (ask, _):
        status, answer = ask("/api/studies/1/param_importances")
    assert status.startswith("200")
    assert answer == {"param_importances": [[]]}


def test_a_postgresql_server_of_several_studies_shows_one(
    golden: RunFolder, postgres: Postgres
) -> None:
    with Store(postgres.url, "golden") as store:
        store.save_study(golden.study_file.read_text(encoding="utf-8"))
    for name in ("other", "golden"):
        study = open_study(name, postgres.url, 0)
        trial = study.ask()
        TrialAttributes(backbone="plain").write(trial)
        study.tell(trial, 0.5)
    with shown(postgres.url) as (ask, _):
        _, studies = ask("/api/studies")
        (summary,) = studies["study_summaries"]
        _, detail = ask(f"/api/studies/{summary['study_id']}")
    assert summary["study_name"] == "golden"
    assert detail["trials"][0]["note"]["body"].startswith("# Trial 0: plain, 0.500\n")


def failing(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["dashboard", *words, "--no-browser"])
    said = capsys.readouterr().err
    assert said.startswith("Error: ")
    assert said.count("\n") == 1, said
    return int(ended.value.code or 0), said


def test_a_taken_port_is_a_sentence(golden: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = failing(capsys, "golden", "--port", str(port))
    assert code == 2
    assert f"--port {port}" in said


def test_a_missing_package_is_a_sentence(
    golden: RunFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    code, said = failing(capsys, "golden", "--port", "0")
    assert code == 4
    assert "pip install 'autoqa[dashboard]'" in said


def test_a_study_without_trials_is_a_sentence(
    golden: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    text = golden.study_file.read_text(encoding="utf-8")
    golden.database.unlink()
    with Store(golden.store_url(), "golden") as store:
        store.save_study(text)
    code, said = failing(capsys, "golden", "--port", "0")
    assert code == 5
    assert "no trial yet" in said


def test_a_damaged_database_is_a_sentence(
    golden: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    golden.database.write_bytes(b"SQLite format 3\0" + b"\1" * 4000)
    code, said = failing(capsys, "golden", "--port", "0")
    assert code in (1, 2)
    assert "study.db" in said


def test_it_is_served_until_it_is_ended(golden: RunFolder) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        opened_pages(find_study("golden")) as pages,
    ):
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=serve, args=(pages, listener), daemon=True)
        thread.start()
        with urllib.request.urlopen(f"{address}/dashboard/studies/1", timeout=30) as page:
            assert b"<html" in page.read()
        golden.database.rename(golden.database.with_suffix(".away"))
        golden.database.mkdir()
        request = urllib.request.Request(f"{address}/api/studies", method="GET")
        pages.storage._engine.dispose()
        with pytest.raises(urllib.error.HTTPError) as away:
            urllib.request.urlopen(request, timeout=30)
        assert away.value.code == 503
        assert "study.db" in json.loads(away.value.read())["reason"]
