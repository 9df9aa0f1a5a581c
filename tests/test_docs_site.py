"""The site: complete, without links to nowhere, readable and searchable from disk."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import jsonschema
import pytest

from autoqa.cli.main import cli
from autoqa.registry import discover
from autoqa.registry.description import option_descriptions
from autoqa.registry.study_tables import study_tables
from autoqa.scores.registry import all_metrics
from tests.docs_kit import ROOT
from tests.report.browser import chromium

pytest.importorskip("sphinx", reason="the site needs Sphinx")
from bs4 import BeautifulSoup

DOCS = ROOT / "docs"
INDEX = "# Pages\n\n```{toctree}\npage\n```\n"


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Builds as `make docs` does."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(r"python (-m sphinx .*) -c docs ", recipe)
    assert found is not None
    command = [sys.executable, *found[1].split(), "-c", str(source / "docs")]
    variables = {key: value for key, value in os.environ.items() if key != "AUTOQA_PLUGINS"}
    return subprocess.run(
        [*command, "-d", str(target.with_name("doctrees")), str(source), str(target)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


# What keys and options mean


def test_every_key_of_a_study_file_says_what_it_means() -> None:
    tables = study_tables()
    assert {"", "sources.NAME", "backbones.NAME.protocol", "search.trackers.wandb"} <= {
        table.path for table in tables
    }
    assert [f"{table.path}.{k.name}" for table in tables for k in table.keys if not k.meaning] == []


@pytest.mark.parametrize("kind", ["source", "backbone", "augmentation"])
def test_every_option_of_a_plugin_says_what_it_means(kind: str) -> None:
    plugins = [each for each in discover().records if each.kind == kind]
    plugins = [each for each in plugins if each.distribution == f"autoqa-{kind}s"]
    assert plugins
    silent = [
        f"{plugin.name}.{option.name}"
        for plugin in plugins
        for option in option_descriptions(plugin.spec.options)  # type: ignore[union-attr]
        if not option.meaning
    ]
    assert silent == []


# What ends a build


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A project with two pages, built as this one."""
    project = tmp_path / "project"
    for name in ("_ext", "_root", "_static"):
        shutil.copytree(DOCS / name, project / "docs" / name)
    shutil.copy(DOCS / "conf.py", project / "docs")
    (project / "docs" / "index.md").write_text(INDEX)
    (project / "studies").mkdir()
    (project / "studies" / "towns.toml").write_text('name = "towns"\n')
    (project / "docs" / "page.md").write_text(
        "# Page\n\n<!-- test -->\n```toml\nseed = 1\n```\n\n"
        "[Pages](index.md#pages), [a file](../studies/towns.toml), [a folder](../studies).\n"
    )
    return project


def test_a_link_out_of_the_pages_becomes_a_download_or_a_name(small: Path, tmp_path: Path) -> None:
    done = build(small, tmp_path / "site")
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "site" / "docs" / "page.html").read_text(encoding="utf-8")
    found = BeautifulSoup(page, "html.parser").find_all("a", href=True)
    links = {link.get_text(): link["href"] for link in found}
    assert "a folder" in page
    assert "a folder" not in links
    assert links["Pages"] == "index.html#pages"
    copied = tmp_path / "site" / "docs" / links["a file"]
    assert copied.read_text() == 'name = "towns"\n'
    assert "seed" in page
    assert "<!-- test" not in page


