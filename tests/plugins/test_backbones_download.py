"""huggingface: downloads from a hub that speaks HTTP."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from autoqa_backbones.folders import is_complete
from hub_mirror import HubMirror, hub_environment, run_elsewhere, serving
from safetensors.numpy import save_file

CODE = (
    "import sys; from pathlib import Path; from autoqa_backbones.hub import *\n"
    "options = HuggingFaceOptions(model=sys.argv[1], convert=sys.argv[3] == 'convert')\n"
    "try:\n"
    "    print(*(f'{each.name}: {each.size}' for each in downloads(options)))\n"
    "    print(prepare(options, Path(sys.argv[2])))\n"
    "    print(*downloads(options), missing(options))\n"
    "except MissingAssetError as error: sys.exit(f'MISSING {error}')"
)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[HubMirror]:
    """A hub with one model."""
    with serving(tmp_path / "served") as mirror:
        files = mirror.repository("models", "someone/tiny")
        (files / "config.json").write_text('{"model_type": "bert"}')
        (files / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
        (files / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n")
        save_file({"weight": np.ones(3)}, files / "model.safetensors")
        yield mirror


def prepare_elsewhere(
    mirror: HubMirror, folder: Path, model: str = "someone/tiny", *, convert: bool = False
) -> subprocess.CompletedProcess[str]:
    return run_elsewhere(
        CODE, model, str(folder / "cache"), "convert" if convert else "",
        environment=hub_environment(mirror.address, folder / "home"),
    )  # fmt: skip


def test_fetches_only_what_is_needed(mirror: HubMirror, tmp_path: Path) -> None:
    files = mirror.repository("models", "someone/tiny")
    wanted = {path.name: path.stat().st_size for path in files.iterdir()}
    unwanted = ("pytorch_model.bin", "modeling_mine.py", "tf_model.h5", "README.md")
    for name in unwanted:
        (files / name).write_text("unwanted")
    done = prepare_elsewhere(mirror, tmp_path)
    assert done.returncode == 0, done.stderr
    said, folder, after = done.stdout.strip().splitlines()
    assert said == f"the model someone/tiny (revision main): {sum(wanted.values())}"
    assert is_complete(Path(folder))
    assert after == "None"
    assert set(mirror.fetched()) == set(wanted)


def test_pickles_where_there_is_nothing_else(mirror: HubMirror, tmp_path: Path) -> None:
    import torch

    files = mirror.repository("models", "someone/tiny")
    (files / "model.safetensors").unlink()
    torch.save({"weight": torch.ones(3)}, files / "pytorch_model.bin")
    done = prepare_elsewhere(mirror, tmp_path)
    assert "only as pytorch_model.bin" not in done.stdout
    assert "has no model.safetensors" in done.stderr
    done = prepare_elsewhere(mirror, tmp_path, convert=True)
    assert done.returncode == 0, done.stderr
    assert is_complete(Path(done.stdout.strip().splitlines()[1]))


def test_no_such_model(mirror: HubMirror, tmp_path: Path) -> None:
    done = prepare_elsewhere(mirror, tmp_path, "someone/else")
    assert done.returncode == 1
    assert done.stderr.startswith("MISSING the model someone/else (revision main): the hub 127.")
    assert "shows no such repository" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_network(mirror: HubMirror, tmp_path: Path) -> None:
    mirror.address = "http://127.0.0.1:9"
    done = prepare_elsewhere(mirror, tmp_path)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr
