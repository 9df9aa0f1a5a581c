"""Plugins that crash, end their process or hang in a trial: the others' results stay, and count."""

import shutil
import sys
from pathlib import Path

import pytest

from autoqa.cli.main import main
from autoqa.store.run_folder import RunFolder
from autoqa.supervision import life_signs
from tests.docs_kit import ROOT, run
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
        monkeypatch.setattr(life_signs, "LOOPLESS_SECONDS", 30.0)
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
    # A worker that hangs may be the machine's fault; a backbone whose runs all hang is not.
    assert not caught.value.code
    assert cause in said.err + said.out
    assert list(RunFolder(tmp_path / "runs" / "toy").path.glob("candidates/t*"))


SOUND = (
    "spec = SourceSpec(name={name!r}, summary='Rows', options=Options, load=list, missing=str)\n"
)
"""A source of a name."""

MISBEHAVING = {
    "not-there": "import surely_not_installed\n",
    "raises": "1 / 0\n",
    "exits": "raise SystemExit(3)\n",
    "cancelled": "import asyncio\nraise asyncio.CancelledError\n",
    "gone": "raise GeneratorExit\n",
    "recursive": "def endless(): endless()\nendless()\n",
    "syntax": "def spec(:\n",
    "nothing": "",
    "number": "spec = 7\n",
    "slow": "time.sleep(1.5)\n" + SOUND,
    "loud": "print('loud' * 100)\n" + SOUND,
    "louder": "os.write(1, b'loud')\n" + SOUND,
    "older": SOUND.replace("missing=str", "missing=str, api_version=0"),
    "newer": SOUND.replace("missing=str", "missing=str, api_version=2"),
    "twin": SOUND,
    "other-name": SOUND.replace("{name!r}", "'another'"),
    "no-model": SOUND.replace("options=Options", "options=7"),
    "bad-model": "class Odd(Options):\n    rows: int = 'x' + 1\n" + SOUND,
    "demo": SOUND.replace("summary", "missing_summary"),
    "changing": "sys.path_hooks_of_mine = 7\nos.environ.setdefault('MY_ODD', '1')\n" + SOUND,
}


@pytest.mark.slow
def test_twenty_at_once_keep_nobody_from_searching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (name, code) in enumerate(MISBEHAVING.items()):
        text = code.replace("{name!r}", repr(name))
        # The project's own source of that name must not be hidden by one that cannot be used.
        offered = "odd-demo" if name == "demo" else name
        points = {"sources": {offered: "spec"}}
        write_distribution(tmp_path / "site", f"odd-{number}", points, text)
    write_distribution(tmp_path / "site", "odd-twin", {"sources": {"twin": "spec"}}, "spec = 7\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    done = run("autoqa plugins list", tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("failed: ") == 17
    for command in (
        "autoqa search studies/quickstart.toml --trials 1 --minutes 30 --quiet",
        "autoqa leaderboard quickstart",
    ):
        done = run(command, tmp_path, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "t0000-100" in done.stdout
