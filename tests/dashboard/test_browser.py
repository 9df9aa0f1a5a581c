"""Every page of the dashboard in a real browser: wide and light, narrow and dark."""

import socket
import threading

import pytest

from autoqa.dashboard.server import opened_pages, serve
from autoqa.store.run_folder import RunFolder
from autoqa.upkeep.study_place import find_study
from tests.report.browser import chromium

pytest.importorskip("optuna_dashboard")

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

TITLES = ("Public scores at snapshots", "Public scores over time", "the ladder's best")

SECONDS = 120
"""For a page, on a machine that does other things, too."""


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 400)])
def test_no_page_has_an_error(
    golden: RunFolder, scheme: str, width: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        chromium() as browser,
        socket.create_server(("127.0.0.1", 0)) as listener,
        opened_pages(find_study("golden")) as pages,
    ):
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/dashboard/"
        threading.Thread(target=serve, args=(pages, listener), daemon=True).start()
        page = browser.new_page(viewport={"width": width, "height": 1800}, color_scheme=scheme)
        page.set_default_timeout(1000 * SECONDS)
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        # Chromium itself remarks that it draws without a graphics card.
        page.on(
            "console",
            lambda message: said.append(message.text) if "WebGL" not in message.text else None,
        )
        for path, text in PAGES.items():
            page.goto(address + path)
            page.get_by_text(text).first.wait_for(state="attached")
            page.wait_for_load_state("networkidle")
            assert not said, (path, said)
        page.goto(address + "studies/1")
        for title in TITLES:
            page.locator(".gtitle", has_text=title).wait_for()
        back = page.locator(".gtitle", has_text=TITLES[0]).evaluate(
            "each => getComputedStyle(each.closest('.js-plotly-plot').querySelector('.main-svg'))"
            ".backgroundColor"
        )
        assert back == "rgba(0, 0, 0, 0)", "the theme shines through"
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != (
            "rgb(255, 255, 255)"
        )
        assert dark == (scheme == "dark")
        assert not said
    assert not capfd.readouterr().err
