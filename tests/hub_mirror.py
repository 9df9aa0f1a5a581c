"""A hub on the loopback address: the answers that the Hugging Face client asks for."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class HubMirror:
    """Repositories of models and data sets, and the ways in which they fail.

    Attributes:
        folder: ``models/OWNER/NAME`` and ``datasets/OWNER/NAME`` below it hold their files; a
            folder ``.revisions/REVISION`` in one of them what another revision has.
        address: What ``HF_ENDPOINT`` is to say.
        requested: Method and path of all requests.
        gated: Ids whose files need a token.
        down: Status that all requests get, in place of an answer.
        breaks_after: File name to how many bytes of it a connection lasts.
        lists: File name to the size or checksum that is listed in place of its own.
    """

    folder: Path
    address: str = ""
    requested: list[str] = field(default_factory=list)
    gated: set[str] = field(default_factory=set)
    down: int = 0
    breaks_after: dict[str, int] = field(default_factory=dict)
    lists: dict[str, int | str] = field(default_factory=dict)

    def repository(self, kind: str, name: str) -> Path:
        """The folder of ``models`` or ``datasets`` whose files are served under an id."""
        folder = self.folder / kind / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def fetched(self) -> list[str]:
        """Paths inside repositories of all files that were sent, each as often as it was."""
        return [
            path.split("/resolve/")[1].partition("/")[2]
            for path in self.requested
            if path.startswith("GET") and "/resolve/" in path
        ]


@contextmanager
def serving(folder: Path) -> Iterator[HubMirror]:
    """Serves the repositories below a folder until the block ends."""
    mirror = HubMirror(folder)
    handler = type("ThisHub", (_Handler,), {"mirror": mirror})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    mirror.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield mirror
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hub_environment(address: str, home: Path, **more: str) -> dict[str, str]:
    """The environment of a process that asks a mirror and keeps what it gets below ``home``."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
    own = {
        "HF_ENDPOINT": address,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    return inherited | own | more


def run_elsewhere(
    code: str, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs Python code in a fresh process: the client reads its environment once, on import."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=dict(environment), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def git_digest(content: bytes) -> str:
    """What Git, and the hub, call a small file by."""
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    mirror: HubMirror

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.mirror.requested.append(f"{self.command} {path}")
        if self.mirror.down:
            self._refuse(self.mirror.down, "")
        elif path.startswith(("/api/models/", "/api/datasets/")):
            _, _, kind, rest = path.split("/", 3)
            self._describe(kind, rest, with_body)
        elif "/resolve/" in path:
            repository, _, rest = path.strip("/").partition("/resolve/")
            kind = "datasets" if repository.startswith("datasets/") else "models"
            self._file(kind, repository.removeprefix("datasets/"), rest, with_body)
        else:
            self._refuse(404, "")

    def _describe(self, kind: str, rest: str, with_body: bool) -> None:
        name, _, revision = rest.replace("/tree/", "/revision/").partition("/revision/")
        found = self._folder(kind, name, revision or "main")
        if found is None:
            return
        folder, commit = found
        entries = [self._entry(path, folder) for path in _files(folder)]
        if "/tree/" in rest:
            answer: object = entries
        else:
            siblings = [
                {"rfilename": e["path"], "size": e["size"], "blobId": e["oid"]}
                | ({"lfs": {"sha256": e["lfs"]["oid"], **e["lfs"]}} if "lfs" in e else {})
                for e in entries
            ]
            answer = {"id": name, "sha": commit, "siblings": siblings, "gated": False}
        self._send(json.dumps(answer).encode(), commit, with_body)

    def _entry(self, path: Path, folder: Path) -> dict[str, Any]:
        content = path.read_bytes()
        listed = self.mirror.lists.get(path.name)
        size = listed if isinstance(listed, int) else len(content)
        entry = {"type": "file", "path": path.relative_to(folder).as_posix(), "size": size}
        entry["oid"] = git_digest(content)
        if path.suffix in {".parquet", ".safetensors", ".bin"}:
            digest = listed if isinstance(listed, str) else hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": digest, "size": size, "pointerSize": 134}
        return entry

    def _folder(self, kind: str, name: str, revision: str) -> tuple[Path, str] | None:
        """What a revision holds, and its commit; any full hash that no branch has is main's."""
        folder = self.mirror.folder / kind / name
        if not folder.is_dir():
            # What the hub says to those who give no token, for such a thing may be private.
            return self._refuse(401, "RepoNotFound")
        if revision == "main":
            return folder, COMMIT
        branches = folder / ".revisions"
        for path in branches.rglob("*"):
            branch = path.relative_to(branches).as_posix()
            commit = hashlib.sha1(branch.encode()).hexdigest()
            if revision in (branch, commit):
                return path, commit
        if re.fullmatch("[0-9a-f]{40}", revision):
            return folder, revision
        return self._refuse(404, "RevisionNotFound")

    def _file(self, kind: str, name: str, rest: str, with_body: bool) -> None:
        revision, _, inner = rest.partition("/")
        found = self._folder(kind, name, revision)
        if found is None:
            return
        folder, commit = found
        if name in self.mirror.gated and "Authorization" not in self.headers:
            self._refuse(401, "GatedRepo")
            return
        path = next((p for p in _files(folder) if p.relative_to(folder).as_posix() == inner), None)
        if path is None:
            self._refuse(404, "EntryNotFound")
            return
        entry = self._entry(path, folder)
        digest = entry["lfs"]["oid"] if "lfs" in entry else entry["oid"]
        self._send(path.read_bytes(), commit, with_body, str(digest), path.name)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(
        self, body: bytes, commit: str, with_body: bool, digest: str = "", name: str = ""
    ) -> None:
        begin = int(self.headers.get("Range", "bytes=0-")[6:].partition("-")[0])
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - begin))
        self.send_header("ETag", f'"{digest}"')
        self.send_header("X-Repo-Commit", commit)
        self.end_headers()
        if with_body:
            lasts = self.mirror.breaks_after.get(name, len(body))
            self.wfile.write(body[begin : begin + lasts])
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keeps the test's output quiet."""


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and ".revisions" not in path.relative_to(folder).parts
    )
