"""A study whose backbone was saved in half precision trains and exports as ever."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForQuestionAnswering

from autoqa.cli.main import main
from autoqa.store.run_folder import RunFolder
from tests.modeling.test_half_precision import halved
from tests.toy_study import search_study, write_study


def command(*arguments: object) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    assert not caught.value.code


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_all_paths_compute_in_single_precision(
    tmp_path: Path, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = {}
    for name in ("half", "single"):
        folder = tmp_path / name
        folder.mkdir()
        study = write_study(folder, "trials = 1\nworkers = 1\n", share=0.5)
        halved(folder / "backbone", dtype)
        if name == "single":  # the same numbers
            halved(folder / "backbone", torch.float32)
        search_study(study)
        run = RunFolder(folder / "runs" / "toy")
        trained[name] = load_file(run.model("t0000-100") / "model.safetensors")
    assert all(np.array_equal(trained["half"][n], w) for n, w in trained["single"].items())

    home = tmp_path / "half"
    monkeypatch.chdir(home)
    monkeypatch.setenv("AUTOQA_HOME", "runs")
    monkeypatch.setenv("AUTOQA_CACHE", str(home / "cache"))
    command("soup", "toy", "t0000-050", "t0000-100", "--quiet")
    command("export", "toy", "--to", "bundle", "--refit")
    command("export", "toy", "--member", "t0000-100", "--as", "transformers", "--to", "plain")
    assert AutoModelForQuestionAnswering.from_pretrained("plain").dtype == torch.float32
    rows = home / "exam.json"
    command("predict", "bundle", rows)
