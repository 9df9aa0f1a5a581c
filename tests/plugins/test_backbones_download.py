"""huggingface: downloads from a hub that speaks HTTP."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from autoqa_backbones.folders import is_complete
from safetensors.numpy import save_file

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """The few answers of a model hub that a download asks for."""

    files: Path
    requested: list[str]

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.requested.append(path)
        names = sorted(file.name for file in self.files.iterdir())
        if path.startswith("/api/models/someone/tiny/tree/"):
            tree = [
                {"type": "file", "path": n, "size": (self.files / n).stat().st_size, "oid": n}
                for n in names
            ]
            self.send(json.dumps(tree).encode(), with_body)
        elif path.startswith("/api/models/someone/tiny"):
            info = {"id": "someone/tiny", "sha": COMMIT}
            info |= {"siblings": [{"rfilename": name} for name in names]}
            self.send(json.dumps(info).encode(), with_body)
        elif path.startswith("/someone/tiny/resolve/") and path.split("/")[-1] in names:
            self.send((self.files / path.split("/")[-1]).read_bytes(), with_body)
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def send(self, body: bytes, with_body: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output quiet."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, list[str], Path]]:
    """Address of a hub with one model, what it was asked for, and the model's files."""
    files = tmp_path / "served"
    files.mkdir()
    (files / "config.json").write_text('{"model_type": "bert"}')
    (files / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    (files / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n")
    save_file({"weight": np.ones(3)}, files / "model.safetensors")
    requested: list[str] = []
    handler = type("ThisHub", (Hub,), {"files": files, "requested": requested})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", requested, files
    server.shutdown()
    thread.join()
    server.server_close()


def prepare_elsewhere(model: str, folder: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """Prepares in a fresh process: huggingface_hub reads its environment once, on import."""
    code = (
        "import sys; from pathlib import Path; from autoqa_backbones.hub import *\n"
        "try: print(prepare(HuggingFaceOptions(model=sys.argv[1]), Path(sys.argv[2])))\n"
        "except MissingAssetError as error: sys.exit(f'MISSING {error}')"
    )
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
    environment = inherited | {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(folder / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
    return subprocess.run(
        [sys.executable, "-c", code, model, str(folder / "cache")],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


class TestDownload:
    def test_fetches_only_what_is_needed(
        self, served: tuple[str, list[str], Path], tmp_path: Path
    ) -> None:
        endpoint, requested, files = served
        for name in ("pytorch_model.bin", "modeling_mine.py", "tf_model.h5", "README.md"):
            (files / name).write_text("unwanted")
        done = prepare_elsewhere("someone/tiny", tmp_path, endpoint)
        assert done.returncode == 0, done.stderr
        assert is_complete(Path(done.stdout.strip().splitlines()[-1]))
        fetched = {path.split("/")[-1] for path in requested if "/resolve/" in path}
        assert {"config.json", "model.safetensors", "vocab.txt"} <= fetched
        assert not fetched & {"pytorch_model.bin", "modeling_mine.py", "tf_model.h5", "README.md"}

    def test_no_such_model(self, served: tuple[str, list[str], Path], tmp_path: Path) -> None:
        done = prepare_elsewhere("someone/else", tmp_path, served[0])
        assert done.returncode == 1
        assert "MISSING the model someone/else (revision main) could not be fetched" in done.stderr
        assert "Traceback" not in done.stderr

    def test_no_network(self, tmp_path: Path) -> None:
        done = prepare_elsewhere("someone/tiny", tmp_path, "http://127.0.0.1:9")
        assert done.returncode == 1
        assert "could not be fetched from the Hugging Face hub" in done.stderr
        assert "Traceback" not in done.stderr