@pytest.mark.parametrize(
    "name, text, said",
    [
        ("page.md", "# Page\n\n[x](nowhere.md)\n", "nowhere.md"),
        ("page.md", "# Page\n\n[x](../studies/nowhere.toml)\n", "nowhere.toml"),
        ("page.md", "# Page\n\n[x](index.md#no-such-heading)\n", "no-such-heading"),
        ("further.md", "# In no list\n", "isn't included in any toctree"),
        ("page.rst", "Page\n====\n\n:class:`autoqa.api.Sourcespec`\n", "autoqa.api.Sourcespec"),
        ("page.rst", "Page\n====\n\n.. plugins:: sauce\n", "sauce"),
    ],
)
def test_a_planted_fault_ends_the_build(
    small: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    (small / "docs" / "page.md").unlink()
    (small / "docs" / "page.md").with_name(name).write_text(text)
    if name == "further.md":
        (small / "docs" / "page.md").write_text("# Page\n")
    done = build(small, tmp_path / "site")
    assert done.returncode != 0
    assert said in done.stderr


def test_plugins_that_are_missing_are_named(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A package whose import fails stands in for one that is broken.
    broken = tmp_path / "path" / "autoqa_augmentations"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no such thing')\n")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    done = build(small, tmp_path / "site")
    assert done.returncode != 0
    assert "the reference needs all plugins of the project: augmentation" in done.stderr


# The whole site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site") / "docs"
    done = build(ROOT, target)
    assert (done.returncode, done.stderr) == (0, "")
    return target


def pages(site: Path) -> dict[Path, BeautifulSoup]:
    return {
        path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in site.rglob("*.html")
    }


def said(site: Path, name: str) -> str:
    """The text of a page's article."""
    page = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
    article = page.find("article")
    assert article is not None
    return " ".join(article.get_text().split())


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from commands(found, f"{name} {child}")


@pytest.mark.slow
def test_every_command_and_option_is_there(site: Path) -> None:
    text = said(site, "docs/reference/command.html")
    for name, command in commands(cli, "autoqa"):
        assert f"{name} [OPTIONS]" in text or f"{name} COMMAND" in text, name
        options = [each for each in command.params if isinstance(each, click.Option)]
        for option in options:
            assert option.opts[-1] in text, f"{name} {option.opts[-1]}"


@pytest.mark.slow
def test_the_page_of_commands_begins_with_a_list_of_them(site: Path) -> None:
    path = site / "docs" / "reference" / "command.html"
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    listed = page.select("article ul")[0].select("a")
    leaves = [name for name, each in commands(cli, "autoqa") if not isinstance(each, click.Group)]
    assert [link.get_text() for link in listed] == leaves
    headings = {each["id"]: each.find(["h2", "h3", "h4"]) for each in page.select("section[id]")}
    for link in listed:
        heading = headings[str(link["href"]).removeprefix("#")]
        assert heading is not None
        assert heading.get_text().removesuffix("¶") == link.get_text().removeprefix("autoqa ")


@pytest.mark.slow
def test_every_key_plugin_and_metric_is_there(site: Path) -> None:
    text = said(site, "docs/reference/study-file.html")
    for table in study_tables():
        assert table.heading in text
        for key in table.keys:
            assert f"{table.path}.{key.name}".strip(".") in text
    text = said(site, "docs/reference/plugins.html")
    for each in discover().records:
        if each.distribution.startswith("autoqa-") and each.spec is not None:
            names = list(each.spec.options.model_fields)  # type: ignore[union-attr]
            assert all(name in text for name in (each.name, *names)), each.name
    assert all(metric.name in text for metric in all_metrics())


@pytest.mark.slow
def test_every_public_name_is_there(site: Path) -> None:
    import autoqa
    import autoqa.api
    import autoqa.testing

    objects = (site / "genindex.html").read_text(encoding="utf-8")
    wanted = [f"autoqa.{name}" for name in autoqa.__all__ if not name.startswith("_")]
    wanted += [f"autoqa.api.{name}" for name in autoqa.api.__all__]
    wanted += [f"autoqa.testing.{name}" for name in autoqa.testing.__all__]
    assert [name for name in wanted if f"#{name}" not in objects] == []


@pytest.mark.slow
def test_every_link_leads_somewhere(site: Path) -> None:
    found = pages(site)
    named = {path: {each["id"] for each in page.find_all(id=True)} for path, page in found.items()}
    lost = []
    for path, page in found.items():
        for tag in page.find_all(["a", "link", "script", "img"]):
            address = urlsplit(str(tag.get("href") or tag.get("src") or ""))
            if address.scheme or address.netloc:
                continue
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            anchor = unquote(address.fragment)
            missing = anchor and target.suffix == ".html" and anchor not in named.get(target, ())
            if not target.exists() or missing:
                lost.append(f"{path.relative_to(site)}: {address.geturl()}")
    assert lost == []


@pytest.mark.slow
def test_the_schema_is_a_file_of_the_site(site: Path) -> None:
    schema = json.loads((site / "study.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    assert {"sources", "backbones", "recipe"} <= set(schema["properties"])
    page = (site / "docs" / "reference" / "study-file.html").read_text(encoding="utf-8")
    assert 'href="../../study.schema.json"' in page


@pytest.mark.slow
def test_no_mark_of_the_tests_is_shown(site: Path) -> None:
    assert [path for path in site.rglob("*.html") if "<!-- test" in path.read_text("utf-8")] == []


# As people see it

CONTRAST = """() => {
  const channel = v => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4 };
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = numbers(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0.99) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const texts = 'article p, article code, article a, article pre span, .sidebar-drawer a';
  for (const e of document.querySelectorAll(texts)) {
    if (!e.textContent.trim() || !e.checkVisibility()) continue;
    const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${e.tagName} ${e.textContent.slice(0, 40)} ${ratio.toFixed(2)}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as opened:
        yield opened


@pytest.mark.slow
def test_the_search_works_from_disk(site: Path, browser: Any) -> None:
    page = browser.new_page()
    faults: list[str] = []
    page.on(
        "console", lambda message: faults.append(message.text) if message.type == "error" else 0
    )
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((site / "index.html").as_uri())
    page.wait_for_url("**/docs/index.html")
    page.fill(".sidebar-search", "soup")
    page.press(".sidebar-search", "Enter")
    # Results come one after the other; the number of them is said behind the last one.
    page.wait_for_function("/\\d/.test(document.querySelector('.search-summary')?.textContent)")
    found = page.eval_on_selector_all("ul.search li a", "links => links.map(a => a.textContent)")
    assert {"Study files", "search.soups", "Every command > soup"} <= set(found)
    assert faults == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("name", ["index", "studies", "reference/study-file", "reference/command"])
def test_text_stands_out_from_what_is_behind_it(
    site: Path, browser: Any, scheme: str, name: str
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto((site / "docs" / f"{name}.html").as_uri())
    assert page.evaluate(CONTRAST) == []


@pytest.mark.slow
def test_sentences_that_commands_print_wrap_and_tables_keep_their_lines(
    site: Path, browser: Any
) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto((site / "docs" / "start.html").as_uri())
    lines = {
        line.text_content().strip().split()[0]: line.evaluate(
            "e => [e.getClientRects().length, e.getBoundingClientRect().right > innerWidth]"
        )
        for line in page.query_selector_all(".highlight .go")
    }
    rows, too_wide = lines["Best"]  # by the ladder, and what it is worth
    assert rows > 2
    assert not too_wide
    assert lines["all-equal"] == [1, True]


@pytest.mark.slow
def test_a_command_of_several_lines_is_copied_whole_and_without_prompts(
    site: Path, browser: Any
) -> None:
    page = browser.new_page()
    page.goto((site / "docs" / "own-data.html").as_uri())
    page.wait_for_selector("button.copybtn", state="attached")
    page.evaluate(
        "document.execCommand = () => {"
        " window.copied = document.querySelector('body > textarea').value; return true }; 0"
    )
    page.query_selector(".highlight-console button.copybtn").evaluate("e => e.click()")
    first, *more = page.evaluate("copied.split('\\n')")
    assert first.startswith("autoqa studies new towns --target faq.csv")
    assert len(more) == 2
    assert more[-1] == "--column answer_text=Reply"


@pytest.mark.slow
def test_no_page_is_wider_than_a_telephone(site: Path, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 800})
    wide = []
    for path in sorted(site.rglob("*.html")):
        if path.parent == site and path.name == "index.html":
            continue  # leads on to the front page
        page.goto(path.as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 400:
            wide.append((path.name, width))
    assert wide == []
