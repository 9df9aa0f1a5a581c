"""``autoqa cache``: what lies there is told, and only what is autoqa's goes."""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoqa.cli.cache import clean
from autoqa.features.cache import machine_cache
from autoqa.features.tokenizer import QATokenizer
from autoqa.files import locked
from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from autoqa.upkeep.cache import KINDS
from tests import bundle_kit
from tests.conftest import Run


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """What a search leaves there, and what somebody else has put beside it."""
    folder = tmp_path / "cache"
    bundle_kit.write_tokenizer(tmp_path / "tokenizer")
    tokenizer = QATokenizer.from_folder(tmp_path / "tokenizer")
    kept = machine_cache()
    kept.encoded(tokenizer, bundle_kit.examples(5))
    kept.activations("0123456789abcdef", 4).add({bytes(16): np.ones((3, 4), np.float32)})
    for path in (
        "timings/0123456789abcdef.json",
        "timings/notes.json",
        "backbones/e5-small-latin-v1/config.json",
        "backbones/e5-small-latin-v1/model.safetensors",
        "backbones/.e5-small-latin-v1.abc_1.partial/model.safetensors",
        "backbones/notes/mine.txt",
        "features/notes/mine.txt",
        "huggingface/model.bin",
        "notes.txt",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(bytes(1000))
    return folder


OTHERS = {
    "timings/notes.json",
    "backbones/notes/mine.txt",
    "features/notes/mine.txt",
    "huggingface/model.bin",
    "notes.txt",
}


def files(folder: Path) -> set[str]:
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {path for path in paths if not path.endswith(".lock")}


def shown(run: Run) -> dict[str, Any]:
    code, out, err = run("cache", "show", "--json")
    assert code == 0, err
    kinds: dict[str, Any] = json.loads(out)["kinds"]
    return kinds


def age(path: Path, days: float) -> None:
    moment = time.time() - 24 * 3600 * days
    for each in (path, *path.rglob("*")):
        os.utime(each, (moment, moment))


def test_show_counts_what_is_there_by_kind(cache: Path, run: Run) -> None:
    kinds = shown(run)
    assert {kind: each["count"] for kind, each in kinds.items()} == {
        "features": 1,
        "activations": 1,
        "timings": 1,
        "backbones": 2,
    }
    assert kinds["backbones"]["bytes"] == 3000
    assert kinds["timings"]["bytes"] == 1000
    rows = 3 * 4 * 4
    assert rows < kinds["activations"]["bytes"] < rows + 100
    assert all(each["last_used"] > time.time() - 1000 for each in kinds.values())
    code, out, _ = run("cache", "show")
    assert (code, str(cache) in out) == (0, True)
    assert max(map(len, out.splitlines()[:-1])) <= 80


def test_clean_removes_what_is_autoqas_and_nothing_else(cache: Path, run: Run) -> None:
    before = files(cache)
    code, out, _ = run("cache", "clean", "--dry-run")
    assert (code, files(cache)) == (0, before)
    assert "would be freed" in out
    code, out, err = run("cache", "clean")
    assert (code, err) == (0, "")
    assert files(cache) == OTHERS
    assert not any(each["count"] for each in shown(run).values())


def test_kinds_and_ages_are_kept_apart(cache: Path, run: Run) -> None:
    age(cache / "backbones" / "e5-small-latin-v1", 40)
    age(cache / "timings" / "0123456789abcdef.json", 40)
    assert run("cache", "clean", "--older-than", "30", "--kind", "backbones")[0] == 0
    counts = {kind: each["count"] for kind, each in shown(run).items()}
    assert counts == {"features": 1, "activations": 1, "timings": 1, "backbones": 1}
    assert run("cache", "clean", "--older-than", "30")[0] == 0
    counts = {kind: each["count"] for kind, each in shown(run).items()}
    assert counts == {"features": 1, "activations": 1, "timings": 0, "backbones": 1}
    assert run("cache", "clean", "--kind", "features", "--kind", "activations")[0] == 0
    counts = {kind: each["count"] for kind, each in shown(run).items()}
    assert counts == {"features": 0, "activations": 0, "timings": 0, "backbones": 1}


def test_what_a_process_is_making_stays(cache: Path, run: Run) -> None:
    [entry] = [path for path in (cache / "features").iterdir() if len(path.name) == 40]
    backbone = cache / "backbones" / ".e5-small-latin-v1.lock"
    with locked(entry.with_name(f"{entry.name}.lock")), locked(backbone):
        code, _, err = run("cache", "clean")
        assert code == 0
        assert err.count("a process is making it") == 3
        assert entry.is_dir()
    assert files(cache) > OTHERS
    assert run("cache", "clean")[0] == 0
    assert files(cache) == OTHERS


def test_backbones_stay_while_something_trains_here(cache: Path, toy: RunFolder, run: Run) -> None:
    with Store(toy.store_url(), "toy") as store:
        name = store.enter("search", leads=True)
        code, _, err = run("cache", "clean")
        assert code == 0
        assert "backbones stay: the search of process" in err
        assert {kind for kind, each in shown(run).items() if each["count"]} == {"backbones"}
        store.leave(name)
    assert run("cache", "clean")[0] == 0
    assert files(cache) == OTHERS


def test_links_are_not_followed(tmp_path: Path, run: Run) -> None:
    mine = tmp_path / "mine" / ("0" * 40)
    mine.mkdir(parents=True)
    (mine / "thesis.txt").write_text("three years of work")
    (tmp_path / "cache" / "features").mkdir(parents=True)
    (tmp_path / "cache" / "features" / ("0" * 40)).symlink_to(mine)
    (tmp_path / "cache" / "timings").symlink_to(tmp_path / "mine")
    assert run("cache", "clean")[0] == 0
    assert (mine / "thesis.txt").is_file()


def test_no_cache_at_all(run: Run, tmp_path: Path) -> None:
    assert run("cache", "clean")[0] == 0
    assert not any(each["count"] for each in shown(run).values())
    assert not (tmp_path / "cache").exists()


def test_the_option_knows_every_kind() -> None:
    [option] = [each for each in clean.params if each.name == "kinds"]
    assert tuple(option.type.choices) == KINDS  # type: ignore[attr-defined]
