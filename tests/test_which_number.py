"""docs/which-number.md: its simulation prints what the page shows, to the last digit."""

from pathlib import Path

from tests.docs_kit import blocks_of, commands, run

PAGE = "docs/which-number.md"


def test_the_luck_of_the_best_of_many(tmp_path: Path) -> None:
    program, shown = (block for block in blocks_of(PAGE) if block.when == "in order")
    (tmp_path / program.file).write_text(program.text, encoding="utf-8")
    ((command, lines),) = commands(shown)
    done = run(command, tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == lines
    assert "autoqa.scores" in program.text
