"""``autoqa report`` and ``autoqa compare``: files, JSON, exit codes, and texts that stay texts."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

from autoqa.store.run_folder import RunFolder
from autoqa.store.study_tables import Store
from tests.conftest import Run
from tests.report_kit import damage_database

VOID = {"meta", "link", "br", "input"}


class Tags(HTMLParser):
    """Checks that tags are closed, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(page: str) -> Tags:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    return tags


def test_writes_one_page_that_needs_nothing_beside_it(made: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    code, out, err = run("report", "made", "--to", target)
    assert (code, out, err) == (0, f"{target}\n", "")
    page = target.read_text(encoding="utf-8")
    tags = parsed(page)
    for name in ("src", "href"):
        links = [attributes[name] for _, attributes in tags.seen if name in attributes]
        assert all(link and (link.startswith("#") or link == "data:,") for link in links)
    ids = [attributes["id"] for _, attributes in tags.seen if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for t, a in tags.seen if t == "a" and a["href"]]
    assert set(targets) <= set(ids)
    assert not [attributes for _, attributes in tags.seen if "style" in attributes]
    assert not [a for _, a in tags.seen if any(name.startswith("on") for name in a)]
    for words in ("Summary", "Leaderboard", "History", "Learning curves", "What helped", "Recipes"):
        assert words in page
    assert "<b>London" not in page


def test_the_policy_allows_the_pages_own_script_and_style_alone(
    made: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "page.html"
    run("report", "made", "--to", target)
    page = target.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    for kind, pattern in (
        ("style", r"<style>(.*?)</style>"),
        ("script", r"<script>(.*?)</script>"),
    ):
        (text,) = re.findall(pattern, page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy[1]


def test_headings_go_down_one_step_at_a_time_and_tables_have_heads(
    made: Path, run: Run, tmp_path: Path
) -> None:
    target = tmp_path / "page.html"
    run("report", "made", "--to", target)
    tags = parsed(target.read_text(encoding="utf-8"))
    levels = [int(tag[1]) for tag, _ in tags.seen if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    heads = [attributes for tag, attributes in tags.seen if tag == "th"]
    assert heads
    assert all(attributes.get("scope") in ("row", "col") for attributes in heads)
    pictures = [attributes for tag, attributes in tags.seen if tag == "svg"]
    assert all(a.get("aria-label") or a.get("aria-hidden") for a in pictures)


def test_the_page_has_a_name_of_its_own(made: Path, run: Run, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("report", "made")[:2] == (0, "made-report.html\n")
    assert (tmp_path / "made-report.html").stat().st_size > 10_000


def test_markdown_has_tables_and_no_pictures(made: Path, run: Run, tmp_path: Path) -> None:
    code, out, _ = run("report", "made", "--markdown")
    assert code == 0
    assert out.startswith("# made\n")
    assert "## Leaderboard" in out
    assert "| condition | effect |" in out
    assert "![" not in out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)
    assert run("report", "made", "--markdown", "--to", tmp_path / "r.md")[0] == 0
    assert (tmp_path / "r.md").read_text(encoding="utf-8") == out


def test_json_has_all_figures(made: Path, run: Run) -> None:
    code, out, _ = run("report", "made", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["study"] == "made"
    assert len(found["leaderboard"]["candidates"]) == 24
    assert found["ladder"][0]["moved"]
    assert {"name", "effect", "low", "wide_low", "verdict"} <= found["effects"]["found"][0].keys()
    assert sum(found["errors"].values()) == 56
    assert found["cost"]["device_hours"] > 1
    assert found["private"] is None


def test_a_damaged_study_is_shown_with_the_exit_code_of_its_error(
    made: Path, run: Run, tmp_path: Path
) -> None:
    damage_database(made)
    target = tmp_path / "page.html"
    code, _, err = run("report", "made", "--to", target)
    assert code == 1
    assert "study.db" in err
    page = target.read_text(encoding="utf-8")
    parsed(page)
    assert "What is missing" in page
    assert "24 candidates are known" in page
    assert "Leaderboard" in page
    code, out, _ = run("report", "made", "--json")
    assert code == 1
    assert len(json.loads(out)["leaderboard"]["candidates"]) == 24


def test_a_search_at_work_is_shown_as_it_stands(made: Path, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    with Store(RunFolder(made).store_url(), "made") as store:
        name = store.enter("search", leads=True)
        try:
            assert run("report", "made", "--to", target)[0] == 0
        finally:
            store.leave(name)
    assert "A search is at work" in target.read_text(encoding="utf-8")
    assert run("report", "made", "--to", target)[0] == 0
    assert "A search is at work" not in target.read_text(encoding="utf-8")


def test_an_opening_shows_public_against_private(made: Path, run: Run, tmp_path: Path) -> None:
    assert run("reveal", "made", "--reason", "<i>why</i> not")[0] == 0
    target = tmp_path / "page.html"
    assert run("report", "made", "--to", target)[0] == 0
    page = target.read_text(encoding="utf-8")
    parsed(page)
    assert "Public against private" in page
    assert "&lt;i&gt;why&lt;/i&gt; not" in page
    code, out, _ = run("report", "made", "--json")
    assert code == 0
    assert len(json.loads(out)["private"]["candidates"]) == 24


def test_what_cannot_be_asked_or_written_is_refused(made: Path, run: Run, tmp_path: Path) -> None:
    assert run("report", "made", "--markdown", "--json")[0] == 2
    assert run("report", "made", "--json", "--audit")[0] == 2
    assert run("report", "mad")[0] == 2
    code, _, err = run("report", "made", "--to", tmp_path / "absent" / "page.html")
    assert code == 2
    assert "cannot be written" in err


def test_an_audit_of_sources_that_are_not_installed_ends_with_their_error(
    made: Path, run: Run, tmp_path: Path
) -> None:
    code, _, err = run("report", "made", "--audit", "--to", tmp_path / "page.html")
    assert code == 3
    assert "not-installed" in err
    assert not (tmp_path / "page.html").exists()


def test_compare_prints_differences_and_the_gain(made: Path, run: Run) -> None:
    code, out, _ = run("compare", "made", "other")
    assert code == 0
    assert "search: search.trials: 12 -> 3" in out
    assert "on the same 56 public questions: paired" in out
    assert "The best of other gains" in out
    code, out, _ = run("compare", "made", "other", "--json")
    assert code == 0
    assert json.loads(out)["is_paired"] is True
    assert run("compare", "made", "made")[0] == 2


def test_figures_of_a_study_with_rules_agree_with_each_other(golden: Path, run: Run) -> None:
    assert run("leaderboard", "golden")[0] == 0  # brings the tables up to date
    code, out, _ = run("report", "golden", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["errors"]["right"] == 13
    said = " ".join(found["summary"])
    assert "reaches 0.333 on the same questions" in said
    assert f"it reaches {13 / 24:.3f} there" in said, "rules for the ends of answers are applied"
    failed = sum(each["failure"] is not None for each in found["cost"]["trials"])
    assert f"10 trials, {failed} of which failed" in said
    assert f"{found['cost']['device_hours']:.2f} device hours" in said


def test_a_name_that_is_nearly_right(made: Path, run: Run) -> None:
    code, _, err = run("report", "mad")
    assert code == 2
    assert "did you mean 'made'? `autoqa search STUDY.toml` searches one" in err


def test_a_lost_database_is_not_replaced_by_an_empty_one(made: Path, run: Run) -> None:
    folder = RunFolder(made)
    folder.database.unlink()
    for command in ("leaderboard", "select", "soup"):
        code, _, err = run(command, "made")
        assert code == 2
        assert f"{folder.database}: the study's database is lost; `autoqa search" in err
    assert not folder.database.exists()
