"""The server as clients see it: a real one on a free port, and what it refuses."""

import csv
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import autoqa
from autoqa.bundle.input_rows import Row
from autoqa.cli.main import main
from tests import bundle_kit

pytest.importorskip("fastapi", reason="the extra serve is not installed")

EXAMPLES = bundle_kit.examples(8)
OBJECTS = [{"id": e.id, "question": e.question, "context": e.context} for e in EXAMPLES]
COMMAND = [sys.executable, "-c", "from autoqa.cli.main import main; main()", "serve"]
MOST = 5_000


@contextmanager
def running(bundle: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server's address and process."""
    command = [*COMMAND, str(bundle), "--port", "0", "--device", "cpu", *options]
    with subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores the signal, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"http://\S+", line)
            assert found is not None, line + process.stderr.read()
            yield found[0], process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address(bundle: Path) -> Iterator[str]:
    limits = ("--max-characters", str(MOST), "--max-questions", "10")
    with running(bundle, *limits) as (url, _):
        yield url


def get(url: str) -> tuple[int, str, str]:
    """Status, content type and text."""
    with urllib.request.urlopen(url, timeout=60) as reply:
        return reply.status, reply.headers["Content-Type"], reply.read().decode()


def post(address: str, body: object) -> tuple[int, Any]:
    """Status and answer of ``POST /answer``."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/answer", data, {"Content-Type": "text/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_server_command_and_python_give_identical_answers(
    address: str, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, served = post(address, OBJECTS)
    assert status == 200
    questions = tmp_path / "questions.jsonl"
    questions.write_text("".join(json.dumps(item) + "\n" for item in OBJECTS))
    with pytest.raises(SystemExit):
        main(["predict", str(bundle), str(questions), "--format", "json", "--device", "cpu"])
    assert json.loads(capsys.readouterr().out) == served
    with pytest.raises(SystemExit):
        main(["predict", str(bundle), str(questions), "--device", "cpu"])
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))[1:]
    assert rows == [[one["id"], one["answer"]] for one in served]
    ensemble = autoqa.load(bundle, device="cpu")
    called = ensemble.predict([Row(**item) for item in OBJECTS])
    assert [
        {"id": e.id, "answer": p.answer, "start": p.start, "end": p.end, "score": p.score}
        for e, p in zip(EXAMPLES, called, strict=True)
    ] == served


def test_one_row_gets_one_object(address: str, bundle: Path) -> None:
    row = {key: OBJECTS[0][key] for key in ("question", "context")}
    status, found = post(address, row)
    assert status == 200
    single = autoqa.load(bundle, device="cpu")(**row)
    assert found == {
        "answer": single.answer,
        "start": single.start,
        "end": single.end,
        "score": single.score,
    }
    assert post(address, row | {"id": 7})[1] == {"id": "7"} | found
    for none in (None, "", " "):
        assert post(address, row | {"id": none})[1] == found
    assert post(address, [])[1] == []


def test_several_answers_and_several_contexts(address: str, bundle: Path) -> None:
    row = {key: OBJECTS[4][key] for key in ("question", "context")}
    ensemble = autoqa.load(bundle, device="cpu")
    status, found = post(address, row | {"top_k": 3})
    assert status == 200
    (expected,) = ensemble.predict([Row("1", **row)], top_k=3)
    assert found == expected.to_dict()
    assert len(found["others"]) == 2
    assert post(address, row | {"top_k": None, "min_score": 1})[1]["answer"] == ""
    both = post(address, [row | {"top_k": 3}] * 2)[1]
    assert [len(each["others"]) for each in both] == [2, 2]
    contexts = [item["context"] for item in OBJECTS[:5]]
    status, found = post(address, {"question": row["question"], "context": contexts})
    assert status == 200
    assert contexts[found["document"]] == found["passage"]


def test_requests_at_once_are_answered_in_turn(address: str) -> None:
    expected = post(address, OBJECTS)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(post(address, OBJECTS))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 4


def test_health_and_page(address: str) -> None:
    status, _, text = get(f"{address}/health")
    assert status == 200
    assert json.loads(text) == {
        "status": "ok",
        "autoqa": autoqa.__version__,
        "study": "toy",
        "models": 4,
        "max_characters": MOST,
        "max_questions": 10,
    }
    status, kind, page = get(address)
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "<textarea" in page
    assert not re.search(r"https?://|//[a-z]", page.replace("// Offsets", ""))


GOOD = {"question": "Who ?", "context": "Ada ."}


@pytest.mark.parametrize(
    "body, status, expected",
    [
        (b"{", 422, "the request is no JSON"),
        (b"\xff\xfe\xff", 422, "the request is no JSON"),
        (b"[" * 5000, 422, "the request is no JSON"),
        (3, 422, "row 1: expected an object with question and context, found 3"),
        ({"question": "q"}, 422, "row 1: context is missing; the row has question"),
        ({"question": "q", "context": []}, 422, "row 1: context is empty: give at least one text"),
        ({**GOOD, "contexts": ["c"]}, 422, "row 1: it has both context and contexts: give one"),
        ({"question": "q", "context": ["c" * MOST]}, 413, "has 6,"),
        ({"question": "q", "context": "c", "top_k": 0}, 422, "top_k is 0: give a whole number"),
        ({"question": "q", "context": "c", "top_k": "2"}, 422, "top_k is '2': give a whole number"),
        ([GOOD | {"top_k": 2}, GOOD], 422, "top_k differs between the rows of the request"),
        (GOOD | {"no_answer": "nevr"}, 422, "no_answer is 'nevr'; did you mean 'never'?"),
        (GOOD | {"min_score": 2}, 422, "min_score is 2: give a number from 0 to 1"),
        ({"question": " ", "context": "c"}, 422, "row 1: question is empty"),
        ({"question": "q", "context": 4}, 422, "row 1: context must be text, found 4"),
        ({"question": "q", "context": "\ud800"}, 422, "row 1: context holds half a surrogate"),
        ([GOOD, {}], 422, "row 2: context is missing; the row has nothing"),
        ([GOOD | {"id": "a"}] * 2, 422, "row 2: the id 'a' was already used in row 1"),
        ([GOOD] * 11, 413, "the request has 11 questions, but at most 10"),
        (GOOD | {"context": "c" * MOST}, 413, "has 5,005 characters, but at most 5,000"),
        (b" " * 80_000, 413, "the request has more than 71,264 bytes"),
    ],
)
def test_what_cannot_be_answered_gets_a_sentence(
    address: str, body: object, status: int, expected: str
) -> None:
    found, content = post(address, body)
    assert (found, list(content)) == (status, ["detail"])
    assert expected in content["detail"]
    assert post(address, GOOD)[0] == 200


def test_control_c_ends_it_and_exits_with_130(bundle: Path) -> None:
    with running(bundle) as (url, process):
        assert post(url, GOOD)[0] == 200
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr == "Error: interrupted\n"


def test_a_busy_port_is_said(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as caught:
            main(["serve", str(bundle), "--port", str(port)])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert f"cannot listen on --host 127.0.0.1 --port {port}: Address already in use" in said


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_of_elsewhere_is_said(
    bundle: Path, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", str(bundle), "--host", host, "--port", "0"])
    assert caught.value.code == 2
    assert f"cannot listen on --host {host} --port 0: " in capsys.readouterr().err


def test_without_the_extra_one_sentence(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(SystemExit) as caught:
        main(["serve", str(bundle)])
    assert caught.value.code == 4
    assert "needs the package uvicorn: pip install 'autoqa[serve]'" in capsys.readouterr().err


def test_a_damaged_bundle_is_said_before_anything_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["serve", str(tmp_path), "--port", "0"])
    assert caught.value.code == 1
    assert f"{tmp_path} is no bundle" in capsys.readouterr().err
