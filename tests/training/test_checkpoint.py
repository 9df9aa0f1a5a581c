import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from autoqa.training.checkpoint import Checkpoints, key_of

TENSORS = {"weight.a": torch.arange(1000.0), "average.b": torch.ones(2, dtype=torch.int64)}
SIZE = sum(tensor.nbytes for tensor in TENSORS.values())


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path / "checkpoints", 10**6)
    assert held.load("run-1") is None
    assert held.save("run-1", TENSORS, {"step": 7, "scaler": {}}) is None
    found = held.load("run-1")
    assert found is not None
    tensors, facts = found
    assert facts == {"step": 7, "scaler": {}}
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    held.remove("run-1")
    assert held.load("run-1") is None


def test_a_damaged_checkpoint_is_removed_and_counts_as_absent(tmp_path: Path) -> None:
    said: list[str] = []
    held = Checkpoints(tmp_path, 10**6, said.append)
    held.save("stage-1", TENSORS, {})
    held.path("stage-1").write_bytes(held.path("stage-1").read_bytes()[:100])
    assert held.load("stage-1") is None
    assert not held.path("stage-1").exists()
    (sentence,) = said
    assert sentence.startswith(f"the checkpoint {held.path('stage-1')} is damaged (")


def test_a_flipped_byte_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    said: list[str] = []
    held = Checkpoints(tmp_path, 10**6, said.append)
    facts = {"step": 12345}
    held.save("run-1", TENSORS, facts)
    whole = held.path("run-1").read_bytes()
    for place in (whole.index(b"12345") + 2, len(whole) - 1, len(whole) // 2):
        content = bytearray(whole)
        content[place] ^= 1
        held.path("run-1").write_bytes(content)
        assert held.load("run-1") is None
        assert said.pop().endswith("(its checksum differs) and is not used")
    assert held.load("run-1") is None
    assert not said, "an absent one is nothing to tell of"


def test_a_checkpoint_of_an_earlier_version_is_used(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, 10**6)
    save_file(TENSORS, held.path("run-1"), metadata={"facts": json.dumps({"step": 7})})
    found = held.load("run-1")
    assert found is not None
    assert found[1] == {"step": 7}


def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, round(2.5 * SIZE) + 1000)
    for age, name in enumerate(("stage-1", "stage-2")):
        held.save(name, TENSORS, {})
        os.utime(held.path(name), (age, age))
    held.load("stage-1")  # used now
    held.save("stage-3", TENSORS, {})
    assert [held.load(name) is not None for name in ("stage-1", "stage-2", "stage-3")] == [
        True,
        False,
        True,
    ]


def test_too_large_says_the_way_out_and_zero_keeps_none(tmp_path: Path) -> None:
    said = Checkpoints(tmp_path, SIZE - 1).save("run-1", TENSORS, {})
    assert said is not None
    assert "more than search.checkpoints = " in said
    assert Checkpoints(tmp_path, 0).save("run-1", TENSORS, {}) is None
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_more_costs_the_checkpoint_only(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, 10**6)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE // 2, before[1]))
    try:
        said = held.save("run-1", TENSORS, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said is not None
    assert said.startswith(f"no checkpoint was written to {tmp_path} (")
    assert list(tmp_path.iterdir()) == []


def test_only_one_process_makes_a_stage(tmp_path: Path) -> None:
    held = Checkpoints(tmp_path, 10**6)
    script = (
        "import sys, time; from pathlib import Path\n"
        "from autoqa.training.checkpoint import Checkpoints\n"
        f"with Checkpoints(Path({str(tmp_path)!r}), 1).claim('stage-1', lambda: None):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == b"held\n"
    asked = threading.Event()

    def waiting() -> None:
        if not asked.is_set():
            asked.set()
            other.kill()  # the kernel lets go for it

    with held.claim("stage-1", waiting):
        assert asked.is_set()
    other.wait()


def test_keys_depend_on_every_value_and_on_no_order() -> None:
    parts = {"seed": 1, "stages": [{"length": 256}], "last": False}
    assert key_of(parts) == key_of(dict(reversed(parts.items())))
    assert len({key_of(parts | {"seed": 2}), key_of(parts | {"last": True}), key_of(parts)}) == 3


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path):
    yield
    assert not list(tmp_path.rglob("*.partial"))
