"""Every page of the dashboard in a real browser."""

import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from autoqa.dashboard.server import opened_pages, serve
from autoqa.store.run_folder import RunFolder
from autoqa.upkeep.study_place import find_study

pytest.importorskip("optuna_dashboard")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)

PAGES = {
    "": "golden",
    "studies/1": "Best Trial",
    "studies/1/analytics": "Rank",
    "studies/1/trials?numbers=0": "stage 1 of 1: windows of 24",
    "studies/1/trials?numbers=3": "failure",
    "studies/1/trialTable": "Trial",
    "studies/1/smartSelection": "Trial",
    "studies/1/note": "What is searched",
    "compare-studies": "golden",
}
"""Path to what must stand on the page."""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_no_page_has_an_error(
    golden: RunFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        opened_pages(find_study("golden")) as pages,
    ):
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/dashboard/"
        threading.Thread(target=serve, args=(pages, listener), daemon=True).start()
        for path, text in PAGES.items():
            page, console = visited(address + path, tmp_path / "profile")
            assert text in page, path
            # Chromium itself remarks that it draws without a graphics card.
            own = [line for line in console if "WebGL" not in line]
            assert not own, (path, own)
    assert not capfd.readouterr().err


def visited(address: str, profile: Path) -> tuple[str, list[str]]:
    """The page as it is after its scripts, and what its console says."""
    assert CHROMIUM is not None
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    options += [f"--user-data-dir={profile}", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run(
        [CHROMIUM, *options, "--window-size=1400,1800", address],
        capture_output=True,
        text=True,
        timeout=300,
    )
    text = re.sub(r"<(script|style).*?</\1>", "", done.stdout, flags=re.S)
    return text, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
