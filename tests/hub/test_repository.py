"""HubRepository against a mirror on the loopback address, each call in a fresh process."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_mirror import COMMIT, HubMirror, hub_environment, run_elsewhere, serving

CODE = """
import json, sys
from autoqa.api import HubRepository, MissingAssetError
repository = HubRepository(
    "someone/rows", "dataset", sys.argv[2], ("data/*.parquet", "README.md")
)
got = []
try:
    if sys.argv[1] == "fetch":
        folder = repository.fetch(got.append)
        found = [str(path.relative_to(folder)) for path in repository.files()]
        print(json.dumps({"files": found, "received": sum(got), "absent": repository.absent()}))
    elif sys.argv[1] == "size":
        print(json.dumps(repository.size()))
    else:
        print(json.dumps({"missing": repository.missing(), "absent": repository.absent()}))
except MissingAssetError as error:
    sys.exit(f"MISSING {error}")
"""
LARGE = bytes(range(256)) * 1000


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[HubMirror]:
    with serving(tmp_path / "served") as mirror:
        folder = mirror.repository("datasets", "someone/rows")
        (folder / "data").mkdir()
        for number in range(2):
            (folder / "data" / f"train-0000{number}-of-00002.parquet").write_bytes(LARGE)
        (folder / "data" / "train-00001-of-00002.parquet").write_bytes(LARGE[1:])
        (folder / "README.md").write_text("Rows.")
        (folder / "script.py").write_text("raise AssertionError")
        yield mirror


def ask(
    mirror: HubMirror, what: str, *, revision: str = "main", home: str = "home", **more: str
) -> subprocess.CompletedProcess[str]:
    environment = hub_environment(mirror.address, mirror.folder.parent / home, **more)
    return run_elsewhere(CODE, what, revision, environment=environment)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence that is all that a failing call leaves on stderr."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("MISSING the data set someone/rows (revision "), line
    assert done.returncode == 1
    return line


def cached(mirror: HubMirror) -> list[Path]:
    return [p for p in (mirror.folder.parent / "home").rglob("*.parquet") if p.is_file()]


class TestFetch:
    def test_only_what_is_wanted_and_once(self, mirror: HubMirror) -> None:
        sizes = json.loads(ask(mirror, "size").stdout)
        assert sizes == 2 * len(LARGE) - 1 + 5
        done = ask(mirror, "fetch")
        assert done.stderr == ""
        names = ["README.md", *(f"data/train-0000{n}-of-00002.parquet" for n in range(2))]
        assert json.loads(done.stdout) == {"files": names, "received": sizes, "absent": []}
        assert sorted(mirror.fetched()) == names
        asked = len(mirror.requested)
        assert json.loads(ask(mirror, "fetch", HF_HUB_OFFLINE="1").stdout)["received"] == 0
        assert json.loads(ask(mirror, "state").stdout) == {"missing": None, "absent": []}
        assert len(mirror.requested) == asked

    def test_a_connection_that_breaks_off_is_gone_on_with(self, mirror: HubMirror) -> None:
        name = "train-00000-of-00002.parquet"
        mirror.breaks_after[name] = 100_000
        done = ask(mirror, "fetch")
        assert done.returncode == 0, done.stderr
        assert mirror.fetched().count(f"data/{name}") == 3

    def test_the_next_call_resumes(self, mirror: HubMirror) -> None:
        name = "train-00000-of-00002.parquet"
        mirror.breaks_after[name] = 50_000
        sentence = refused(ask(mirror, "fetch"))
        assert f"broke off after 150,000 of 256,000 bytes of data/{name}" in sentence
        assert "the same command goes on from there" in sentence
        assert not cached(mirror)
        state = json.loads(ask(mirror, "state").stdout)
        assert "is not in the local Hugging Face cache" in state["missing"]
        assert json.loads(ask(mirror, "size").stdout) == 2 * len(LARGE) - 1 - 150_000
        mirror.breaks_after.clear()
        done = ask(mirror, "fetch")
        assert json.loads(done.stdout)["received"] == 2 * len(LARGE) - 1 - 150_000
        assert all(path.read_bytes() in (LARGE, LARGE[1:]) for path in cached(mirror))
        assert not list((mirror.folder.parent / "home").rglob("*.autoqa-*"))

    def test_a_file_of_another_size(self, mirror: HubMirror) -> None:
        mirror.lists["train-00001-of-00002.parquet"] = len(LARGE) - 2
        sentence = refused(ask(mirror, "fetch"))
        assert "has 255,999 bytes where the hub lists 255,998, so it was removed" in sentence
        assert not cached(mirror)

    def test_a_file_with_another_content(self, mirror: HubMirror) -> None:
        mirror.lists["train-00001-of-00002.parquet"] = "0" * 64
        assert "has another checksum than the hub lists" in refused(ask(mirror, "fetch"))
        assert not cached(mirror)
        assert not list((mirror.folder.parent / "home").rglob("*.autoqa-part*"))


class TestRefusals:
    def test_no_such_repository(self, mirror: HubMirror) -> None:
        (mirror.folder / "datasets" / "someone" / "rows").rename(mirror.folder / "gone")
        sentence = refused(ask(mirror, "fetch"))
        assert "shows no such repository, which it says of private ones, too" in sentence
        assert "`hf auth login`" in sentence

    def test_no_such_revision(self, mirror: HubMirror) -> None:
        sentence = refused(ask(mirror, "fetch", revision="v9"))
        assert "it has no revision 'v9'" in sentence
        assert f"{mirror.address}/datasets/someone/rows/tree/main" in sentence

    def test_gated(self, mirror: HubMirror) -> None:
        mirror.gated.add("someone/rows")
        sentence = refused(ask(mirror, "fetch"))
        assert f"accept them on {mirror.address}/datasets/someone/rows" in sentence
        assert "HF_TOKEN" in sentence
        assert ask(mirror, "fetch", HF_TOKEN="hf_any").returncode == 0

    @pytest.mark.parametrize("status", [500, 503, 429])
    def test_a_hub_that_is_down_is_not_asked_again(self, mirror: HubMirror, status: int) -> None:
        mirror.down = status
        assert f"answers with status {status}; try again later" in refused(ask(mirror, "fetch"))
        assert len([each for each in mirror.requested if "someone/rows" in each]) == 1

    def test_no_such_file(self, mirror: HubMirror) -> None:
        folder = mirror.folder / "datasets" / "someone" / "rows"
        (folder / "README.md").unlink()
        (folder / "data").rename(folder / "other")
        sentence = refused(ask(mirror, "fetch"))
        assert "it has no file data/*.parquet or README.md; it has other/train-00000" in sentence

    def test_no_network(self, mirror: HubMirror) -> None:
        mirror.address = "http://127.0.0.1:9"
        begin = time.monotonic()
        sentence = refused(ask(mirror, "fetch"))
        assert time.monotonic() - begin < 30
        assert "the hub 127.0.0.1:9 cannot be reached" in sentence
        assert (
            "`hf download someone/rows --repo-type dataset --include 'data/*.parquet'" in sentence
        )

    def test_offline_by_the_environment(self, mirror: HubMirror) -> None:
        sentence = refused(ask(mirror, "fetch", HF_HUB_OFFLINE="1"))
        assert "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids to fetch it" in sentence
        assert "hf download someone/rows --repo-type dataset" in sentence
        assert not mirror.requested

    def test_a_disk_without_room(self, mirror: HubMirror) -> None:
        mirror.lists["train-00001-of-00002.parquet"] = 1 << 60
        assert "bytes are to come, the disk of" in refused(ask(mirror, "fetch"))
        assert not mirror.fetched()

    def test_a_cache_that_cannot_be_written(self, mirror: HubMirror) -> None:
        (mirror.folder.parent / "taken").write_text("a file")
        done = ask(mirror, "fetch", home="taken")
        assert "Not a directory" in refused(done)
        assert "HF_HOME" in done.stderr


class TestPartial:
    def test_a_file_that_is_gone_is_named_and_fetched_again(self, mirror: HubMirror) -> None:
        ask(mirror, "fetch")
        blobs = mirror.folder.parent / "home" / "hub" / "datasets--someone--rows" / "blobs"
        lost = min(blobs.iterdir(), key=lambda path: path.stat().st_size)
        lost.unlink()
        state = json.loads(ask(mirror, "state").stdout)
        assert state["absent"] == ["README.md"]
        assert (
            "is not whole in the local Hugging Face cache, which lacks README.md"
            in (state["missing"])
        )
        assert json.loads(ask(mirror, "size").stdout) == 5
        assert json.loads(ask(mirror, "fetch").stdout)["received"] == 5

    def test_shards_are_counted_where_nothing_else_tells(self, mirror: HubMirror) -> None:
        ask(mirror, "fetch")
        storage = mirror.folder.parent / "home" / "hub" / "datasets--someone--rows"
        (storage / "trees" / f"{COMMIT}.json").unlink()
        assert json.loads(ask(mirror, "state", revision=COMMIT).stdout)["absent"] == []
        (storage / "snapshots" / COMMIT / "data" / "train-00001-of-00002.parquet").unlink()
        absent = json.loads(ask(mirror, "state", revision=COMMIT).stdout)["absent"]
        assert absent == ["data/train-00001-of-00002.parquet"]
