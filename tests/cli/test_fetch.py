"""autoqa fetch, as people run it, against a mirror on the loopback address."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_mirror import HubMirror, hub_environment, serving
from plugins.published_kit import row, write
from safetensors.numpy import save_file

STUDY = """
name = "lakes"
[sources.target]
type = "squad"
[sources.more]
type = "demo"
[backbones.tiny]
type = "huggingface"
model = "someone/tiny"
[recipe]
[[recipe.portions]]
source = "target"
[validation]
source = "more"
share = 0.5
"""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[HubMirror]:
    (tmp_path / "study.toml").write_text(STUDY)
    with serving(tmp_path / "served") as mirror:
        squad = mirror.repository("datasets", "rajpurkar/squad") / "plain_text"
        rows = [row("en", f"{number}") for number in range(3000)]
        write(squad / "train-00000-of-00001.parquet", rows)
        files = mirror.repository("models", "someone/tiny")
        (files / "config.json").write_text('{"model_type": "bert"}')
        (files / "vocab.txt").write_text("[PAD]\\n[UNK]\\n[CLS]\\n[SEP]\\n[MASK]\\nthe\\n")
        save_file({"weight": np.arange(99999.0)}, files / "model.safetensors")
        yield mirror


def autoqa(
    mirror: HubMirror, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    folder = mirror.folder.parent
    own = {"AUTOQA_HOME": str(folder / "runs"), "AUTOQA_CACHE": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, "-c", "from autoqa.cli.main import main; main()", *arguments],
        env=hub_environment(mirror.address, folder / "home", **own, **environment),
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_sizes_first_then_all_and_then_nothing(mirror: HubMirror) -> None:
    planned = autoqa(mirror, "fetch", "study.toml", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "to fetch: lakes: sources.target: the data set rajpurkar/squad (rev" in planned.stdout
    assert "to fetch: lakes: backbones.tiny: the model someone/tiny (revision main), 800 kB" in (
        planned.stdout
    )
    assert "here: lakes: sources.more" in planned.stdout
    assert not mirror.fetched()
    done = autoqa(mirror, "fetch", "study.toml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("all that lakes needs is on this machine")
    assert str(mirror.folder.parent / "home" / "hub") in done.stdout
    assert "fetching the model someone/tiny (revision main): 800 kB" in done.stderr
    asked = len(mirror.requested)
    again = autoqa(mirror, "fetch", "study.toml", "--json", HF_HUB_OFFLINE="1")
    assert json.loads(again.stdout) == {
        "fetched": True, "downloads": [], "bytes": 0,
        "here": ["lakes: backbones.tiny", "lakes: sources.target", "lakes: sources.more"],
        "lacking": [], "cache": str(mirror.folder.parent / "home" / "hub"),
    }  # fmt: skip
    assert len(mirror.requested) == asked


def test_one_failure_does_not_keep_the_rest(mirror: HubMirror) -> None:
    mirror.breaks_after["model.safetensors"] = 200_000
    done = autoqa(mirror, "fetch", "study.toml")
    assert done.returncode == 4
    assert "Error: lakes: backbones.tiny: the model someone/tiny (revision main): the " in (
        done.stderr
    )
    assert "the same command goes on from there" in done.stderr
    assert done.stdout == ""
    assert "plain_text/train-00000-of-00001.parquet" in mirror.fetched()
    mirror.breaks_after.clear()
    planned = json.loads(autoqa(mirror, "fetch", "study.toml", "--dry-run", "--json").stdout)
    assert planned["bytes"] == sum(each["bytes"] for each in planned["downloads"]) < 300_000
    assert autoqa(mirror, "fetch", "study.toml", "--quiet").returncode == 0


def test_without_a_network_it_says_what_to_do_elsewhere(mirror: HubMirror) -> None:
    done = autoqa(mirror, "fetch", "study.toml", HF_HUB_OFFLINE="1")
    assert done.returncode == 4
    squad = "hf download rajpurkar/squad --repo-type dataset --revision 7b6d24c440a36b6815f21b70d25"
    assert squad in done.stderr
    assert "nothing to fetch" not in done.stderr
    assert "`hf download someone/tiny --include config.json" in done.stderr
    assert f"copy its Hugging Face cache to {mirror.folder.parent / 'home' / 'hub'}" in done.stderr
    assert not mirror.requested


def test_a_search_names_the_command_and_fetches_nothing(mirror: HubMirror) -> None:
    done = autoqa(mirror, "search", "study.toml", "--dry-run")
    assert done.returncode == 4, done.stderr
    line = "`autoqa fetch study.toml` gets all of it that can be fetched"
    *missing, last = done.stderr.splitlines()
    assert [each.split(": ")[1] for each in missing] == ["backbones.tiny", "sources.target"]
    assert (line in last, "autoqa fetch" in done.stdout) == (True, False)
    done = autoqa(mirror, "search", "study.toml")
    assert (done.returncode, done.stderr.count(line)) == (4, 1)
    assert not mirror.requested


def test_a_study_that_is_none(mirror: HubMirror) -> None:
    assert autoqa(mirror, "fetch", "other.toml").returncode == 2
    assert autoqa(mirror, "fetch").returncode == 2
