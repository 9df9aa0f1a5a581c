"""`autoqa studies new`: a study file from files of any format, or one sentence why not."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoqa.config.load import load_study
from autoqa.registry import open_study
from autoqa.upkeep.data_file import _names
from autoqa.upkeep.new_study import _toml
from tests.own_files import demo_rows, write_files, write_lines, write_table

Run = Callable[..., tuple[int, str, str]]
COLUMNS = [
    f"--column={each}"
    for each in ("id=No", "question=Asked", "context=Article", "answer_text=Reply")
]
OTHERS = ("--source", "handbook.json", "--source", "hindi.jsonl")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOQA_HOME", str(tmp_path / "runs"))
    write_files(tmp_path)
    return tmp_path


def begun(run: Run, *arguments: str) -> str:
    code, out, err = run("studies", "new", "towns", "--target", *arguments)
    assert code == 0, err
    return out


def refused(run: Run, *arguments: str) -> tuple[int, str]:
    code, out, err = run("studies", "new", "towns", "--target", *arguments)
    assert code
    assert not out
    assert not Path("towns.toml").exists()
    assert "Traceback" not in err
    return code, err


def test_what_was_recognised_is_said_and_the_file_passes_a_dry_run(folder: Path, run: Run) -> None:
    said = begun(run, "faq.csv", *OTHERS, *COLUMNS, "--language", "en")
    assert said.splitlines() == [
        "faq.csv: csv, 240 rows, en, all answered",
        "handbook.json: squad, 120 rows, en, all answered",
        "hindi.jsonl: jsonl, 60 rows, hi, all answered",
        "towns.toml: 3 sources, backbones e5-small, minilm-l6",
    ]
    code, out, err = run("search", "towns.toml", "--dry-run")
    assert code == 0, err
    assert "source handbook (file): 120 training examples: en 120" in out
    assert not (folder / "runs").exists()


def test_rows_that_name_no_language_are_read_by_their_letters(folder: Path, run: Run) -> None:
    rows = demo_rows(languages=["ta"], documents=4)
    write_table(folder / "tamil.csv", rows)
    said = begun(run, "faq.csv", "--source", "tamil.csv", *COLUMNS, "--language", "en")
    assert "tamil.csv: csv, 16 rows, ta (by its letters), all answered" in said
    tables = tomllib.loads(Path("towns.toml").read_text())["sources"]
    assert tables["tamil"]["language"] == "ta"
    assert tables["faq"]["language"] == "en"


def test_a_backbone_gets_the_options_with_which_it_reads_the_target(folder: Path, run: Run) -> None:
    said = begun(run, "faq.csv", *COLUMNS, "--language", "de")
    assert said.splitlines()[-1] == "towns.toml: 1 source, backbones e5-small"
    backbones = open_study(Path("towns.toml")).study.backbones
    assert {name: table.options for name, table in backbones.items()} == {
        "e5-small": {"vocabulary": "full"}
    }


def test_a_backbone_can_be_named(folder: Path, run: Run) -> None:
    begun(run, "hindi.jsonl", "--backbone", "muril-base", "--backbone", "e5-small")
    assert list(load_study(Path("towns.toml")).backbones) == ["muril-base", "e5-small"]
    Path("towns.toml").unlink()
    code, err = refused(run, "hindi.jsonl", "--backbone", "murril-base")
    assert code == 3
    assert "did you mean 'muril-base'" in err


def test_a_language_that_nothing_here_reads_is_named(folder: Path, run: Run) -> None:
    rows = [{"question": "q", "context": "a c", "answers": ["a"], "language": "tlh"}]
    Path("far.json").write_text(json.dumps(rows))
    code, err = refused(run, "far.json")
    assert code == 4
    assert "no backbone on this machine is said to read tlh, the languages of far.json" in err
    assert "--backbone" in err


def test_a_large_source_is_drawn_from(folder: Path, run: Run) -> None:
    write_lines(folder / "few.jsonl", demo_rows(languages=["hi"], documents=8))
    begun(run, "few.jsonl", "--source", "faq.csv", *COLUMNS, "--language", "en")
    study = load_study(Path("towns.toml"))
    faq, few = study.recipe.portions
    assert faq.share == (0.1, 0.4)
    assert (few.source, study.validation.source, study.validation.share) == ("few", "few", 0.5)


def test_all_files_that_cannot_be_used_are_named(folder: Path, run: Run) -> None:
    Path("empty.csv").touch()
    Path("wrong.jsonl").write_text('{"question": "q", "context": "c", "language": "e n"}\n')
    Path("asked.jsonl").write_text('{"question": "q", "context": "c", "language": "en"}\n')
    others = ("away.csv", "handbook.json", "empty.csv", "asked.jsonl", "wrong.jsonl")
    code, err = refused(run, "faq.csv", *(f"--source={each}" for each in others))
    assert code == 2
    assert "away.csv does not exist." in err
    assert "empty.csv: it is empty." in err
    assert "wrong.jsonl: none of its rows can be used; the first: wrong.jsonl:1: " in err
    assert "faq.csv:1: columns question and context are missing; found 'No, Asked, A" in err
    assert "handbook.json: its rows name no language; say which by --language" in err
    assert "asked.jsonl: its rows say nothing about answers" in err


def test_a_file_without_any_answer_is_refused(folder: Path, run: Run) -> None:
    row = {"question": "q", "context": "c", "answers": [], "language": "en"}
    Path("none.jsonl").write_text(json.dumps(row) + "\n")
    code, err = refused(run, "none.jsonl")
    assert (code, err) == (2, "Error: none.jsonl: none of its rows has an answer\n")


@pytest.mark.parametrize(
    "arguments, code, sentence",
    [
        (("away.csv",), 4, "away.csv does not exist."),
        (("faq.csv", *COLUMNS, "--column", "document=Titel"), 2, "--column document=Titel: no f"),
        (("faq.csv", "--column", "question"), 2, "'question' must be FIELD=COLUMN"),
        (("faq.csv", "--column", "query=Asked"), 2, "columns: 'query' is none of id, question"),
        (("faq.csv", *COLUMNS, "--language", "english-ish"), 2, "faq.csv: "),
        (
            ("faq.csv", *COLUMNS, "--language", "hi"),
            2,
            "its letters are not those of --language 'h",
        ),
        (("hindi.jsonl", "--to", "away/towns.toml"), 2, "--to away/towns.toml: the folder"),
        (("hindi.jsonl", "--to", "a\nb.toml"), 2, "--to 'a\\nb.toml': a control character"),
        (("hindi.jsonl", "--source", "a\udcff.csv"), 2, "'a\\udcff.csv': its name is not UTF-8"),
        (("hindi.jsonl", "--source", "./hindi.jsonl"), 2, "--source hindi.jsonl: it is the file h"),
    ],
)
def test_a_wrong_argument_is_one_sentence(
    folder: Path, run: Run, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    found, err = refused(run, *arguments)
    assert found == code, err
    assert sentence in err


def test_a_name_that_no_study_can_have_is_refused(folder: Path, run: Run) -> None:
    code, _, err = run("studies", "new", "My Towns", "--target", "hindi.jsonl")
    assert code == 2
    assert "name: should be of lower-case letters" in err
    assert not Path("My Towns.toml").exists()


def test_a_study_file_that_is_there_stays(folder: Path, run: Run) -> None:
    Path("towns.toml").write_text("mine")
    code, _, err = run("studies", "new", "towns", "--target", "hindi.jsonl")
    assert code == 2
    assert "towns.toml exists already; remove it, or give another file by --to" in err
    assert Path("towns.toml").read_text() == "mine"
    code, _, err = run("studies", "new", "towns", "--target", "hindi.jsonl", "--to", "other.toml")
    assert code == 0, err
    assert load_study(Path("other.toml")).name == "towns"


def test_a_path_of_odd_letters_is_read_again(folder: Path, run: Run) -> None:
    odd = 'a "b" ${HOME} \\ \n.jsonl'
    write_lines(folder / odd, demo_rows(languages=["hi"], documents=8))
    begun(run, odd)
    (source,) = load_study(Path("towns.toml")).sources.values()
    assert source.options["path"] == odd


def test_a_backbone_that_is_named_twice_is_one(folder: Path, run: Run) -> None:
    begun(run, "hindi.jsonl", "--backbone", "e5-small", "--backbone", "e5-small")
    assert list(load_study(Path("towns.toml")).backbones) == ["e5-small"]


def test_what_to_do_next_can_be_typed_as_it_stands(folder: Path, run: Run) -> None:
    code, _, err = run(
        "studies", "new", "towns", "--target", "hindi.jsonl", "--to", "my towns.toml"
    )
    assert (code, err) == (0, "Next: autoqa search 'my towns.toml' --dry-run\n")
    assert "#   autoqa search 'my towns.toml' --dry-run\n" in Path("my towns.toml").read_text()


def test_a_target_of_few_documents_gives_as_many_as_are_held_out(folder: Path, run: Run) -> None:
    """Many rows about few documents: by rows alone, a fifth were enough."""
    rows = [
        {"question": f"q {row}?", "context": f"{'a b ' * place}c", "answers": ["c"]}
        | {"language": "en"}
        for place in range(10)
        for row in range(250)
    ]
    Path("few.json").write_text(json.dumps(rows))
    begun(run, "few.json")
    assert load_study(Path("towns.toml")).validation.share == 0.4
    Path("towns.toml").unlink()
    Path("few.json").write_text(json.dumps(rows[:1500]))
    code, err = refused(run, "few.json")
    assert code == 2
    assert "few.json: it holds 6 different documents, and half of a target's must be 4" in err


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_stand_in_a_study_file(text: str) -> None:
    assert tomllib.loads(f"a = {_toml(text)}")["a"] == text.replace("${", "$${")


def test_names_of_sources_are_apart() -> None:
    names = ("My Data.CSV", "my-data.json.gz", "x/my data.csv", "Ärger.csv", "___.csv", "é.csv")
    assert _names(map(Path, ("a-2.csv", "a.csv", "b/a.csv"))) == ["a-2", "a", "a-3"]
    assert _names(map(Path, names)) == [
        "my-data",
        "my-data-2",
        "my-data-3",
        "rger",
        "data",
        "data-2",
    ]
