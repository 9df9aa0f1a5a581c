"""The page by keyboard, by what a screen reader is told, and on paper."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import opened

pytestmark = pytest.mark.slow

ACTIVE = """() => {
  const each = document.activeElement, style = getComputedStyle(each);
  return {
    tag: each.tagName, id: each.id, text: each.textContent.trim().slice(0, 60),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    name: each.getAttribute("aria-label") || (each.labels && each.labels.length
      ? each.labels[0].textContent.trim() : each.textContent.trim()),
    seen: each.getBoundingClientRect().width > 0,
  };
}"""


def test_tab_reaches_everything_in_order_with_a_visible_focus(
    browser: Any, page_file: Path
) -> None:
    page, said = opened(browser, page_file)
    stops = []
    for _ in range(80):
        page.keyboard.press("Tab")
        stop = page.evaluate(ACTIVE)
        if stop["tag"] == "BODY":
            break
        stops.append(stop)
    assert (stops[0]["tag"], stops[0]["text"]) == ("A", "To the summary")
    ids = [stop["id"] for stop in stops if stop["id"]]
    assert [name for name in ids if name in ("language", "kind", "words", "list")] == [
        "language",
        "kind",
        "words",
        "list",
    ]
    links = page.locator("nav a").count()
    assert sum(stop["tag"] == "A" for stop in stops) == links + 1
    assert sum(stop["tag"] == "SUMMARY" for stop in stops) == page.locator("summary").count()
    assert all(stop["name"] and stop["seen"] for stop in stops), stops
    assert all(stop["outline"] >= 1 for stop in stops), "each shows where the focus is"
    assert said == []
    page.close()


def test_the_first_link_skips_to_the_summary(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    page.keyboard.press("Tab")
    box = page.locator(".skip").bounding_box()
    assert box["x"] >= 0, "it can be seen while it has the focus"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.url.endswith("#summary")
    assert page.evaluate("document.activeElement.closest('header')") is None
    page.close()


def test_filters_and_details_work_without_a_pointer(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    for key, place in (("Enter", 0), ("Space", -1)):
        folded = page.locator("details").nth(place)
        folded.locator("summary").focus()
        before = folded.evaluate("each => each.open")
        page.keyboard.press(key)
        assert folded.evaluate("each => each.open") is not before
    page.focus("#language")
    page.keyboard.press("Tab")
    page.keyboard.press("End")  # the last kind that there is
    page.keyboard.press("Tab")
    page.keyboard.type("no such words")
    assert page.inner_text("#count") == "0 of 56 questions"
    page.close()


def test_controls_tables_and_pictures_have_names(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    for role, name in (("combobox", "Language"), ("combobox", "Kind"), ("searchbox", "Words")):
        assert page.get_by_role(role, name=name).count() == 1, name
    assert page.get_by_role("listbox", name="Questions").count() == 1
    assert page.get_by_role("navigation", name="Contents").count() == 1
    without = page.evaluate(
        """() => ({
          tables: [...document.querySelectorAll("table")].filter(
            each => !each.caption || !each.caption.textContent.trim()).length,
          heads: [...document.querySelectorAll("th")].filter(each => !each.scope).length,
          pictures: [...document.querySelectorAll("svg")].filter(each =>
            each.getAttribute("aria-hidden") !== "true" && !(each.getAttribute("role") === "img"
            && each.getAttribute("aria-label"))).length,
          controls: [...document.querySelectorAll("input, select, button")].filter(
            each => !each.labels.length).length,
        })"""
    )
    assert without == {"tables": 0, "heads": 0, "pictures": 0, "controls": 0}
    page.close()


def test_headings_go_down_one_level_at_a_time(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(each => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    page.close()


def test_texts_say_in_which_language_they_are(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    page.select_option("#kind", "")
    assert page.get_attribute("html", "lang") == "en"
    for language, script in (("ta", r"[\u0b80-\u0bff]"), ("zh", r"[\u4e00-\u9fff]")):
        page.select_option("#language", language)
        texts = page.locator("#browser :is(h3, .excerpt, td, b)").filter(
            has_text=re.compile(script)
        )
        assert texts.count() > 3
        spoken = texts.evaluate_all("all => all.map(each => each.lang)")
        assert set(spoken) == {language}
    page.close()


def test_paper_cuts_nothing(browser: Any, page_file: Path) -> None:
    page, _ = opened(browser, page_file)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 with the usual margins
    for part in ("nav", ".controls", ".list", ".skip"):
        assert not page.is_visible(part)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".wide, .strip, .detail, table, svg")].filter(
          each => each.getClientRects().length
            && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML)"""
    )
    assert cut == []
    scrolled = page.evaluate(
        """() => [...document.querySelectorAll(".wide, .strip, .detail")].filter(
          each => ["auto", "scroll", "hidden"].includes(getComputedStyle(each).overflowX)).length"""
    )
    assert scrolled == 0
    page.close()
