"""Plugins that crash, end their process or hang in a trial: the others' results stay, and count."""

import sys
from pathlib import Path

import pytest

from autoqa.cli.main import main
from autoqa.store.run_folder import RunFolder
from autoqa.supervision import life_signs
from tests.plugin_kit import write_distribution
from tests.toy_study import write_study

BACKBONE = """
class NoOptions(Options):
    "None."

def prepare(options, cache):
    {does}

spec = BackboneSpec(name="odd-encoder", summary="Odd", options=NoOptions, prepare=prepare,
    protocol=lambda o: TrainingProtocol(learning_rate=5e-3, batch_size=4, length=32, stride=8,
    precision="fp32"), missing=lambda o: None, licence=lambda o: "CC0-1.0")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "does, cause",
    [
        ("raise ValueError('no weights')", "ValueError: no weights"),
        ("os._exit(9)", "exit code 9"),
        ("time.sleep(3600)", "said nothing for"),
    ],
)
def test_a_search_ends_with_the_healthy_backbones_results(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    does: str,
    cause: str,
) -> None:
    site = write_distribution(
        tmp_path / "site",
        "my-odd",
        {"backbones": {"odd-encoder": "spec"}},
        BACKBONE.format(does=does),
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.delitem(sys.modules, "my_odd", raising=False)
    if "sleep" in does:  # importing torch on a busy machine takes long, too
        monkeypatch.setattr(life_signs, "LOOPLESS_SECONDS", 60.0)
    monkeypatch.setattr("autoqa.searching.machine_faults.BACK_OFF", (1.0, 1.0, 1.0))
    study = write_study(tmp_path, "trials = 3\n")
    text = study.read_text().replace("[recipe]", '[backbones.odd]\ntype = "odd-encoder"\n[recipe]')
    study.write_text(text)
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    monkeypatch.setenv("AUTOQA_CACHE", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as caught:
        main(["search", str(study)])
    said = capfd.readouterr()
    print(said.out, said.err)
    assert caught.value.code == 0
    assert cause in said.err + said.out
    assert list(RunFolder(tmp_path / "runs" / "toy").path.glob("candidates/t*"))
